"""The daemon's API against schemas/openapi.yaml, with workers that play a
script (tests/tools/fake_worker.c): every answer has the shape that the page
says, and no bad request changes anything.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import contextlib
import hashlib
import http.client
import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
PAGE = yaml.safe_load((ROOT / "schemas/openapi.yaml").read_text())
JOB = "depthq: 1\nplate: p/a.####.exr\nmodel: net\noutput:\n  path: {}/a.####.exr\n"


class Client(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("depthqd", timeout=20)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(20)
        self.sock.connect(self.path)


def as_json_schema(node):
    """OpenAPI 3.0's `nullable` in the words of JSON Schema."""
    if isinstance(node, list):
        return [as_json_schema(n) for n in node]
    if not isinstance(node, dict):
        return node
    out = {k: as_json_schema(v) for k, v in node.items() if k != "nullable"}
    return {"anyOf": [out, {"type": "null"}]} if node.get("nullable") is True else out


SCHEMAS = as_json_schema(PAGE["components"]["schemas"])


def route_of(path):
    """The path of the page that a request's path is of."""
    for pattern in PAGE["paths"]:
        if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", pattern), path):
            return pattern
    return None


def check(method, path, status, kind, body):
    """An answer is one that the page tells of."""
    operation = PAGE["paths"][route_of(path)][method.lower()]
    assert str(status) in operation["responses"], f"{method} {path}: {status} is not on the page"
    answer = operation["responses"][str(status)]
    if "$ref" in answer:
        answer = PAGE["components"]["responses"][answer["$ref"].split("/")[-1]]
    media, content = next(iter(answer["content"].items()))
    assert kind.startswith(media), f"{kind} is not {media}"
    if media == "application/json":
        schema = {"components": {"schemas": SCHEMAS}, **as_json_schema(content["schema"])}
        jsonschema.Draft7Validator(schema).validate(json.loads(body))


