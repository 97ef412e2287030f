/* notify: tells systemd how the daemon is, when it was started by it. */
#ifndef DQ_DAEMON_NOTIFY_H
#define DQ_DAEMON_NOTIFY_H

/* "READY=1", "STOPPING=1", "WATCHDOG=1": to the socket in NOTIFY_SOCKET
 * (sd_notify(3)); nothing without it. Never waits. */
void dq_notify(const char *state);

#endif
