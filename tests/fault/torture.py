#!/usr/bin/env python3
"""make torture: SIGKILL at random moments, and nothing is lost.

    tests/fault/torture.py BUILD [--kills N] [--frames N] [--seed N] [--work DIR]

A real depthqd with real workers (a fake network) makes real files. Jobs come
in one after the other, each sent again until it is acknowledged, while the
daemon, its workers, or both at once are killed: never by the clock, always
some frames after the last kill, so that a slow machine is no other test. Now
and then the daemon is killed again while it starts, or while it takes a job. Every job has the same
plates, every third is steadied over its shot (scans, a solve); undisturbed `depthq run`s say which bytes
their files must have.
While it lasts copies of the database are checked; at the end all of it is
(invariants.py). Seed and counts are printed; exit status 1 when something was
lost.
"""
import argparse
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))

import invariants  # noqa: E402
from daemon import PATIENCE, Daemon, Gone, alive, request_of, state_of, until  # noqa: E402

WORKERS = 2
EACH = 50        # frames a job
DISTINCT = 10    # different plates; the others are links to them
OPEN_AT_ONCE = 3
LOOKS = 10       # one of so many daemon kills is followed by a look at the database


def credit():
    """Frames that one worker may have in hand, as the worker's own text says (TICKETS)."""
    text = (Path(__file__).resolve().parents[2] / "daemon/worker_tasks.c").read_text(encoding="utf-8")
    readers, writers = map(int, re.search(r"READERS = (\d+), WRITERS = (\d+), TICKETS = READERS \+ 1 \+ WRITERS \+ 1",
                                          text).groups())
    return readers + writers + 2


CREDIT = credit()


