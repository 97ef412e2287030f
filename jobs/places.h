/* places: where the daemon keeps its state and listens, for daemon and
 * clients alike. Text only; nothing is made. Callers free. */
#ifndef DQ_JOBS_PLACES_H
#define DQ_JOBS_PLACES_H

#ifdef __cplusplus
extern "C" {
#endif

/* DEPTHQ_STATE, STATE_DIRECTORY (systemd), XDG_STATE_HOME/depthq, else
 * ~/.local/state/depthq. NULL without any of them. */
char *dq_place_state(void);

/* DEPTHQ_SOCKET, else RUNTIME_DIRECTORY/socket (systemd), else socket in
 * XDG_RUNTIME_DIR/depthq (unless DEPTHQ_STATE is set), else in the state
 * folder. NULL without any. */
char *dq_place_socket(void);

#ifdef __cplusplus
}
#endif
#endif
