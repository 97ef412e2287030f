"""Events as they happen (GET /v1/events): whoever listens hears each one once,
in order, and goes on after whatever was lost.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import json
import os
import select
import shutil
import socket
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/fault"))

from daemon import PATIENCE, Daemon, request_of, until  # noqa: E402


class Listener:
    """A reader of server-sent events, no cleverer than the format (HTML Living Standard, 9.2)."""

    def __init__(self, path, query="", last=None):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(PATIENCE)
        self.socket.connect(str(path))
        head = f"GET /v1/events{query} HTTP/1.1\r\nHost: depthqd\r\n"
        self.socket.sendall((head + (f"Last-Event-ID: {last}\r\n" if last is not None else "") + "\r\n").encode())
        self.file = self.socket.makefile("rb")
        self.status = int(self.file.readline().split()[1])
        self.headers = {}
        while (line := self.file.readline().strip()):
            name, value = line.decode().split(": ", 1)
            self.headers[name.lower()] = value
        self.text, self.last = b"", last

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.file.close()
        self.socket.close()

    def event(self):
        """The next one as (type, id, data); comments are passed over. None: the daemon has ended it."""
        kind, data = "message", []
        while True:
            while b"\n" not in self.text:
                size = self.file.readline()
                chunk = self.file.read(int(size, 16)) if size.strip() else b""
                if not chunk:
                    return None
                self.file.readline()
                self.text += chunk
            line, self.text = self.text.split(b"\n", 1)
            field, _, value = line.decode().partition(": ")
            if field == "id":
                self.last = int(value)
            elif field == "event":
                kind = value
            elif field == "data":
                data.append(value)
            elif not line and data:
                return kind, self.last, json.loads("\n".join(data))

    def until(self, what):
        """All messages up to the one that is what."""
        heard = []
        while True:
            kind, _, data = self.event()
            if kind == "message":
                heard.append(data)
                if what(data):
                    return heard


class EventsTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-events-"))
        self.daemon = Daemon(BUILD, self.folder / "farm", "tools/fake_worker")
        self.daemon.run("-q")

    def tearDown(self):
        self.daemon.close()
        shutil.rmtree(self.folder)

    def submit(self, key, frames="1-5", **members):
        status, answer = self.daemon.ask("POST", "/v1/jobs", request_of(key, frames, **members))
        self.assertEqual(status, 201, answer)
        return answer["job"]

    def listen(self, *args, **more):
        listener = Listener(self.daemon.socket, *args, **more)
        self.addCleanup(listener.close)
        return listener

    def history(self, job):
        events, after = [], 0
        while after is not None:
            page = self.daemon.get(f"/v1/jobs/{job}/events?limit=1000&after={after}")
            events, after = events + page["events"], page["next"]
        return events

    def test_a_listener_hears_each_event_once_as_the_history_has_it(self):
        self.submit("before", hold=True)
        all_jobs = self.listen()
        self.assertEqual((all_jobs.status, all_jobs.headers["content-type"]), (200, "text/event-stream"))
        kind, last, data = all_jobs.event()
        self.assertEqual((kind, data), ("open", {"after": last}))
        first, second = self.submit("one"), self.submit("two")
        of_second = self.listen(f"?job={second}&after=0")
        self.daemon.wait(first, "done")
        self.daemon.wait(second, "done")
        self.submit("end", hold=True)
        heard = all_jobs.until(lambda e: e["verb"] == "submit" and e["text"] == "end")
        self.assertEqual([e["id"] for e in heard], list(range(last + 1, heard[-1]["id"] + 1)))
        for job in (first, second):
            self.assertEqual([e for e in heard if e["job"] == job], self.history(job))
        wanted = self.history(second)
        self.assertEqual(of_second.until(lambda e: e["id"] == wanted[-1]["id"]), wanted)

    def test_who_comes_again_goes_on_where_the_connection_was_lost_even_by_a_kill(self):
        job = self.submit("one", "1-400")
        heard, last, kills, frames = [], 0, 0, 0
        while frames < 400:
            listener = self.listen(last=last)
            self.assertEqual(listener.event()[0], "open")
            for _ in range(150):
                _, last, event = listener.event()
                heard.append(event)
                frames += event["verb"] == "finish" and event["kind"] == "render"
                if frames == 400:
                    break
            listener.close()
            if kills < 2:
                self.daemon.kill()
                self.daemon.run("-q")
                kills += 1
        self.assertEqual([e["id"] for e in heard], list(range(1, heard[-1]["id"] + 1)))
        self.assertEqual(heard, self.history(job))

    def test_many_listen_to_the_same(self):
        listeners = [self.listen() for _ in range(40)]
        job = self.submit("one", "1-20")
        self.daemon.wait(job, "done")
        wanted = self.history(job)
        for listener in listeners:
            self.assertEqual(listener.until(lambda e: e["id"] == wanted[-1]["id"]), wanted)

    def test_one_user_does_not_take_all_places(self):
        listeners = [self.listen() for _ in range(50)]
        self.assertEqual({listener.status for listener in listeners}, {200})
        status, answer = self.daemon.ask("GET", "/v1/events")
        self.assertEqual((status, answer["error"]["code"]), (429, "LIMIT"))
        listeners[7].close()

        def another():
            with Listener(self.daemon.socket) as one:
                return one.status == 200
        until(another)

    def test_one_that_takes_nothing_is_cut_off_and_hears_the_rest_when_it_comes_again(self):
        deaf = socket.socket(socket.AF_UNIX)
        self.addCleanup(deaf.close)
        deaf.connect(str(self.daemon.socket))
        deaf.sendall(b"GET /v1/events?after=0 HTTP/1.1\r\nHost: d\r\n\r\n")
        job = self.submit("one", "1-2000")  # more than a socket holds
        hung_up = select.poll()
        hung_up.register(deaf, 0)
        until(lambda: hung_up.poll(0))
        self.daemon.wait(job, "done")
        wanted = self.history(job)
        self.assertEqual(self.listen(last=0).until(lambda e: e["id"] == wanted[-1]["id"]), wanted)

    def test_the_daemon_stops_while_some_listen(self):
        listener = self.listen()
        self.assertEqual(listener.event()[0], "open")
        self.assertEqual(self.daemon.stop(), 0)
        self.assertIsNone(listener.event())

    def test_bad_wishes_are_told(self):
        for query, last in (("?job=x", None), ("?job=0", None), ("?after=-1", None), ("", "seven"), ("", "-1")):
            with self.subTest(query + str(last)), Listener(self.daemon.socket, query, last) as listener:
                self.assertEqual(listener.status, 400)


if __name__ == "__main__":
    unittest.main()