class Torture:
    def __init__(self, build, folder, kills, frames, seed):
        self.random, self.folder = random.Random(seed), Path(folder)
        self.kills_wanted, self.jobs = kills, max(1, frames // EACH)
        self.frames = self.jobs * EACH
        self.daemon = Daemon(build, self.folder / "farm")
        self.killed, self.slots, self.daemon_kills = Counter(), 0, 0
        self.answers, self.pids, self.slowest = {}, set(), 0
        self.wrong, self.looks = [], 0

    # ---- what is made ------------------------------------------------------------

    def make_plates(self, build):
        made, plates = self.folder / "made", self.folder / "plate"
        subprocess.run([Path(build) / "bin/depthq-scene", made, "--seed", "7", "--frames", f"1001-{1000 + DISTINCT}",
                        "--size", "64x36", "--camera", "dolly"], check=True, stdout=subprocess.DEVNULL)
        plates.mkdir()
        for i in range(EACH):
            source = made / f"plate.{1001 + i % DISTINCT}.exr"
            os.utime(source, (1.7e9, 1.7e9))  # old enough not to be taken for one that is still being copied
            os.link(source, plates / f"p.{1001 + i}.exr")
        self.plate = plates / "p.####.exr"

    @staticmethod
    def is_steady(key):
        return key == "steady" or key[-3:].isdigit() and int(key[-3:]) % 3 == 2

    def request(self, key):
        return request_of(key, f"1001-{1000 + EACH}", self.plate, self.folder / "out",
                          f"retries: 20\nstabilize: {'shot' if self.is_steady(key) else 'off'}\n")

    def output(self, key, frame):
        return self.folder / "out" / key / f"d.{frame}.exr"

    def make_expected(self, build):
        """What undisturbed runs make: {is it steady: {frame: sha256}}."""
        expected = {}
        for key in ("undisturbed", "steady"):
            job, model = self.folder / f"{key}.yaml", self.folder / "farm/models/net.fake"
            job.write_text(self.request(key)["yaml"].replace("model: net", f"model: {model}"))
            subprocess.run([Path(build) / "bin/depthq", "run", job, "--progress", "plain"], check=True,
                           env=self.daemon.env(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            expected[self.is_steady(key)] = {frame: invariants.digest(self.output(key, frame))
                                             for frame in range(1001, 1001 + EACH)}
        return expected

    # ---- asking ------------------------------------------------------------------

    def ask(self, *what):
        begun = time.monotonic()
        answer = self.daemon.ask(*what)
        self.slowest = max(self.slowest, time.monotonic() - begun)
        return answer

    def settled(self):
        tasks = self.daemon.tasks()
        return tasks["done"] + tasks["skipped"]

    def feed(self, tasks):
        """Keep some jobs open. A submit without an answer is sent again, later, with the same key."""
        open_tasks = sum(count for state, count in tasks.items() if state not in invariants.SETTLED)
        if len(self.answers) == self.jobs or open_tasks > (OPEN_AT_ONCE - 1) * EACH:
            return
        key = self.next_key()
        status, answer = self.ask("POST", "/v1/jobs", self.request(key))
        if status not in (200, 201):
            raise AssertionError(f"{key}: {status} {answer}")
        self.answers[key] = answer["job"]

    def progress(self, frames, watched):
        """Wait until so many tasks more have settled -> the busy workers now. All are settled: none.
        watched: a worker whose death must have been told of before anything counts."""
        begun, ends = None, time.monotonic() + PATIENCE
        while time.monotonic() < ends:
            tasks = self.daemon.tasks()
            self.feed(tasks)
            workers = self.daemon.workers()
            self.pids |= {w["pid"] for w in workers if w["pid"]}
            now = tasks["done"] + tasks["skipped"]
            if begun is None and watched not in {w["pid"] for w in workers}:
                begun = now
            busy = [w["pid"] for w in workers if w["state"] == "busy"]
            if begun is not None and now >= begun + frames and busy:
                return busy
            if self.over(tasks):
                return []
            time.sleep(0.002)
        raise AssertionError(f"nothing goes on: {self.daemon.tasks()} {self.daemon.workers()}")

    def over(self, tasks):
        return len(self.answers) == self.jobs and not any(
            count for state, count in tasks.items() if state not in invariants.SETTLED)

    # ---- killing -----------------------------------------------------------------

    def kill_worker(self, pid):
        """A pid that the daemon has just told of as a living worker of its own."""
        try:
            if os.readlink(f"/proc/{pid}/exe").startswith(f"{self.daemon.programs}/"):
                os.kill(pid, signal.SIGKILL)
                self.killed["worker"] += 1
                self.slots += CREDIT
        except OSError:
            pass  # gone by itself

    def kill_daemon(self, what):
        self.daemon.kill()
        self.killed[what] += 1
        self.slots += WORKERS * CREDIT
        self.daemon_kills += 1
        if self.daemon_kills % LOOKS == 0:
            self.look()

    def look(self):
        self.looks += 1
        self.wrong += invariants.read(self.daemon.state, lambda db: invariants.sound(db) +
                                      invariants.acknowledged(db, self.answers))

    def start(self):
        self.daemon.start("--device", "cpu", "--workers", str(WORKERS), "--threads", "1", "-q")

    def start_again(self):
        while self.count() < self.kills_wanted and self.random.random() < 0.25:
            self.start()
            time.sleep(self.random.random() * 0.1)  # wherever it is by then
            self.kill_daemon("starting daemon")
        self.start()
        self.be_ready()

    def be_ready(self):
        if not self.daemon.ready():
            raise AssertionError(f"depthqd ended with {self.daemon.process.returncode}: {self.daemon.log()[-800:]}")

    def count(self):
        return sum(self.killed.values())

    def cut_submit(self):
        """Kill the daemon while it takes a job. What it has answered by then holds; else the job is sent again."""
        key = self.next_key()
        body = json.dumps(self.request(key)).encode()
        with socket.socket(socket.AF_UNIX) as client:
            client.connect(str(self.daemon.socket))
            client.sendall(b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
            time.sleep(self.random.random() * 0.01)
            self.kill_daemon("daemon at a submit")
            answer = b""
            try:
                while piece := client.recv(65536):
                    answer += piece
            except ConnectionError:
                pass
        if found := re.search(rb'"job": ?(\d+)', answer):
            self.answers[key] = int(found[1])
            self.look()

    def next_key(self):
        return f"job-{len(self.answers):03}"

    def strike(self, busy):
        what = self.random.choice(("worker", "worker", "worker", "daemon", "both", "submit"))
        if what == "submit" and len(self.answers) < self.jobs:
            self.cut_submit()
            self.start_again()
            return None
        victim = self.random.choice(busy) if busy and what != "daemon" else None
        time.sleep(self.random.random() * 0.005)  # anywhere within a frame
        if victim:
            self.kill_worker(victim)
        if not victim or what == "both":
            self.kill_daemon("daemon")
            self.start_again()
            victim = None
        return victim

    def rounds(self):
        victim, most = None, max(2, 3 * self.frames // (2 * self.kills_wanted))
        while self.count() < self.kills_wanted:
            try:
                victim = self.strike(self.progress(self.random.randint(1, most), victim))
            except Gone:
                self.be_ready()
        while self.progress(1, None):
            pass

    # ---- judging -----------------------------------------------------------------

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.daemon.process.pid}/fd"))

    def quiet(self):
        return all(w["state"] == "idle" for w in self.daemon.workers())

    def judge_process(self):
        """I7 of the living daemon, then of the dead: no zombie, no descriptor too many, no worker left."""
        until(self.quiet, lambda: f"workers do not come to rest: {self.daemon.workers()}")
        children = Path(f"/proc/{self.daemon.process.pid}/task/{self.daemon.process.pid}/children").read_text().split()
        self.wrong += [f"I7: {pid} is a zombie" for pid in children if state_of(pid) == "Z"]
        self.pids |= {int(pid) for pid in children}
        if len(children) != WORKERS:
            self.wrong.append(f"I7: {WORKERS} workers, children {children}")
        used = self.descriptors()
        if (status := self.daemon.stop()) != 0:
            self.wrong.append(f"its last end: status {status}")
        self.wrong += [f"I7: worker {pid} is alive" for pid in set(self.daemon.own_processes()) |
                       {p for p in self.pids if alive(p) and self.is_ours(p)}]
        self.start()
        self.be_ready()
        until(self.quiet)
        try:  # the connection that asked may not be closed yet
            until(lambda: self.descriptors() == used)
        except AssertionError:
            self.wrong.append(f"I7: {used} descriptors at the end, {self.descriptors()} at a start")
        self.daemon.stop()

    def is_ours(self, pid):
        try:
            return os.readlink(f"/proc/{pid}/exe").startswith(f"{self.daemon.programs}/")
        except OSError:
            return False

    def judge_records(self, expected):
        paths = {self.output(key, frame): digest for key in self.answers
                 for frame, digest in expected[self.is_steady(key)].items()}

        def look(db):
            self.redone = invariants.redone(db)
            self.found = invariants.rows(db, "SELECT coalesce(sum(skipped), 0) FROM job")[0][0]
            processes = [f"I7: process {row} is remembered" for row in invariants.rows(db, "SELECT * FROM process")]
            return (invariants.sound(db) + invariants.acknowledged(db, self.answers) + invariants.settled_once(db) +
                    invariants.told(db) + invariants.files(db, paths) + processes)

        self.wrong += invariants.read(self.daemon.state, look) + invariants.left_behind(self.folder)
        if len(self.answers) != self.jobs:
            self.wrong.append(f"{len(self.answers)} of {self.jobs} jobs were taken")
        if self.redone > self.slots:
            self.wrong.append(f"{self.redone} attempts were lost by kills of workers with {self.slots} frames at most")

    def run(self, build):
        self.make_plates(build)
        expected = self.make_expected(build)
        try:
            self.start()
            self.be_ready()
            self.rounds()
            self.judge_process()
        finally:
            self.daemon.close()
        self.judge_records(expected)


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--frames", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 32))
    parser.add_argument("--work", help="an empty folder, kept; otherwise a temporary one")
    return parser.parse_args(words)


def main(words):
    options, begun = parse(words), time.monotonic()
    print(f"seed {options.seed}: {options.kills} kills over {options.frames} frames", flush=True)
    with tempfile.TemporaryDirectory(prefix="dq-torture-") as folder:
        torture = Torture(options.build, options.work or folder, options.kills, options.frames, options.seed)
        torture.run(options.build)
        told = ", ".join(f"{count} of {what}" for what, count in sorted(torture.killed.items()))
        print(f"{torture.count()} kills: {told}; {torture.jobs} jobs, {torture.frames} frames, {torture.redone} attempts "
              f"lost (at most {torture.slots}), {torture.found} files found done; database looked at {torture.looks + 1} "
              f"times; slowest answer {1e3 * torture.slowest:.0f} ms; {time.monotonic() - begun:.0f} s")
    for text in torture.wrong[:20]:
        print(f"WRONG {text}")
    if torture.wrong:
        print(f"{len(torture.wrong)} promises broken: seed {options.seed}")
    return 1 if torture.wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
