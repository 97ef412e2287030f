"""depthq's verbs of the queue where a terminal or a bad line is needed: the
daemon's answers get lost on the way, people look at a terminal.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import os
import pty
import re
import select
import signal
import socket
import subprocess
import threading
import time
import unittest

import queue_api_test as api

SHOT = "depthq: 1\nplate: p/a.####.exr\nmodel: net\noutput:\n  path: {}/a.####.exr\n"


def receive_request(client):
    """Its head and its body; None when the connection ends."""
    request = b""
    while b"\r\n\r\n" not in request:
        if not (piece := client.recv(65536)):
            return None
        request += piece
    head, body = request.split(b"\r\n\r\n", 1)
    length = re.search(rb"content-length: (\d+)", head, re.I)
    while length and len(body) < int(length[1]):
        body += client.recv(65536)
    return head, body


def pass_on(daemon, head, body):
    head = head.replace(b"\r\n", b"\r\nConnection: close\r\n", 1)
    with socket.socket(socket.AF_UNIX) as there:
        there.connect(daemon)
        there.sendall(head + b"\r\n\r\n" + body)
        answer = b""
        while piece := there.recv(65536):
            answer += piece
    return answer


class Proxy(threading.Thread):
    """Between client and daemon, at a socket of its own: whoever comes is attended to."""

    def __init__(self, path, daemon):
        super().__init__(daemon=True)
        self.target, self.asked = str(daemon), []
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(str(path))
        self.server.listen(8)
        self.start()

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            self.attend(client)


class LossyProxy(Proxy):
    """What is asked gets through, but for live events, as with a daemon that
    has none; of the answers to what has `of` in its head the first `lose` are
    read and thrown away, the others are `change`d. asked: the bodies of what
    had it."""

    def __init__(self, path, daemon, lose, change=lambda answer: answer, of=b"POST "):
        self.lose, self.change, self.of = lose, change, of
        super().__init__(path, daemon)

    def attend(self, client):
        with client:
            self.serve(client)

    def serve(self, client):
        head, body = receive_request(client)
        if head.startswith(b"GET /v1/events"):
            client.sendall(b'HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n{"error": {}}')
            return
        answer = pass_on(self.target, head, body)
        if self.of in head:
            self.asked.append(body)
            if len(self.asked) <= self.lose:
                return
        client.sendall(self.change(answer))


class DyingProxy(threading.Thread):
    """Between client and daemon: keeps its connections, as the daemon does.
    The `deadly`th POST gets through and is the last: the proxy is gone before
    its answer, and comes back after a while if it `returns`."""

    def __init__(self, path, daemon, deadly, returns):
        super().__init__(daemon=True)
        self.path, self.target = str(path), str(daemon)
        self.deadly, self.returns, self.posts = deadly, returns, []
        self.listen()
        self.start()

    def listen(self):
        self.server = socket.socket(socket.AF_UNIX)
        self.server.bind(self.path)
        self.server.listen(8)

    def run(self):
        while True:
            try:
                client, _ = self.server.accept()
            except OSError:
                return
            alive = True
            while alive:
                alive = self.serve(client)
            client.close()
            if self.server.fileno() < 0:
                if not self.returns:
                    return
                time.sleep(1)
                os.unlink(self.path)
                self.listen()

    def serve(self, client):
        request = receive_request(client)
        if not request:
            return False
        answer = pass_on(self.target, *request)
        if request[0].startswith(b"POST"):
            self.posts.append(request[1])
            if len(self.posts) == self.deadly:
                self.server.close()
                return False
        client.sendall(re.sub(rb"(?i)\r\nconnection: close", b"", answer, count=1))
        return True


class CountingProxy(Proxy):
    """Passes on all that there is, as it comes, and counts what is asked for."""

    def attend(self, client):
        threading.Thread(target=self.serve, args=(client,), daemon=True).start()

    def serve(self, client):
        with client, socket.socket(socket.AF_UNIX) as there:
            there.connect(self.target)
            head, body = receive_request(client)
            self.asked.append(head.split(b" ")[1].decode())
            there.sendall(head + b"\r\n\r\n" + body)
            while True:
                ready = select.select([client, there], [], [])[0]
                if client in ready or not (piece := there.recv(65536)):
                    return  # it asks once a connection: it has hung up
                client.sendall(piece)

    def count(self, path):
        return self.asked.count(path)


class ClientTest(api.ApiTest):
    """With ApiTest's daemon; its own tests are run there."""

    def setUp(self):
        super().setUp()
        for name in ("depthq", "depthq-client"):
            source = api.BUILD / ("bin" if name == "depthq" else "libexec/depthq") / name
            (self.folder / "bin" / name).write_bytes(source.read_bytes())
            (self.folder / "bin" / name).chmod(0o755)
        (self.folder / "p").mkdir()
        for frame in range(1, 6):
            (self.folder / f"p/a.{frame:04d}.exr").write_text("plate")

    def shot(self, name):
        path = self.folder / f"{name}.yaml"
        path.write_text(SHOT.format(name))
        return path

    def depthq(self, *words, via=None, **more):
        env = {**os.environ, "DEPTHQ_SOCKET": str(via or self.socket), "TERM": "xterm", "NO_COLOR": "1"}
        return subprocess.run([self.folder / "bin/depthq", *map(str, words)], env=env, text=True,
                              capture_output=True, timeout=120, **more)

    def on_terminal(self, *words, until=None):
        """What it draws; it is killed once `until` is among it."""
        env = {**os.environ, "DEPTHQ_SOCKET": str(self.socket), "TERM": "xterm", "NO_COLOR": "1"}
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(self.folder / "bin/depthq", ["depthq", *map(str, words)], env)
        seen, end = "", time.monotonic() + 120
        while time.monotonic() < end:
            try:
                if select.select([fd], [], [], 1)[0]:
                    seen += os.read(fd, 65536).decode()
            except OSError:
                break
            if until and until in seen:
                os.kill(pid, signal.SIGTERM)  # SIGINT may be ignored by whoever started the tests
                break
        os.close(fd)
        return seen, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    # ---- tests -----------------------------------------------------------------

    def test_an_answer_that_is_lost_makes_no_second_job(self):
        proxy = LossyProxy(self.folder / "lossy", self.socket, lose=3)
        done = self.depthq("submit", "--hold", self.shot("one"), via=self.folder / "lossy")
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"), done.stderr)
        self.assertIn("(it was here already)", done.stderr)
        self.assertEqual(len(proxy.asked), 4)
        self.assertEqual(len(set(proxy.asked)), 1)
        self.assertEqual([j["id"] for j in self.get("/v1/jobs")["jobs"]], [1])
        proxy.server.close()

    def test_an_answer_that_dies_with_a_kept_connection_makes_no_second_job(self):
        proxy = DyingProxy(self.folder / "dying", self.socket, deadly=2, returns=True)
        done = self.depthq("submit", "--hold", self.shot("one"), self.shot("two"), via=self.folder / "dying")
        self.assertEqual((done.returncode, done.stdout), (0, "1\n2\n"), done.stderr)
        self.assertIn("(it was here already)", done.stderr)
        self.assertEqual(proxy.posts[1], proxy.posts[2])
        self.assertEqual([j["id"] for j in self.get("/v1/jobs")["jobs"]], [2, 1])
        proxy.server.close()

    def test_who_stays_in_doubt_is_told_how_to_send_it_again(self):
        DyingProxy(self.folder / "dying", self.socket, deadly=1, returns=False)
        done = self.depthq("submit", "--hold", self.shot("one"), via=self.folder / "dying")
        self.assertEqual((done.returncode, done.stdout), (69, ""), done.stderr)
        said = re.search(r"the job may be in the queue; submit it again with --key (\w+): ", done.stderr)
        self.assertTrue(said, done.stderr)
        done = self.depthq("submit", "--hold", "--key", said[1], self.shot("one"))
        self.assertEqual((done.returncode, done.stdout), (0, "1\n"), done.stderr)
        self.assertIn("(it was here already)", done.stderr)

    def test_what_is_no_resend_is_not_taken_for_one(self):
        for i in (1, 2):
            self.assertEqual(self.depthq("submit", "--hold", self.shot(f"s{i}")).stdout, f"{i}\n")

    def test_a_person_sees_a_bar_and_then_one_line(self):
        job = self.depthq("submit", self.shot("one")).stdout.strip()
        seen, status = self.on_terminal("watch", job)
        self.assertEqual(status, 0)
        self.assertTrue(seen.endswith(f"one: job 1 done: done 5, to {self.folder}/one/a.####.exr\r\n"), seen)
        self.stop()
        self.start("3=hang")
        self.depthq("submit", self.shot("two"))
        seen, _ = self.on_terminal("watch", "two", until="2/5")
        self.assertIn("two [", seen)

    def is_still(self, job):
        """Whether a frame runs and nothing else has happened to the job for a second."""
        before = self.depthq("logs", job).stdout
        time.sleep(1)
        return "running" in self.depthq("status", job).stdout and before == self.depthq("logs", job).stdout

    def test_who_watches_asks_when_something_happens_and_not_meanwhile(self):
        self.stop()
        self.start("3=hang", options=("--stall", "3600"))
        self.depthq("submit", self.shot("one"))
        self.until(lambda: self.is_still("1"))
        proxy = CountingProxy(self.folder / "counting", self.socket)
        env = {**os.environ, "DEPTHQ_SOCKET": str(self.folder / "counting")}
        for words in (("watch", "1"), ("logs", "1", "-f")):
            begun = len(proxy.asked)
            watcher = subprocess.Popen([self.folder / "bin/depthq", *words], env=env, stdout=subprocess.DEVNULL,
                                       stderr=subprocess.DEVNULL)
            self.until(lambda: "/v1/events?job=1" in proxy.asked[begun:] and proxy.asked[begun:].count("/v1/jobs/1") > 1)
            before = proxy.count("/v1/jobs/1")
            time.sleep(3)  # a poll each 0.2 s or 0.3 s would be seen, one in 10 s is none
            self.assertLess(proxy.count("/v1/jobs/1") - before, 6)
            self.depthq("priority", "60", "1")
            self.until(lambda: proxy.count("/v1/jobs/1") > before)
            watcher.kill()
            watcher.wait()
        proxy.server.close()

    def test_an_answer_that_is_lost_at_the_end_does_not_change_the_exit_status(self):
        self.stop()
        self.start("*=fail:PLATE")
        self.depthq("submit", self.shot("one"))
        proxy = LossyProxy(self.folder / "lossy", self.socket, lose=2, of=b"state=failed")
        done = self.depthq("watch", 1, via=self.folder / "lossy")
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertEqual(len(proxy.asked), 3)
        proxy.server.close()

    def test_tasks_of_a_kind_that_a_newer_daemon_has_are_passed_over(self):
        proxy = LossyProxy(self.folder / "newer", self.socket, lose=0,
                           change=lambda answer: answer.replace(b'"kind":"render"', b'"kind":"dreams"'))
        self.depthq("submit", self.shot("one"))
        self.depthq("watch", 1)
        done = self.depthq("submit", self.shot("two"), "--watch", via=self.folder / "newer")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertNotIn("frame=", done.stderr)
        proxy.server.close()

    def test_the_live_table_is_drawn_in_place(self):
        self.depthq("submit", "--hold", self.shot("one"))
        self.depthq("submit", "--hold", self.shot("two"))
        seen, _ = self.on_terminal("status", "--watch", until="\x1b[J")
        self.assertTrue(seen.startswith("\x1b[HJOB  NAME"), seen)
        self.assertIn("  2  two", seen)


for name in [n for n in dir(api.ApiTest) if n.startswith("test_")]:
    setattr(ClientTest, name, None)
del name

if __name__ == "__main__":
    unittest.main()
