"""Run a program and measure it from outside: wall, CPU, peak memory, and for
`depthq run` the moments at which frames settled.

A process inherits the peak of the one that forked it (Linux), and the bench
with its torch is large: launch.py, which is small, stands in between.
"""
import json
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field

from setting import ROOT

TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Done:
    wall: float      # seconds from before fork to after the reaping, of launch.py's child
    cpu: float       # user and system seconds, children that were waited for included
    peak_mib: float  # the largest process among them; no less than launch.py's own 10 MiB or so
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


def run(command, env=None, cwd=None, allowed=(0,), clock=time.monotonic, begun=None):
    """Run to the end -> Done; RuntimeError with its words when it fails. begun(pid): called when it has started; clock:
    what frames settle by."""
    settled, words = [], []
    told, tell = os.pipe()
    with tempfile.TemporaryFile("w+") as out, os.fdopen(told) as answers:
        launcher = [sys.executable, "-SEs", str(ROOT / "tests/bench/launch.py"), str(tell), *map(str, command)]
        child = subprocess.Popen(launcher, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out,
                                 stderr=subprocess.PIPE, text=True, pass_fds=[tell])
        os.close(tell)
        pid = int(answers.readline() or 0)
        if begun:
            begun(pid)
        for line in child.stderr:
            if _frame_done(line):
                settled.append((clock(), _children_cpu(pid)))
            words.append(line)
        child.stderr.close()
        child.wait()
        usage = json.loads(answers.readline() or '{"status": -1}')
        out.seek(0)
        text = out.read()
    if usage["status"] not in allowed:
        said = "".join(words[-5:]).strip() or text[-300:]
        raise RuntimeError(f"{command[0]}: status {usage['status']}: {said}")
    return Done(usage["wall"], usage["cpu"], usage["peak_mib"], text, settled)


def steady(done):
    """Wall and CPU seconds a frame between the first settled frame and the last: no start, no load, no survey."""
    (first, first_cpu), (last, last_cpu) = done.settled[0], done.settled[-1]
    frames = len(done.settled) - 1
    return (last - first) / frames, (last_cpu - first_cpu) / frames
