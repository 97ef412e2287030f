"""Run a program from a small process and tell what it took.

    launch.py FD COMMAND [ARGUMENT]...

One line on FD at its start, its process id; one at its end, JSON: exit status
(-N: signal N), wall and CPU seconds (children that it waited for included),
and the peak of the largest process among them in MiB.
"""
import os
import sys
import time


def main(fd, *command):
    begun = time.monotonic()
    pid = os.posix_spawnp(command[0], command, os.environ, file_actions=[(os.POSIX_SPAWN_CLOSE, fd)])
    os.write(fd, b"%d\n" % pid)
    _, status, usage = os.wait4(pid, 0)
    wall = time.monotonic() - begun
    os.write(fd, b'{"status": %d, "wall": %.6f, "cpu": %.6f, "peak_mib": %.3f}\n' % (
        os.waitstatus_to_exitcode(status), wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024))


if __name__ == "__main__":
    main(int(sys.argv[1]), *sys.argv[2:])
