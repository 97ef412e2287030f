"""What breaks around the daemon: its disk, its database, its descriptors, its
workers, its clients. Nothing acknowledged is lost, nothing is told that is not
so, and what a person has to do is said.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import contextlib
import json
import os
import re
import resource
import select
import shutil
import signal
import socket
import sqlite3
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
from daemon import Daemon, Gone, alive, request_of, until  # noqa: E402

NOBODY = 65534


class FaultTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-fault-"))
        self.daemon = Daemon(BUILD, self.folder / "farm", "tools/fake_worker")
        self.database = self.daemon.state / "queue.db"

    def tearDown(self):
        self.daemon.close()
        shutil.rmtree(self.folder)

    def submit(self, key, frames="1-5", **members):
        status, answer = self.daemon.ask("POST", "/v1/jobs", request_of(key, frames, more="stabilize: off\nretries: 20\n",
                                                                    **members))
        self.assertIn(status, (200, 201), answer)
        return answer["job"]

    def refused(self, status, *words, **start):
        """A start that must fail, and say why."""
        before = len(self.daemon.log()) if (self.daemon.folder / "log").exists() else 0
        self.daemon.start("-q", **start)
        self.assertFalse(self.daemon.ready())
        self.assertEqual(self.daemon.ended(), status, self.daemon.log()[before:])
        for word in words:
            self.assertIn(word, self.daemon.log()[before:])

    def check(self, answers):
        """The state of a daemon that is not running, after all that it was given was done."""
        def look(db):
            return (invariants.sound(db) + invariants.acknowledged(db, answers) + invariants.settled_once(db) +
                    invariants.told(db))
        self.assertEqual(invariants.read(self.daemon.state, look), [])

    def queue_of_one(self, frames="1-5"):
        """One job, held, in a database that is at rest."""
        self.daemon.run("-q")
        job = self.submit("one", frames, hold=True)
        self.assertEqual(self.daemon.stop(), 0)
        return job

    def starts_with(self, job):
        """It starts, and the held job is there and can be done."""
        self.daemon.run("-q")
        self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{job}/resume")[0], 200)
        self.daemon.wait(job, "done")
        self.assertEqual(self.daemon.stop(), 0)
        self.check({"one": job})


class Disk(FaultTest):
    def test_a_full_disk_ends_the_daemon_with_its_cause_and_loses_nothing(self):
        full = self.folder / "full"
        preload = {"LD_PRELOAD": str(BUILD / "tools/full_disk.so"), "FULL_DISK": str(full)}
        self.daemon.run("-q", **preload)
        job = self.submit("one", "1-2000", hold=True)
        full.touch()
        with self.assertRaises(Gone):  # no answer is better than a false one
            self.submit("two", "1-2000")
        self.assertEqual(self.daemon.ended(), 75)
        self.assertIn("the database cannot be written", self.daemon.log())
        self.refused(75, "full", **preload)
        full.unlink()
        self.daemon.run("-q", **preload)
        self.assertEqual([j["id"] for j in self.daemon.get("/v1/jobs")["jobs"]], [job])
        self.assertEqual(self.submit("two", "1-5"), job + 1)
        self.daemon.wait(job + 1, "done")
        self.daemon.stop()
        self.starts_with(job)

    def test_a_disk_that_fills_up_at_work_loses_no_frame(self):
        full = self.folder / "full"
        preload = {"LD_PRELOAD": str(BUILD / "tools/full_disk.so"), "FULL_DISK": str(full)}
        self.daemon.run("-q", **preload, FAKE_WORKER="*=slow:50")
        job = self.submit("one", "1-3000")  # more than it can make before the disk is full
        until(lambda: self.daemon.tasks()["done"] > 5)
        full.touch()
        self.assertEqual(self.daemon.ended(), 75)
        full.unlink()
        self.daemon.run("-q", **preload)
        self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check({"one": job})

    @contextlib.contextmanager
    def small_disk(self, megabytes):
        """The state folder on a file system of its own."""
        self.daemon.state.mkdir(mode=0o700)
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0700", "none", self.daemon.state]
        if os.getuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
            self.skipTest("may not mount")
        try:
            yield
        finally:
            self.daemon.close()
            subprocess.run(["umount", self.daemon.state], check=True)

    def fill(self, but):
        """All of the state's disk but so many bytes."""
        fs = os.statvfs(self.daemon.state)
        filler = self.daemon.state / "filler"
        filler.write_bytes(b"\0" * (fs.f_bavail * fs.f_frsize - but))
        return filler

    def test_on_a_disk_that_is_nearly_full_people_are_obeyed_and_work_goes_on_by_itself_later(self):
        with self.small_disk(64):
            self.daemon.run("-q", FAKE_WORKER="*=slow:50")
            ballast = self.daemon.state / "ballast"
            until(ballast.exists)
            going, unwanted = self.submit("going", "1-400"), self.submit("unwanted", "1-400", hold=True)
            until(lambda: self.daemon.tasks()["done"] > 5)
            filler = self.fill(2 << 20)
            until(lambda: self.daemon.get("/healthz")["status"] == "full")
            self.assertFalse(ballast.exists())
            status, answer = self.daemon.ask("POST", "/v1/jobs", request_of("new", "1-5"))
            self.assertEqual((status, answer["error"]["code"]), (507, "FULL"))
            until(lambda: self.daemon.tasks()["running"] == 0)  # what was in hand is settled
            done = self.daemon.tasks()["done"]
            self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{unwanted}/cancel")[0], 200)
            self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{going}/pause")[0], 200)
            self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{going}/resume")[0], 200)
            self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{unwanted}/retry")[0], 507)
            self.assertEqual(self.daemon.get(f"/v1/jobs/{going}")["counts"]["failed"], 0)
            self.assertEqual(self.daemon.tasks()["done"], done)
            filler.unlink()
            self.daemon.wait(going, "done")
            self.assertEqual(self.daemon.get(f"/v1/jobs/{unwanted}")["state"], "canceled")
            until(ballast.exists)
            self.assertEqual(self.daemon.get("/healthz")["status"], "ok")
            later = self.submit("new")
            self.daemon.wait(later, "done")
            self.assertEqual(self.daemon.stop(), 0)
            answers = {"going": going, "unwanted": unwanted, "new": later}
            self.assertEqual(invariants.read(self.daemon.state, lambda db: invariants.sound(db) +
                                             invariants.acknowledged(db, answers) + invariants.told(db)), [])

    def test_a_daemon_starts_on_a_full_disk_by_its_ballast_and_says_so(self):
        with self.small_disk(64):
            job = self.queue_of_one()
            filler = self.fill(0)
            self.daemon.run("-q")
            self.assertEqual(self.daemon.get("/healthz")["status"], "full")
            self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{job}/cancel")[0], 200)
            filler.unlink()
            until(lambda: self.daemon.get("/healthz")["status"] == "ok")
            self.assertEqual(self.daemon.stop(), 0)

    def test_a_limit_of_file_sizes_is_told_and_is_no_signal(self):
        job = self.queue_of_one()
        size = max(f.stat().st_size for f in self.daemon.state.glob("queue.db*"))
        self.daemon.run("-q", limits=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size + 65536, size + 65536)))
        with self.assertRaises(Gone):
            self.submit("large", "1-20000")
        self.assertEqual(self.daemon.ended(), 74)
        self.assertIn("the database cannot be written", self.daemon.log())
        self.starts_with(job)

    def test_a_database_that_may_not_be_written_is_refused_by_name(self):
        job = self.queue_of_one()
        for path in (self.folder, self.daemon.folder, self.daemon.state):
            path.chmod(0o777)
        (self.daemon.state / "lock").chmod(0o666)
        self.database.chmod(0o444)
        before = invariants.digest(self.database)

        def become_nobody():
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)

        self.refused(77, str(self.database), limits=become_nobody)
        self.assertEqual(invariants.digest(self.database), before)
        self.database.chmod(0o600)
        self.daemon.state.chmod(0o700)
        self.starts_with(job)


