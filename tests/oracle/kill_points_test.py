"""SIGKILL at each call to the system that changes anything: of the daemon from
its first start to its end, with a submit, a frame and a cancel between; of a
worker that makes a frame. After each the next start finds nothing wrong.

A point is (call, n): the process dies as it makes that call for the n-th time
(strace injects it). In between two such calls there is nothing to be lost
that is not lost at the second. DEPTHQ_KILL_POINTS is how many are tried of
each kind, chosen by DEPTHQ_SEED, or `all`.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/fault"))

import invariants  # noqa: E402
from daemon import Daemon, Gone, request_of, until  # noqa: E402

CALLS = ("openat", "mkdir", "mkdirat", "write", "pwrite64", "fsync", "fdatasync", "ftruncate", "unlink", "unlinkat",
         "rename", "renameat", "renameat2", "linkat", "bind", "sendto", "sendmsg", "vfork", "fork", "clone", "clone3",
         "kill", "exit_group")
WANTED = os.environ.get("DEPTHQ_KILL_POINTS")
SEED = int(os.environ.get("DEPTHQ_SEED", "4711"))


def may_trace():
    # the tracer is a grandchild, so that a traced process has the pid that its parent knows
    try:
        return subprocess.run(["strace", "-D", "-o", "/dev/null", "-e", "inject=close:signal=KILL:when=1", "true"],
                              capture_output=True, check=False).returncode == -9
    except OSError:
        return False


def tracing(call, when):
    return ["strace", "-D", "-qq", "-o", "/dev/null", "-e", f"trace={call}", "-e",
            f"inject={call}:signal=KILL:when={when}"]


def points_of(lines):
    """(call, n) of all that a trace written with -f tells of; n counts each thread's calls apart, as strace does. Files
    that are only read are no matter."""
    counts, points = Counter(), set()
    for line in lines:
        if found := re.match(r"(\d+) +(\w+)\(", line):
            thread, call = found.groups()
            counts[thread, call] += 1
            if call != "openat" or "O_CREAT" in line:
                points.add((call, counts[thread, call]))
    return points


def choose(points, usual):
    """As many as are wanted; the seed decides which."""
    points = sorted(points)
    random.Random(SEED).shuffle(points)
    return points if WANTED == "all" else points[:int(WANTED or usual)]


@unittest.skipUnless(may_trace(), "strace may not trace here")
class KillPoints(unittest.TestCase):
    worker = "tools/fake_worker"

    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-points-"))
        self.daemon = Daemon(BUILD, self.folder / "farm", self.worker)
        self.answers = {}

    def tearDown(self):
        self.daemon.close()
        shutil.rmtree(self.folder)

    def request(self, key, **members):
        return request_of(key, "1-2", more="stabilize: off\nretries: 20\n", **members)

    def submit(self, key, **members):
        status, answer = self.daemon.ask("POST", "/v1/jobs", self.request(key, **members))
        self.assertIn(status, (200, 201), answer)
        self.assertEqual(self.answers.setdefault(key, answer["job"]), answer["job"])
        return answer["job"]

    def cancel(self, job):
        """409: it was canceled before."""
        status, answer = self.daemon.ask("POST", f"/v1/jobs/{job}/cancel", {})
        self.assertIn(status, (200, 409), answer)

    def work(self):
        """All that a client wants; Gone where the daemon dies."""
        first, second = self.submit("first"), self.submit("second", hold=True)
        self.cancel(second)
        until(lambda: self.daemon.process.poll() is not None or self.is_done(first))
        if self.daemon.process.poll() is not None:
            raise Gone("it died")

    def is_done(self, job):
        return self.daemon.get(f"/v1/jobs/{job}")["state"] == "done"

    ends = [("first", "render", "done", 2), ("first", "survey", "done", 1), ("second", "render", "canceled", 2),
            ("second", "survey", "canceled", 1)]

    def look(self, db):
        states = invariants.rows(
            db, "SELECT key, kind, replace(state, 'skipped', 'done'), count(*) FROM task t JOIN job j ON j.id = t.job "
                "GROUP BY 1, 2, 3 ORDER BY 1, 2, 3")
        wrong = [] if states == self.ends else [f"jobs end as {states}"]
        return wrong + (invariants.sound(db) + invariants.acknowledged(db, self.answers) + invariants.told(db))

    def check(self):
        self.assertEqual(invariants.read(self.daemon.state, self.look), [])
        self.assertEqual(self.daemon.own_processes(), [])


class OfTheDaemon(KillPoints):
    def life(self, before):
        """Its whole life, as far as it gets -> whether it was killed."""
        self.daemon.start("-q", before=before)
        try:
            if self.daemon.ready():
                self.work()
                self.daemon.process.terminate()
        except Gone:
            pass
        return self.daemon.ended() == -9

    def test_wherever_it_dies_the_next_one_has_all_that_was_acknowledged(self):
        trace = self.folder / "trace"
        self.assertFalse(self.life(["strace", "-D", "-qq", "-o", trace, "-f", "-e", f"trace=?{',?'.join(CALLS)}"]))
        self.check()
        points, killed = choose(points_of(self.own(trace)), 40), 0
        for call, when in points:
            with self.subTest(call=call, when=when, seed=SEED):
                shutil.rmtree(self.daemon.state)
                self.answers = {}
                killed += self.life(tracing(call, when))
                self.look_at_once()
                self.daemon.run("-q")
                self.work()
                self.assertEqual(self.daemon.stop(), 0)
                self.check()
        print(f"{killed} of {len(points)} points of the daemon reached, seed {SEED}")
        self.assertGreater(killed, 0)  # how often it is asked differs with the machine's speed

    def look_at_once(self):
        """Before a resend could make good what was lost. It may have died before there was a schema."""
        def look(db):
            return invariants.sound(db) + invariants.acknowledged(db, self.answers)
        if self.answers:
            self.assertEqual(invariants.read(self.daemon.state, look), [])

    @staticmethod
    def own(trace):
        """The lines of the process that was there first; children are not followed when it is struck."""
        lines = trace.read_text(errors="replace").splitlines()
        return [line for line in lines if line.split()[0] == lines[0].split()[0]]


class OfAWorker(KillPoints):
    worker = "libexec/depthq/depthq-worker"

    def setUp(self):
        super().setUp()
        made, plates = self.folder / "made", self.folder / "plate"
        subprocess.run([BUILD / "bin/depthq-scene", made, "--seed", "7", "--frames", "1-2", "--size", "64x36"], check=True,
                       stdout=subprocess.DEVNULL)
        plates.mkdir()
        for frame in (1, 2):
            os.utime(made / f"plate.{frame:04}.exr", (1.7e9, 1.7e9))
            (made / f"plate.{frame:04}.exr").rename(plates / f"p.{frame:04}.exr")
        real = self.daemon.programs / "depthq-worker"
        real.rename(self.daemon.programs / "real-worker")
        # the first process is traced, its successors are not
        real.write_text('#!/bin/sh\n'
                        'mkdir "$STRIKE" 2>/dev/null || exec "${0%/*}/real-worker" "$@"\n'
                        'exec $TRACER "${0%/*}/real-worker" "$@"\n')
        real.chmod(0o755)

    def request(self, key, **members):
        return request_of(key, "1-2", self.folder / "plate/p.####.exr", self.folder / "out",
                          "stabilize: off\nretries: 20\n", **members)

    def life(self, tracer):
        shutil.rmtree(self.daemon.state, ignore_errors=True)
        shutil.rmtree(self.folder / "out", ignore_errors=True)
        shutil.rmtree(self.folder / "strike", ignore_errors=True)
        self.answers = {}
        self.daemon.run("-q", "--device", "cpu", "--threads", "1", STRIKE=str(self.folder / "strike"), TRACER=" ".join(tracer))
        self.work()
        deaths = self.daemon.workers()[0]["deaths"]
        self.assertEqual(self.daemon.stop(), 0)
        self.check()
        self.assertEqual(invariants.left_behind(self.folder), [])
        return deaths, [invariants.digest(self.folder / f"out/first/d.{frame:04}.exr") for frame in (1, 2)]

    def test_wherever_it_dies_its_frames_are_made_again_to_the_same_bytes(self):
        trace = self.folder / "trace"
        _, undisturbed = self.life(["strace", "-D", "-qq", "-f", "-o", str(trace), "-e", f"trace=?{',?'.join(CALLS)}"])
        points, killed = choose(points_of(trace.read_text(errors="replace").splitlines()), 12), 0
        for call, when in points:
            with self.subTest(call=call, when=when, seed=SEED):
                deaths, made = self.life(tracing(call, when)[:3] + ["-f"] + tracing(call, when)[3:])
                self.assertEqual(made, undisturbed)
                killed += deaths
        print(f"{killed} of {len(points)} points of a worker reached, seed {SEED}")
        self.assertGreater(killed, 0)


if __name__ == "__main__":
    unittest.main()
