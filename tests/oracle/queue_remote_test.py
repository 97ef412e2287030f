"""The daemon over TCP (loopback only): off unless it is configured, and then
nobody without a token, nor by a name that is not ours, gets a word or changes
anything.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/fault"))

import queue_api_test as api  # noqa: E402
from daemon import PATIENCE, Daemon, request_of  # noqa: E402

ARTIST, ADMIN, WRONG = "a" * 40, "b" * 64, "c" * 40


class RemoteTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-remote-"))
        self.daemon = Daemon(BUILD, self.folder / "farm", "tools/fake_worker")
        self.config, self.tokens = self.folder / "depthqd.yaml", self.folder / "tokens"
        self.write_tokens(f"# made for this test\n61001 artist {ARTIST}\nroot admin {ADMIN}\n")

    def tearDown(self):
        self.daemon.close()
        shutil.rmtree(self.folder)

    def write_tokens(self, text, mode=0o600):
        self.tokens.write_text(text)
        self.tokens.chmod(mode)

    def run_daemon(self, more=""):
        """Listening on a free port of loopback. Another program may take it before we do: then another."""
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                self.port = probe.getsockname()[1]
            self.config.write_text(f"listen: 127.0.0.1:{self.port}\ntokens: {self.tokens}\nroots: /nowhere\n{more}")
            self.daemon.start("-q", "--config", str(self.config))
            if self.daemon.ready():
                return
            self.assertEqual(self.daemon.ended(), 75, self.daemon.log())

    def ask(self, method, path, token=None, body=None, host=None, **headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {k.replace("_", "-"): v for k, v in headers.items()}
        if token:
            headers["Authorization"] = f"Bearer {token}"
        connection.putrequest(method, path, skip_host=True)
        if host != "":
            connection.putheader("Host", host or f"127.0.0.1:{self.port}")
        text = None if body is None else json.dumps(body).encode()
        for key, value in headers.items():
            connection.putheader(key, value)
        if text is not None:
            connection.putheader("Content-Length", str(len(text)))
        connection.endheaders(text)
        answer = connection.getresponse()
        told = answer.read().decode()
        kind = answer.getheader("Content-Type", "")
        self.headers = {k.lower(): v for k, v in answer.getheaders()}
        connection.close()
        return answer.status, json.loads(told) if kind.startswith("application/json") else told

    def test_nobody_listens_unless_it_is_wished(self):
        self.daemon.run("-q")
        inodes = {os.readlink(f"/proc/{self.daemon.process.pid}/fd/{fd}") for fd in
                  os.listdir(f"/proc/{self.daemon.process.pid}/fd")}
        for table in ("tcp", "tcp6"):
            if Path(f"/proc/net/{table}").exists():
                lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
                self.assertFalse({f"socket:[{line.split()[9]}]" for line in lines} & inodes)

    def test_without_a_token_nothing_is_told_or_changed(self):
        self.run_daemon()
        job = self.daemon.ask("POST", "/v1/jobs", request_of("one", "1-5", hold=True))[1]["job"]
        before = self.daemon.get("/v1/jobs"), self.daemon.get(f"/v1/jobs/{job}/events")
        routes = [("GET", "/healthz"), ("GET", "/metrics"), ("GET", "/v1/workers"), ("GET", "/v1/jobs"), ("GET", "/v1/events"),
                  ("GET", "/nothing"), ("POST", f"/v1/jobs/{job}/cancel"), ("DELETE", f"/v1/jobs/{job}"),
                  ("POST", "/v1/workers/1/drain")]
        for method, path in routes:
            for headers in ({}, {"token": WRONG}, {"token": ARTIST[:-1]}, {"token": ARTIST + "a"},
                            {"Authorization": ARTIST}, {"Authorization": "Basic " + ARTIST}, {"Cookie": "token=" + ARTIST}):
                with self.subTest(f"{method} {path} {headers}"):
                    status, answer = self.ask(method, path, **headers)
                    self.assertEqual((status, answer["error"]["code"]), (401, "DENIED"))
                    self.assertEqual(self.headers["www-authenticate"], "Bearer")
        self.assertEqual(self.ask("POST", "/v1/jobs", body=request_of("two", "1-5"))[0], 401)
        self.assertEqual((self.daemon.get("/v1/jobs"), self.daemon.get(f"/v1/jobs/{job}/events")), before)

    def test_by_a_name_that_is_not_ours_not_even_a_token_helps(self):
        self.run_daemon()
        for host in ("evil.example", f"evil.example:{self.port}", f"127.0.0.1.evil.example:{self.port}", ""):
            status, answer = self.ask("GET", "/v1/jobs", token=ADMIN, host=host)
            self.assertIn(status, (400, 403), answer)  # 400: the library's own, of a request without any
        self.assertEqual(self.ask("GET", "/v1/jobs", token=ADMIN, host=f"localhost:{self.port}")[0], 200)
        self.daemon.stop()
        self.run_daemon("hosts: [farm01]\n")
        self.assertEqual(self.ask("GET", "/v1/jobs", token=ADMIN, host="farm01")[0], 200)
        self.assertEqual(self.ask("GET", "/v1/jobs", token=ADMIN)[0], 403)
        self.assertNotIn("access-control-allow-origin", self.headers)

    def test_a_token_has_the_user_and_the_role_of_its_line(self):
        self.run_daemon()
        status, answer = self.ask("POST", "/v1/jobs", token=ARTIST, body=request_of("one", "1-5", hold=True))
        self.assertEqual(status, 201, answer)
        job = answer["job"]
        self.assertEqual(self.daemon.get(f"/v1/jobs/{job}")["uid"], 61001)
        self.assertEqual({e["uid"] for e in self.daemon.get(f"/v1/jobs/{job}/events")["events"]}, {61001})
        roots = self.daemon.ask("POST", "/v1/jobs", request_of("two", "1-5", hold=True))[1]["job"]
        self.assertEqual(self.ask("POST", f"/v1/jobs/{roots}/cancel", token=ARTIST)[0], 403)
        self.assertEqual(self.ask("POST", "/v1/workers/1/drain", token=ARTIST)[0], 403)
        self.assertEqual(self.ask("POST", f"/v1/jobs/{job}/cancel", token=ARTIST)[0], 200)
        self.assertEqual(self.ask("POST", f"/v1/jobs/{roots}/cancel", token=ADMIN)[0], 200)
        # root over TCP is who its token is, never whoever has connected
        self.assertEqual(self.ask("GET", "/v1/jobs")[0], 401)

    def client(self, *words, token=None, mode=0o600, server=None, **env):
        place = self.folder / "token"
        place.write_text((token or "") + "\n")
        place.chmod(mode)
        env = self.daemon.env(DEPTHQ_TOKEN_FILE=str(place), **env)
        env.pop("DEPTHQ_STATE")
        return subprocess.run([self.daemon.programs / "depthq", *words], env=env, text=True, capture_output=True,
                              cwd=self.folder)

    def test_the_client_asks_a_server_with_its_token(self):
        self.run_daemon()
        job = self.ask("POST", "/v1/jobs", token=ARTIST, body=request_of("one", "1-5", hold=True))[1]["job"]
        server = f"127.0.0.1:{self.port}"
        done = self.client("status", "--json", token=ARTIST, DEPTHQ_SERVER=server)
        self.assertEqual((done.returncode, json.loads(done.stdout)["jobs"][0]["id"]), (0, job), done.stderr)
        done = self.client("cancel", str(job), "--server", server, token=ARTIST)
        self.assertEqual(done.returncode, 0, done.stderr)
        done = self.client("status", "--server", server, token=WRONG)
        self.assertEqual(done.returncode, 77)
        self.assertIn("this token is not known", done.stderr)
        done = self.client("status", "--server", server, token=ARTIST, mode=0o644)
        self.assertEqual(done.returncode, 77)
        self.assertIn("is for others too (mode 0644): chmod 600", done.stderr)
        done = self.client("status", "--server", "farm01", token=ARTIST)
        self.assertEqual(done.returncode, 2)
        self.assertIn("HOST:PORT is wanted", done.stderr)
        done = self.client("status", "--server", server, "--socket", "s", token=ARTIST)
        self.assertEqual(done.returncode, 2)
        self.assertIn("not both", done.stderr)
        self.daemon.stop()
        done = self.client("status", "--server", server, token=ARTIST)
        self.assertEqual(done.returncode, 69)
        self.assertIn(f"no depthqd answers at {server}", done.stderr)

    def test_what_is_wrong_is_told_before_the_daemon_starts(self):
        def check(config):
            self.config.write_text(config)
            (self.daemon.folder / "log").write_text("")
            self.daemon.start("--config", str(self.config), "--check-config")
            return self.daemon.ended(), self.daemon.log()

        self.assertEqual(check(f"listen: 127.0.0.1:8630\ntokens: {self.tokens}\n")[0], 0)
        self.tokens.chmod(0o640)
        status, log = check(f"listen: nowhere\ntokens: {self.tokens}\nhosts: ['a:1']\nlimit-jobs: none\n")
        self.assertEqual(status, 78)
        for line, words in enumerate(("listen: 'nowhere' is no ADDRESS:PORT", "is for others too (mode 0640): chmod 600",
                                      "hosts: 'a:1' is no name", "limit-jobs: 'none' is no number"), 1):
            self.assertRegex(log, rf"depthqd\.yaml:{line}:\d+: .*{words.replace('(', '.').replace(')', '.')}")
        status, log = check("listen: 127.0.0.1:8630\n")
        self.assertEqual(status, 78)
        self.assertIn("name their file (tokens:", log)

    def test_two_daemons_do_not_share_an_address(self):
        self.run_daemon()
        other = subprocess.run([self.daemon.programs / "depthqd", "-q", "--config", self.config, "--state",
                                self.folder / "other"], env=self.daemon.env(), text=True, capture_output=True)
        self.assertEqual(other.returncode, 75)
        self.assertIn(f"listen on 127.0.0.1:{self.port}: Address already in use", other.stderr)

    def test_every_page_refuses_a_stranger_and_a_foreign_name_as_its_description_says(self):
        self.run_daemon()
        seen = 0
        for pattern, operations in api.PAGE["paths"].items():
            path = pattern.replace("{job}", "1").replace("{worker}", "1").replace("{frame}", "1")
            for method in {"get", "post", "delete"} & set(operations):
                for status, more in ((401, {}), (401, {"token": WRONG}), (403, {"token": ADMIN, "host": "evil.example"})):
                    with self.subTest(f"{method} {path} {status}"):
                        answer = self.ask(method.upper(), path, **more)
                        self.assertEqual((answer[0], answer[1]["error"]["code"]), (status, "DENIED"))
                        self.assertEqual(self.headers.get("www-authenticate"), "Bearer" if status == 401 else None)
                        api.check(method, path, status, self.headers["content-type"], json.dumps(answer[1]))
                        seen += 1
        self.assertGreater(seen, 50)


if __name__ == "__main__":
    unittest.main()
