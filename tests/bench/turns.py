"""Programs that take turns: one runs for some seconds while the others are
stopped, then the next.

A machine's speed may move by a tenth from one minute to the next, as much as
what is to be told apart. Whole runs one after the other then compare minutes;
slices of seconds compare programs. Each has a clock of its own that stands
still while others run.
"""
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from process import run

SLICE_S = 8  # long against a forward: few of them are cut


def _children(pid):
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        try:
            yield from map(int, task.read_text(encoding="ascii").split())
        except OSError:
            pass


def _signal_tree(pid, number):
    """A process first, then what it has started: once stopped it starts no more."""
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return
    for child in list(_children(pid)):
        _signal_tree(child, number)


class Turn:
    """One program's share of the time."""

    def __init__(self):
        self.pid, self.before, self.since = None, 0.0, None

    def clock(self):
        """Seconds of its own turns so far."""
        since = self.since
        return self.before + (time.monotonic() - since if since is not None else 0)

    def begun(self, pid):
        self.pid = pid

    def go(self):
        self.since = time.monotonic()
        if self.pid:
            _signal_tree(self.pid, signal.SIGCONT)

    def halt(self):
        if self.pid:
            _signal_tree(self.pid, signal.SIGSTOP)
        self.before, self.since = self.clock(), None

    def run(self, command, env=None):
        """-> Done, its wall and the times of its frames by the own clock."""
        done = run(command, env=env, clock=self.clock, begun=self.begun)
        return replace(done, wall=self.clock())


def _round(turns, futures, start, slice_s):
    """A slice for everyone that has not ended."""
    for name, turn in turns.items():
        if name in futures and futures[name].done():
            continue
        turn.go()
        if name not in futures:
            futures[name] = start(name)
        wait([futures[name]], timeout=slice_s)
        turn.halt()


def take_turns(env=None, slice_s=SLICE_S, **commands):
    """Run all to their ends, in turns. -> {name: Done}; RuntimeError of the first that failed, when all have ended."""
    turns, futures = {name: Turn() for name in commands}, {}
    with ThreadPoolExecutor(len(commands)) as pool:
        try:
            while len(futures) < len(commands) or not all(f.done() for f in futures.values()):
                _round(turns, futures, lambda name: pool.submit(turns[name].run, commands[name], env), slice_s)
        finally:
            for turn in turns.values():  # nobody is left behind stopped
                turn.go()
    return {name: future.result() for name, future in futures.items()}
