"""Run a program and measure it from outside: wall, CPU, peak memory, and for
`depthq run` the moments at which frames settled."""
import json
import os
import subprocess
import tempfile
import time
from dataclasses import dataclass, field

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Done:
    wall: float      # seconds from before fork to after the reaping
    cpu: float       # user and system seconds, children that were waited for included
    peak_mib: float  # the largest process among them; no less than this process was when it started them (Linux)
    out: str
    settled: list = field(default_factory=list)  # (monotonic seconds, CPU seconds of the children so far) a frame


def _children_cpu(pid):
    """CPU seconds used so far by the living children of a process."""
    total = 0
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            children = file.read().split()
        for child in children:
            with open(f"/proc/{child}/stat", encoding="utf-8") as file:
                fields = file.read().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    except OSError:
        pass
    return total / TICKS


def _frame_done(line):
    try:
        event = json.loads(line)
    except ValueError:
        return False
    return event.get("event") == "frame" and event.get("state") == "done"


def run(command, env=None, cwd=None, allowed=(0,)):
    """Run to the end -> Done; RuntimeError with its words when it fails."""
    settled, words = [], []
    with tempfile.TemporaryFile("w+") as out:
        begun = time.monotonic()
        child = subprocess.Popen([str(c) for c in command], env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.PIPE, text=True)
        for line in child.stderr:
            if _frame_done(line):
                settled.append((time.monotonic(), _children_cpu(child.pid)))
            words.append(line)
        child.stderr.close()
        _, status, usage = os.wait4(child.pid, 0)
        wall = time.monotonic() - begun
        child.returncode = os.waitstatus_to_exitcode(status)
        out.seek(0)
        text = out.read()
    if child.returncode not in allowed:
        raise RuntimeError(f"{command[0]}: status {child.returncode}: {''.join(words[-5:]).strip() or text[-300:]}")
    return Done(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, text, settled)


def steady(done):
    """Wall and CPU seconds a frame between the first settled frame and the last: no start, no load, no survey."""
    (first, first_cpu), (last, last_cpu) = done.settled[0], done.settled[-1]
    frames = len(done.settled) - 1
    return (last - first) / frames, (last_cpu - first_cpu) / frames
