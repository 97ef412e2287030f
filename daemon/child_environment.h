/* child_environment: what a worker's libraries read when they are loaded,
 * and must therefore stand in its environment before it is executed. */
#ifndef DQ_DAEMON_CHILD_ENVIRONMENT_H
#define DQ_DAEMON_CHILD_ENVIRONMENT_H

/* Our environment and the settings that it lacks (what a person has set
 * stays). threads: OMP_NUM_THREADS, 0 leaves it. NULL-terminated; free with
 * dq_child_environment_free. */
char **dq_child_environment(int threads);
void dq_child_environment_free(char **environment);

#endif