class ApiTest(unittest.TestCase):
    def setUp(self):
        self.folder = Path(tempfile.mkdtemp(prefix="dq-api-"))
        (self.folder / "bin").mkdir()
        (self.folder / "models").mkdir()
        shutil.copy(BUILD / "bin/depthqd", self.folder / "bin/depthqd")
        shutil.copy(BUILD / "tools/fake_worker", self.folder / "bin/depthq-worker")
        (self.folder / "models/net.fake").write_text("{}")
        digest = hashlib.sha256(b"{}").hexdigest()
        (self.folder / "models/net@1.json").write_text(json.dumps(
            {"depthq_manifest": 1, "name": "net", "version": "1", "file": "net.fake",
             "bytes": 2, "sha256": digest, "contract": {}}))
        self.daemon = None
        self.start()

    def tearDown(self):
        if self.daemon:
            self.daemon.kill()
            self.daemon.wait()
        shutil.rmtree(self.folder)

    def start(self, script="", options=(), **more):
        env = {**os.environ, **more, "DEPTHQ_STATE": str(self.folder / "state"), "FAKE_WORKER": script,
               "DEPTHQ_MODELS": str(self.folder / "models"), "XDG_DATA_HOME": "/nowhere"}
        self.socket = self.folder / "state/socket"
        self.daemon = subprocess.Popen([self.folder / "bin/depthqd", "-q", *options], env=env)
        self.until(lambda: self.socket.exists() and self.get("/healthz")["status"] == "ok")

    def stop(self, number=signal.SIGTERM):
        self.daemon.send_signal(number)
        status = self.daemon.wait(timeout=60)
        self.daemon = None
        return status

    def until(self, what):
        for _ in range(600):
            try:
                if what():
                    return
            except OSError:
                pass
            time.sleep(0.05)
        self.fail("it did not happen")

    def ask(self, method, path, body=None, headers={}):
        client = Client(self.socket)
        client.request(method, path, body=body, headers=headers)
        answer = client.getresponse()
        text = answer.read().decode()
        client.close()
        plain = path.split("?")[0]
        if route_of(plain) and answer.status != 405:
            check(method, plain, answer.status, answer.getheader("Content-Type"), text)
        return answer.status, text

    def get(self, path):
        status, text = self.ask("GET", path)
        self.assertEqual(status, 200, text)
        return json.loads(text)

    def submit(self, key, frames="1-5", out=None, more_yaml="", **more):
        body = {"key": key, "yaml": JOB.format(out or key) + more_yaml, "file": "/j/s.yaml", "folder": "/j",
                "frames": frames, **more}
        status, text = self.ask("POST", "/v1/jobs", json.dumps(body))
        return status, json.loads(text)

    def wait(self, job, *states):
        self.until(lambda: self.get(f"/v1/jobs/{job}")["state"] in states)

    # ---- what works ----------------------------------------------------------

    def test_a_job_goes_from_submit_to_done_and_each_page_tells_of_it(self):
        status, answer = self.submit("one", "1-25")
        self.assertEqual((status, answer["fresh"]), (201, True))
        job = answer["job"]
        self.wait(job, "done")
        counts = self.get(f"/v1/jobs/{job}")["counts"]
        self.assertEqual(counts["done"], 25)
        self.assertEqual(sum(counts.values()), 25)
        seen, after = [], ""
        while True:
            page = self.get(f"/v1/jobs/{job}/frames?limit=7{after}")
            seen += [f["frame"] for f in page["frames"]]
            if page["next"] is None:
                break
            after = f"&after={page['next']}"
        self.assertEqual(seen, list(range(1, 26)))
        attempt, = self.get(f"/v1/jobs/{job}/frames/3/attempts")["attempts"]
        self.assertEqual((attempt["attempt"], attempt["execution"]), (1, "fake"))
        self.assertEqual([a["kind"] for a in self.get(f"/v1/jobs/{job}/frames/survey/attempts")["attempts"]], ["survey"])
        self.assertEqual(self.ask("GET", f"/v1/jobs/{job}/frames/solve/attempts")[0], 404)
        self.assertEqual(self.ask("GET", f"/v1/jobs/{job}/frames/scan/attempts")[0], 404)
        verbs = [e["verb"] for e in self.get(f"/v1/jobs/{job}/events?limit=1000")["events"]]
        self.assertEqual(verbs.count("finish"), 26)
        self.assertEqual(self.get("/v1/workers")["workers"][0]["execution"], "fake")
        metrics = self.ask("GET", "/metrics")[1]
        self.assertIn('depthq_tasks{state="done"} 26', metrics)
        self.assertEqual(self.ask("DELETE", f"/v1/jobs/{job}")[0], 200)
        self.assertEqual(self.ask("GET", f"/v1/jobs/{job}")[0], 404)
        model = self.get("/v1/models")["models"][0]
        self.assertEqual((model["name"], model["frames"], model["live"]), ("net", 25, 0))

    def test_models_are_known_as_the_library_says_and_as_jobs_use_them(self):
        post = lambda name: self.ask("POST", "/v1/models", json.dumps({"name": name}))
        digest = hashlib.sha256(b"{}").hexdigest()
        (self.folder / "models/net@1.verdict").write_text(json.dumps({"passed": True, "sha256": digest, "at": "2026-11-01T00:00:00Z"}))
        moves = [{"alias": "prod", "from": None, "to": "0", "by": "ann", "at": "2026-11-01T00:00:00Z"},
                 {"alias": "prod", "from": "0", "to": "1", "by": "bob", "at": "2026-11-02T00:00:00Z"}]
        (self.folder / "models/net.aliases.json").write_text(json.dumps({"depthq_aliases": 1, "aliases": {"prod": "1"}, "history": moves}))
        self.assertEqual(self.get("/v1/models")["models"], [])
        self.submit("one", hold=True)
        status, text = post("net")
        self.assertEqual(status, 200, text)
        page = self.get("/v1/models?name=net")
        self.assertEqual(page, json.loads(text))
        self.assertEqual(page["moves"], moves)
        model = page["models"][0]
        self.assertEqual([model[key] for key in ("version", "sha256", "state", "verdict", "aliases", "frames", "live")],
                         ["1", digest, "there", "passed", ["prod"], 0, 1])
        (self.folder / "models/net@1.verdict").write_text(json.dumps({"passed": True, "sha256": "0" * 64}))  # of other bytes
        self.assertIsNone(json.loads(post("net")[1])["models"][0]["verdict"])
        (self.folder / "models/net@1.json").unlink()
        self.assertEqual(json.loads(post("net")[1])["models"][0]["state"], "gone")
        self.stop(signal.SIGKILL)
        self.start()
        self.assertEqual(self.get("/v1/models")["models"][0]["state"], "gone")
        self.assertEqual(self.get("/v1/models?name=other")["models"], [])
        for name in ("../net", "", ".net", "a b", 7):
            self.assertEqual(post(name)[0], 400, name)
        self.assertEqual(self.ask("GET", "/v1/models?limit=0")[0], 400)

    def test_a_steady_shot_is_scanned_and_solved_and_each_page_tells_of_it(self):
        job = self.submit("one", "1-25", more_yaml="stabilize: shot\n")[1]["job"]
        self.wait(job, "done")
        told = self.get(f"/v1/jobs/{job}")
        self.assertEqual((told["phase"], told["scans"]), ("render", {"all": 25, "settled": 25, "failed": 0}))
        self.assertEqual((told["counts"]["done"], sum(told["counts"].values())), (25, 25))
        kinds = [a["kind"] for a in self.get(f"/v1/jobs/{job}/frames/3/attempts")["attempts"]]
        self.assertEqual(kinds, ["scan", "render"])
        self.assertEqual(len(self.get(f"/v1/jobs/{job}/frames/solve/attempts")["attempts"]), 1)
        events = self.get(f"/v1/jobs/{job}/events?limit=1000")["events"]
        order = [e["kind"] for e in events if e["verb"] == "finish"]
        self.assertEqual(order, ["survey"] + ["scan"] * 25 + ["solve"] + ["render"] * 25)
        self.assertEqual([(e["before"], e["after"]) for e in events if e["verb"] == "phase"],
                         [("survey", "scan"), ("scan", "solve"), ("solve", "render")])

    def test_verbs_change_a_held_job_as_they_say(self):
        job = self.submit("one", hold=True)[1]["job"]
        state = lambda: self.get(f"/v1/jobs/{job}")["state"]
        do = lambda verb, body=None: self.ask("POST", f"/v1/jobs/{job}/{verb}", body)
        self.assertEqual(state(), "held")
        self.assertEqual(do("priority", '{"priority": 90}')[0], 200)
        self.assertEqual(self.get(f"/v1/jobs/{job}")["priority"], 90)
        self.assertEqual(json.loads(do("eat", '{"frames": "2-3"}')[1])["moved"], 2)
        self.assertEqual(do("cancel")[0], 200)
        self.assertEqual(state(), "canceled")
        self.assertEqual(do("cancel")[0], 409)
        self.assertEqual(do("pause")[0], 409)
        self.assertEqual(do("retry")[0], 200)
        self.wait(job, "done")
        self.assertEqual(self.get(f"/v1/jobs/{job}")["counts"]["eaten"], 2)

    def test_a_drained_worker_is_gone_until_it_is_resumed(self):
        worker = lambda: self.get("/v1/workers")["workers"][0]
        self.until(lambda: worker()["state"] == "idle")
        self.assertIn(json.loads(self.ask("POST", "/v1/workers/1/drain")[1])["workers"][0]["state"], ("draining", "drained"))
        self.until(lambda: worker()["state"] == "drained")
        self.assertEqual((worker()["pid"], worker()["deaths"]), (0, 0))
        job = self.submit("one")[1]["job"]
        self.assertEqual(self.ask("POST", "/v1/workers/1/resume")[0], 200)
        self.wait(job, "done")

    def test_a_resend_is_answered_with_the_same_job(self):
        first, again = self.submit("one"), self.submit("one")
        self.assertEqual((first[0], again[0]), (201, 200))
        self.assertEqual(first[1]["job"], again[1]["job"])
        self.assertEqual(self.submit("one", "1-6")[0], 409)
        self.assertEqual(len(self.get("/v1/jobs")["jobs"]), 1)

    def test_what_was_acknowledged_outlives_sigkill(self):
        self.stop()
        self.start("3=hang")
        job = self.submit("one", "1-5")[1]["job"]
        held = self.submit("two", "1-5", hold=True)[1]["job"]
        self.until(lambda: self.get(f"/v1/jobs/{job}")["counts"]["running"] >= 1)
        worker = self.get("/v1/workers")["workers"][0]["pid"]
        self.stop(signal.SIGKILL)
        self.start()
        self.assertFalse(self.alive(worker))
        self.wait(job, "done")
        self.assertEqual(self.get(f"/v1/jobs/{held}")["state"], "held")
        self.assertEqual(self.stop(), 0)

    def test_what_is_old_is_forgotten_as_the_configuration_says_and_live_jobs_are_not(self):
        old, new = self.submit("old")[1]["job"], self.submit("new")[1]["job"]
        live = self.submit("live", hold=True)[1]["job"]
        self.wait(old, "done")
        self.wait(new, "done")
        self.stop()
        with contextlib.closing(sqlite3.connect(self.folder / "state/queue.db")) as db, db:
            db.execute("UPDATE job SET finished = '2020-01-01T00:00:00.000Z' WHERE id = ?", (old,))
            db.execute("UPDATE event SET time = '2020-01-01T00:00:00.000Z' WHERE job IN (?, ?)", (old, live))
        self.configure("keep-days: 30\n")
        self.until(lambda: self.ask("GET", f"/v1/jobs/{old}")[0] == 404)
        self.until(lambda: [e["verb"] for e in self.get(f"/v1/jobs/{old}/events")["events"]] == ["prune"])
        self.assertEqual(self.get(f"/v1/jobs/{new}")["counts"]["done"], 5)
        self.assertEqual([e["verb"] for e in self.get(f"/v1/jobs/{live}/events")["events"]], ["submit"])
        self.assertGreater(len(self.get(f"/v1/jobs/{new}/events")["events"]), 10)

    def test_systemd_is_told_when_it_is_ready_and_when_it_stops(self):
        self.stop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices:
            notices.bind(str(self.folder / "notify"))
            notices.settimeout(60)
            self.start(NOTIFY_SOCKET=str(self.folder / "notify"))
            self.assertEqual(notices.recv(100), b"READY=1")
            self.assertEqual(self.stop(), 0)
            said = set()
            while b"STOPPING=1" not in said:
                said.add(notices.recv(100))
            self.assertLessEqual(said, {b"STOPPING=1", b"WATCHDOG=1"})

    @staticmethod
    def alive(pid):
        try:
            return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] not in "ZX"
        except OSError:
            return False

    # ---- what does not -------------------------------------------------------

    def test_bad_requests_are_told_and_change_nothing(self):
        job = self.submit("one", hold=True)[1]["job"]
        good = {"key": "k", "yaml": JOB.format("q"), "file": "/j/s.yaml", "folder": "/j", "frames": "1-5"}
        other = lambda **change: json.dumps({**good, **change})
        cases = [
            (400, "POST", "/v1/jobs", "{"), (400, "POST", "/v1/jobs", "[]"), (400, "POST", "/v1/jobs", ""),
            (400, "POST", "/v1/jobs", '{"key": "a", "key": "a"}'), (400, "POST", "/v1/jobs", "\xff\xfe"),
            (400, "POST", "/v1/jobs", other(key="")), (400, "POST", "/v1/jobs", other(key="x" * 129)),
            (400, "POST", "/v1/jobs", other(key=7)), (400, "POST", "/v1/jobs", other(uid=0)),
            (400, "POST", "/v1/jobs", other(folder="j")), (400, "POST", "/v1/jobs", other(frames="5-1")),
            (400, "POST", "/v1/jobs", other(frames="1-4000000000")), (400, "POST", "/v1/jobs", other(priority=101)),
            (400, "POST", "/v1/jobs", other(hold=1)), (400, "POST", "/v1/jobs", other(after=-1)),
            (404, "POST", "/v1/jobs", other(after=99)),
            (403, "POST", "/v1/jobs", other(yaml=JOB.format("q").replace("net", "./net.pt"))),
            (422, "POST", "/v1/jobs", other(yaml=JOB.format("q").replace("net", "nett"))),
            (422, "POST", "/v1/jobs", other(yaml="depthq: 1\nplat: x\n")),
            (409, "POST", "/v1/jobs", other(yaml=JOB.format("one"))),
            (413, "POST", "/v1/jobs", "x" * (5 << 20)),
            (404, "GET", "/v1/jobs/99", None), (404, "GET", "/v1/jobs/x", None), (404, "GET", "/", None),
            (404, "GET", f"/v1/jobs/{job}/frames/77/attempts", None),
            (404, "GET", "/v1/jobs/99/frames", None), (404, "GET", f"/v1/jobs/{job}/", None),
            (400, "GET", "/v1/jobs?limit=0", None), (400, "GET", "/v1/jobs?limit=1e3", None),
            (405, "PUT", "/v1/jobs", None), (405, "POST", "/healthz", "{}"),
            (405, "GET", f"/v1/jobs/{job}/cancel", None), (405, "GET", "/v1/workers/1/drain", None),
            (404, "POST", "/v1/workers/2/drain", None), (404, "POST", "/v1/workers/0/resume", None),
            (400, "POST", "/v1/workers/1/drain", '{"now": true}'),
            (404, "POST", f"/v1/jobs/{job}/explode", None), (404, "POST", "/v1/jobs/99/cancel", None),
            (400, "POST", f"/v1/jobs/{job}/cancel", '{"frames": "1"}'),
            (400, "POST", f"/v1/jobs/{job}/eat", '{"frames": "x"}'),
            (404, "POST", f"/v1/jobs/{job}/eat", '{"frames": "1,99"}'),
            (409, "POST", f"/v1/jobs/{job}/retry", '{"frames": "1"}'), (409, "POST", f"/v1/jobs/{job}/retry", None),
            (400, "POST", f"/v1/jobs/{job}/priority", "{}"), (400, "POST", f"/v1/jobs/{job}/priority", '{"priority": 1.5}'),
            (409, "DELETE", f"/v1/jobs/{job}", None),
        ]
        before = self.get("/v1/jobs"), self.get(f"/v1/jobs/{job}/events")
        for status, method, path, body in cases:
            with self.subTest(f"{method} {path} {(body or '')[:80]}"):
                got, text = self.ask(method, path, body.encode("latin-1") if body else body)
                self.assertEqual(got, status, text)
                error = json.loads(text)["error"]
                self.assertTrue(error["code"] and error["message"])
        self.assertEqual((self.get("/v1/jobs"), self.get(f"/v1/jobs/{job}/events")), before)

    def test_a_bad_job_file_is_told_line_by_line(self):
        status, answer = self.submit("one")
        self.assertEqual(status, 201)
        body = {"key": "k", "yaml": "depthq: 1\nplat: x\noutput: 7\n", "file": "/j/s.yaml", "folder": "/j", "frames": "1"}
        text = json.loads(self.ask("POST", "/v1/jobs", json.dumps(body))[1])
        self.assertIn(2, [p["line"] for p in text["problems"]])
        self.assertIn("/j/s.yaml:", text["error"]["message"])

    def test_half_requests_and_silent_clients_hold_nobody_up(self):
        silent = []
        for i in range(200):
            s = socket.socket(socket.AF_UNIX)
            s.connect(str(self.socket))
            s.send(b"POST /v1/jobs HTTP/1.1\r\nContent-Le" if i % 2 else b"")
            silent.append(s)
        for _ in range(20):
            self.assertEqual(self.get("/healthz")["status"], "ok")
        for s in silent:
            s.close()
        self.assertEqual(self.get("/v1/jobs")["jobs"], [])

    # ---- who may do what -----------------------------------------------------

    def configure(self, text):
        """A daemon with this configuration, which everybody may ask."""
        if self.daemon:
            self.stop()
        (self.folder / "depthqd.yaml").write_text(text)
        self.start(options=("--config", self.folder / "depthqd.yaml"))
        for path, mode in ((self.folder, 0o755), (self.folder / "state", 0o755), (self.socket, 0o666)):
            os.chmod(path, mode)

    def as_user(self, uid, groups, what):
        """what() of another user -> its result, through JSON."""
        if os.getuid() != 0:
            self.skipTest("needs root, to become somebody else")
        here, there = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.setgroups(groups[1:])
                os.setgid(groups[0])
                os.setuid(uid)
            except OSError:
                os._exit(3)
            try:
                os.write(there, json.dumps(what()).encode())
                os._exit(0)
            except BaseException:
                os._exit(1)
        os.close(there)
        with os.fdopen(here) as said:
            text = said.read()
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        if status == 3:
            self.skipTest("root may not become somebody else here")
        self.assertEqual(status, 0)
        return json.loads(text)

    # Each member of staff is what the configuration in the next test says.
    ARTIST, WRANGLER, TD, ADMIN = (61001, [61001]), (61002, [61002]), (61003, [61003, 61900]), (61004, [61004])

    def test_each_role_does_what_is_its_own_and_a_refusal_changes_nothing(self):
        self.configure("wrangler: ['61002', group:61900]\nadmin: '61004'\nroots: /j\n")
        job = {"root": self.submit("root", hold=True)[1]["job"]}
        for name, who in (("artist", self.ARTIST), ("wrangler", self.WRANGLER)):
            status, answer = self.as_user(*who, lambda name=name: self.submit(name, hold=True))
            self.assertEqual(status, 201, answer)
            job[name] = answer["job"]
        self.assertEqual(self.get(f"/v1/jobs/{job['artist']}")["uid"], self.ARTIST[0])
        verbs = [("POST", "/v1/jobs/{}/priority", '{"priority": 7}'), ("POST", "/v1/jobs/{}/pause", None),
                 ("POST", "/v1/jobs/{}/eat", '{"frames": "2"}'), ("POST", "/v1/jobs/{}/cancel", None),
                 ("POST", "/v1/jobs/{}/retry", None), ("POST", "/v1/jobs/{}/resume", None)]
        page = lambda j: (self.get(f"/v1/jobs/{j}"), self.get(f"/v1/jobs/{j}/events"))
        # what is not one's own, by an artist: refused, and nothing has changed
        for whose in ("root", "wrangler"):
            before = page(job[whose])
            for method, path, body in verbs + [("DELETE", "/v1/jobs/{}", None)]:
                path = path.format(job[whose])
                with self.subTest(f"artist {method} {path}"):
                    status, text = self.as_user(*self.ARTIST, lambda: self.ask(method, path, body))
                    self.assertEqual((status, json.loads(text)["error"]["code"]), (403, "DENIED"), text)
            self.assertEqual(page(job[whose]), before)
        workers = self.get("/v1/workers")
        status, text = self.as_user(*self.ARTIST, lambda: self.ask("POST", "/v1/workers/1/drain"))
        self.assertEqual(status, 403)
        self.assertIn("only the role wrangler may drain", text)
        self.assertEqual(self.get("/v1/workers"), workers)
        # everybody looks; own jobs obey their artist, all jobs the others
        reads = ["/healthz", "/metrics", "/v1/workers", "/v1/jobs", f"/v1/jobs/{job['root']}",
                 f"/v1/jobs/{job['root']}/frames", f"/v1/jobs/{job['root']}/events"]
        self.assertEqual({self.as_user(*self.ARTIST, lambda r=r: self.ask("GET", r)[0]) for r in reads}, {200})
        for who, whose in ((self.ARTIST, "artist"), (self.WRANGLER, "artist"), (self.TD, "wrangler"), (self.ADMIN, "root")):
            for method, path, body in verbs[:1] + verbs[3:4]:
                with self.subTest(f"{who} {method} {path} {whose}"):
                    status, text = self.as_user(*who, lambda: self.ask(method, path.format(job[whose]), body))
                    self.assertIn(status, (200, 409) if path.endswith("cancel") else (200,), text)
        for who in (self.WRANGLER, self.TD, self.ADMIN):
            self.assertEqual(self.as_user(*who, lambda: self.ask("POST", "/v1/workers/1/drain"))[0], 200)

    def test_a_user_has_only_so_much_in_the_queue_and_an_admin_what_they_like(self):
        self.configure("roots: /j\nlimit-jobs: 2\nlimit-frames: 8\n")
        submit = lambda key, frames, **more: self.as_user(*self.ARTIST, lambda: self.submit(key, frames, hold=True, **more))
        self.assertEqual(submit("one", "1-5")[0], 201)
        before = self.get("/v1/jobs")
        status, answer = submit("two", "1-4")
        self.assertEqual((status, answer["error"]["code"]), (429, "LIMIT"))
        self.assertIn("9 frames in the queue, and 8 is the most (limit-frames): wait", answer["error"]["message"])
        self.assertEqual(self.get("/v1/jobs"), before)
        self.assertEqual(submit("two", "1-3")[0], 201)
        self.assertEqual(submit("three", "1-1")[0], 429)
        for i in range(3):
            self.assertEqual(self.submit(f"mine{i}", "1-9", hold=True)[0], 201)
        job = self.get("/v1/jobs?uid=61001")["jobs"][0]["id"]
        self.assertEqual(self.as_user(*self.ARTIST, lambda: self.ask("POST", f"/v1/jobs/{job}/cancel"))[0], 200)
        self.assertEqual(submit("three", "1-1")[0], 201)
        status, text = self.as_user(*self.ARTIST, lambda: self.ask("POST", f"/v1/jobs/{job}/retry"))
        self.assertEqual((status, json.loads(text)["error"]["code"]), (429, "LIMIT"), text)

    def test_others_submit_below_the_roots_and_nowhere_with_the_rights_of_root(self):
        self.configure("roots: [/j/shows, /fast]\n")
        status, answer = self.as_user(*self.ARTIST, lambda: self.submit("one"))
        self.assertEqual((status, answer["error"]["code"]), (403, "DENIED"), answer)
        self.assertIn("plate: /j/p/a.####.exr is in none of the folders", answer["error"]["message"])
        body = {"key": "k", "yaml": JOB.format("/fast/x").replace("p/a.", "/j/x/../shows/a."), "file": "/j/s.yaml",
                "folder": "/j", "frames": "1-5"}
        self.assertEqual(self.as_user(*self.ARTIST, lambda: self.ask("POST", "/v1/jobs", json.dumps(body)))[0], 201)
        self.assertEqual(self.submit("two")[0], 201)  # an admin
        self.configure("# nothing\n")
        jobs = len(self.get("/v1/jobs")["jobs"])
        status, answer = self.as_user(*self.ARTIST, lambda: self.submit("three"))
        self.assertEqual(status, 403)
        self.assertIn("runs as root", answer["error"]["message"])
        self.assertEqual(len(self.get("/v1/jobs")["jobs"]), jobs)


if __name__ == "__main__":
    unittest.main()
