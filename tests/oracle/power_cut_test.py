"""Power cuts: the state folder is an ext4 of its own, which at some moment
forgets all that was not synced (FS_IOC_SHUTDOWN without a flush of the log).
What was acknowledged before is there afterwards, and what was told is so.

Needs to mount a loop device; is skipped elsewhere. DEPTHQ_POWER_CUTS is how
many, DEPTHQ_SEED when. DEPTHQ_BUILD is the build to test.
"""
import fcntl
import os
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/fault"))

import invariants  # noqa: E402
from daemon import Daemon, request_of, until  # noqa: E402

CUTS = int(os.environ.get("DEPTHQ_POWER_CUTS", "12"))
SEED = int(os.environ.get("DEPTHQ_SEED", "4711"))
SHUTDOWN, NO_FLUSH = 0x8004587D, 2  # linux/fs.h, ext4.h: FS_IOC_SHUTDOWN, EXT4_GOING_FLAGS_NOLOGFLUSH


def run(*words):
    """A command; one that is not there has failed."""
    try:
        return subprocess.run([str(w) for w in words], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return subprocess.CompletedProcess(words, 127)


class PowerCuts(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-power-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.daemon = Daemon(BUILD, self.folder / "farm", "tools/fake_worker")
        self.image, self.state = self.folder / "image", self.daemon.state
        self.state.mkdir()
        with open(self.image, "wb") as file:
            file.truncate(96 << 20)
        if run("mkfs.ext4", "-q", "-F", self.image).returncode or not self.mount():
            self.skipTest("may not mount a loop device here")
        self.addCleanup(run, "umount", self.state)
        self.addCleanup(self.daemon.close)

    def mount(self):
        return run("mount", "-o", "loop,noauto_da_alloc", self.image, self.state).returncode == 0

    def cut(self):
        """The power goes, and comes back."""
        place = os.open(self.state, os.O_RDONLY)
        try:
            fcntl.ioctl(place, SHUTDOWN, struct.pack("I", NO_FLUSH))
        finally:
            os.close(place)
        self.daemon.kill()
        until(lambda: not self.daemon.own_processes())  # workers see that it is gone
        until(lambda: run("umount", self.state).returncode == 0)
        self.assertTrue(self.mount())

    def settled(self):
        """Of each job, how many frames are known to be done: what a person was told."""
        return {j["id"]: j["counts"]["done"] for j in self.daemon.get("/v1/jobs?limit=1000")["jobs"]}

    def test_nothing_that_was_acknowledged_or_told_is_lost(self):
        rng, answers, told = random.Random(SEED), {}, {}
        for cut in range(CUTS):
            self.daemon.run("-q", FAKE_WORKER="*=slow:5")
            now = self.settled()
            self.assertLessEqual(set(told), set(now), f"cut {cut}, seed {SEED}")
            for job, done in told.items():
                self.assertGreaterEqual(now[job], done, f"job {job}, cut {cut}, seed {SEED}")
            for i in range(rng.randint(1, 8)):
                key = f"cut-{cut}-{i}"
                status, answer = self.daemon.ask("POST", "/v1/jobs", request_of(key, "1-20", more="stabilize: off\n"))
                self.assertEqual(status, 201, answer)
                answers[key] = answer["job"]
            time.sleep(rng.random() * 0.3)  # when it is cut; nothing depends on it
            told = self.settled()
            self.cut()
            found = invariants.read(self.state, lambda db: invariants.sound(db) + invariants.acknowledged(db, answers))
            self.assertEqual(found, [], f"cut {cut}, seed {SEED}")
        self.daemon.run("-q")
        for job in answers.values():
            self.daemon.wait(job, "done")
        self.assertEqual(self.daemon.stop(), 0)
        self.assertEqual(invariants.read(self.state, lambda db: invariants.sound(db) + invariants.acknowledged(db, answers) +
                                         invariants.settled_once(db) + invariants.told(db)), [])
        print(f"{CUTS} power cuts, seed {SEED}: {len(answers)} acknowledged jobs are all there, each of "
              f"{20 * len(answers)} frames done once", file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