class Database(FaultTest):
    def test_one_that_another_process_holds_is_waited_for_by_starting_again(self):
        job = self.queue_of_one()
        other = sqlite3.connect(self.database, isolation_level=None)
        other.execute("BEGIN EXCLUSIVE")
        self.refused(75, "queue.db", "locked")
        other.execute("ROLLBACK")
        other.close()
        self.starts_with(job)

    def test_while_the_daemon_has_it_nobody_else_gets_in(self):
        self.daemon.run("-q")
        other = sqlite3.connect(self.database, timeout=0)
        with self.assertRaisesRegex(sqlite3.OperationalError, "locked"):
            other.execute("SELECT count(*) FROM job").fetchall()
        other.close()
        job = self.submit("one")
        self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check({"one": job})

    def test_a_second_daemon_leaves_the_first_alone(self):
        self.daemon.run("-q")
        first = self.daemon.process
        self.daemon.start("-q", "--socket", str(self.folder / "second"))
        self.assertEqual(self.daemon.ended(), 75)
        self.assertIn(f"another depthqd works in {self.daemon.state}", self.daemon.log())
        self.daemon.process = first
        job = self.submit("one")
        self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check({"one": job})

    def damaged(self, damage):
        """A queue with a backup, damaged after SIGKILL; the backup makes it whole again, as the daemon says."""
        job = self.queue_of_one("1-2000")
        self.daemon.start("--backup", str(self.folder / "backup.db"))
        self.assertEqual(self.daemon.ended(), 0)
        self.daemon.run("-q")
        self.submit("two", "1-50", hold=True)
        self.daemon.kill()
        wal = Path(f"{self.database}-wal")
        self.assertGreater(wal.stat().st_size, 0)
        damage(wal)
        self.refused(74, str(self.database), "the last backup")
        self.refused(74)  # it has not made it better, nor a new one
        shutil.copy(self.folder / "backup.db", self.database)
        if wal.exists():
            self.refused(74, str(wal), "of another database")
            wal.unlink()
        self.starts_with(job)

    def test_one_that_is_overwritten_in_the_middle_is_refused_and_restored(self):
        def damage(_):
            size = self.database.stat().st_size
            with open(self.database, "r+b") as file:
                file.seek(size // 2 // 4096 * 4096)
                file.write(b"\x5a" * 8192)
        self.damaged(damage)

    def test_one_that_was_cut_is_refused_and_restored(self):
        self.damaged(lambda _: os.truncate(self.database, self.database.stat().st_size // 3))

    def test_one_that_lost_its_wal_is_refused_and_restored(self):
        self.damaged(lambda wal: wal.unlink())


class Workers(FaultTest):
    def begun(self, frame, attempt):
        """Who has begun it, from what the workers themselves write."""
        log = self.folder / "begun"
        lines = [line.split() for line in log.read_text().splitlines()] if log.exists() else []
        return next((int(pid) for pid, *what in lines if what == [str(frame), str(attempt)]), 0)

    def test_one_that_is_stopped_is_dead_before_its_frame_is_given_away(self):
        # on a busy machine others may be too slow for --stall: they try again
        self.daemon.run("-q", "--stall", "5", FAKE_LOG=str(self.folder / "begun"), FAKE_WORKER="3@1=hang credit=1")
        job = self.submit("one")
        stopped = until(lambda: self.begun(3, 1))
        os.kill(stopped, signal.SIGSTOP)
        until(lambda: self.begun(3, 2))
        self.assertFalse(alive(stopped))
        self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check({"one": job})

    def test_one_that_is_stopped_does_not_outlive_its_daemon(self):
        self.daemon.run("-q", FAKE_LOG=str(self.folder / "begun"), FAKE_WORKER="3@1=hang credit=1")
        job = self.submit("one")
        stopped = until(lambda: self.begun(3, 1))
        os.kill(stopped, signal.SIGSTOP)
        self.daemon.kill()
        self.daemon.run("-q", FAKE_LOG=str(self.folder / "begun"))
        self.assertFalse(alive(stopped))
        self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check({"one": job})


class Clients(FaultTest):
    def raw(self, key, frames="1-5"):
        body = json.dumps(request_of(key, frames, more="stabilize: off\nretries: 20\n")).encode()
        return b"POST /v1/jobs HTTP/1.1\r\nHost: d\r\nContent-Length: %d\r\n\r\n" % len(body) + body

    def connect(self):
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(str(self.daemon.socket))
        return connection

    def test_a_submit_that_is_cut_off_makes_no_job(self):
        self.daemon.run("-q")
        request = self.raw("cut")
        for length in range(0, len(request), 23):
            with self.connect() as connection:
                connection.sendall(request[:length])
        self.assertEqual(self.daemon.get("/v1/jobs")["jobs"], [])
        self.assertEqual(self.submit("cut"), 1)

    def test_a_client_that_goes_before_the_answer_and_comes_again_has_its_job_once(self):
        self.daemon.run("-q")
        for i in range(20):
            with self.connect() as connection:
                connection.sendall(self.raw(f"gone-{i}"))
        answers = {f"gone-{i}": self.submit(f"gone-{i}") for i in range(20)}
        self.assertEqual(len(set(answers.values())), 20)
        for job in answers.values():
            self.daemon.wait(job, "done")
        self.daemon.stop()
        self.check(answers)

    def test_a_client_that_only_listens_on_is_answered(self):
        self.daemon.run("-q")
        with self.connect() as connection:
            connection.settimeout(60)
            connection.sendall(self.raw("half"))
            connection.shutdown(socket.SHUT_WR)
            self.assertTrue(connection.recv(65536).startswith(b"HTTP/1.1 201"))

    def test_a_client_that_never_comes_to_an_end_is_cut_off(self):
        self.daemon.run("-q")
        with self.connect() as slow:
            slow.sendall(b"GET /healthz HTTP/1.1\r\nX: ")

            def drips():
                try:
                    return slow.send(b"x", socket.MSG_NOSIGNAL) == 1
                except OSError:
                    return False

            self.assertTrue(drips())
            until(lambda: not drips(), pause=0.2)
        self.assertEqual(self.daemon.get("/healthz")["status"], "ok")

    def test_an_answer_that_is_taken_drop_by_drop_is_cut_off(self):
        self.daemon.run("-q")
        for i in range(300):
            self.submit(f"n{i}", "1", hold=True, out="/nowhere/" + "/".join("x" * 200 for _ in range(18)))
        with self.connect() as slow:
            slow.settimeout(60)
            slow.sendall(b"GET /v1/jobs?limit=300 HTTP/1.1\r\nHost: d\r\n\r\n")
            head, taken = slow.recv(65536).split(b"\r\n\r\n")
            length, count = int(re.search(rb"content-length: (\d+)", head, re.I)[1]), len(taken)
            self.assertGreater(length, 1000000)
            hung_up = select.poll()
            hung_up.register(slow, 0)
            while not hung_up.poll(0):
                count += len(slow.recv(4096))
                time.sleep(0.5)
            while piece := slow.recv(65536):
                count += len(piece)
            self.assertLess(count, length)
        self.assertEqual(self.daemon.get("/healthz")["status"], "ok")

    def crowd(self, count, **start):
        """So many connections at once: the daemon neither ends nor spins, and goes on when they have gone."""
        self.daemon.run("-q", **start)
        job = self.submit("one", "1-5", hold=True)
        crowd = [self.connect() for _ in range(count)]
        for connection in crowd[::2]:
            with contextlib.suppress(OSError):  # it may have lost patience with this one
                connection.sendall(b"GET /healthz HTTP/1.1\r\n")
        before, begun = self.cpu(), time.monotonic()
        time.sleep(1)
        self.assertLess((self.cpu() - before) / (time.monotonic() - begun), 0.5)  # one that spins takes all it gets
        self.assertIsNone(self.daemon.process.poll())
        for connection in crowd:
            connection.close()
        self.assertEqual(self.daemon.ask("POST", f"/v1/jobs/{job}/resume")[0], 200)
        self.daemon.wait(job, "done")
        self.assertEqual(self.daemon.stop(), 0)
        self.check({"one": job})

    def test_when_descriptors_run_out_the_daemon_waits_and_goes_on(self):
        self.crowd(200, limits=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (48, 48)))

    def test_when_more_connect_than_it_takes_the_others_wait(self):
        most = resource.getrlimit(resource.RLIMIT_NOFILE)
        if most[1] != resource.RLIM_INFINITY and most[1] < 1600:
            self.skipTest(f"no more than {most[1]} descriptors here")
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096 if most[1] == resource.RLIM_INFINITY else min(4096, most[1]), most[1]))
        self.addCleanup(resource.setrlimit, resource.RLIMIT_NOFILE, most)
        self.crowd(1500)

    def cpu(self):
        fields = Path(f"/proc/{self.daemon.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Clock(FaultTest):
    def test_what_is_old_by_a_clock_that_is_years_ahead_is_kept_until_it_is_believed(self):
        self.daemon.run("-q")
        job = self.submit("old")
        self.daemon.wait(job, "done")
        self.daemon.stop()
        config = self.folder / "depthqd.yaml"
        config.write_text("keep-days: 30\n")

        def as_if(seen):
            """It is years later, and that time was seen last."""
            with contextlib.closing(sqlite3.connect(self.database)) as db, db:
                db.execute("UPDATE job SET finished = '2020-01-01T00:00:00.000Z'")
                db.execute("UPDATE clock SET seen_ms = ?", (1000 * int(seen),))
        as_if(1577836800)  # 2020-01-01
        self.daemon.run("-q", "--config", config)
        until(lambda: "the clock is far ahead of what it was" in self.daemon.log())
        self.assertEqual(self.daemon.get(f"/v1/jobs/{job}")["state"], "done")
        self.daemon.stop()
        as_if(time.time())
        self.daemon.run("-q", "--config", config)
        until(lambda: self.daemon.ask("GET", f"/v1/jobs/{job}")[0] == 404)


if __name__ == "__main__":
    unittest.main()
