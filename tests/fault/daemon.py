"""A depthqd of one's own, in a folder with its programs, models and state.

Standard library only: stories, oracle tests, torture and bench use it. Nothing
here asserts anything about time; what must come true is waited for until
PATIENCE is over, which on a sound machine it never is.
"""
import hashlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

PATIENCE = float(os.environ.get("DEPTHQ_PATIENCE", "300"))
FOREIGN = ("DEPTHQ_SOCKET", "XDG_RUNTIME_DIR", "RUNTIME_DIRECTORY", "NOTIFY_SOCKET", "DQ_FAULT", "FAKE_WORKER",
           "FAKE_LOG", "FAKE_WAITS")
FAKE_NET = {
    "depthq_fake": 1, "net": "affine",
    "contract": {"depthq_model": 1, "name": "fake", "version": "1", "runtime": "fake",
                 "input": {"transfer": "srgb", "multiple": 32, "size": {"preferred": 64, "min": 32, "max": 1024},
                           "batch": "any"},
                 "output": {"quantity": "disparity", "scale": "affine"}}}


class Gone(OSError):
    """Nobody answered, or not to the end."""


class Connection(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("depthqd", timeout=PATIENCE)
        self.path = str(path)

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(self.path)


def until(what, or_else="it did not happen", pause=0.02):
    """Wait until what() is true, and return that."""
    ends = time.monotonic() + PATIENCE
    while time.monotonic() < ends:
        try:
            if found := what():
                return found
        except Gone:
            pass
        time.sleep(pause)
    raise AssertionError(or_else() if callable(or_else) else or_else)


def state_of(pid):
    """A process's letter of proc(5), or None when there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return None


def alive(pid):
    return state_of(pid) not in (None, "Z", "X")


class Daemon:
    """folder/bin has the programs, folder/models the model `net`, folder/state the state."""

    def __init__(self, build, folder, worker="libexec/depthq/depthq-worker", net=FAKE_NET):
        self.folder, self.process, self.state = Path(folder), None, Path(folder) / "state"
        self.programs, self.socket = self.folder / "bin", self.state / "socket"
        self.programs.mkdir(parents=True)
        for program in ("bin/depthq", "bin/depthqd", "libexec/depthq/depthq-client"):
            shutil.copy(Path(build) / program, self.programs)
        shutil.copy(Path(build) / worker, self.programs / "depthq-worker")
        self.register(net)

    def register(self, net):
        models, text = self.folder / "models", json.dumps(net)
        models.mkdir()
        (models / "net.fake").write_text(text)
        (models / "net@1.json").write_text(json.dumps(
            {"depthq_manifest": 1, "name": "net", "version": "1", "file": "net.fake", "bytes": len(text),
             "sha256": hashlib.sha256(text.encode()).hexdigest(), "contract": {}}))

    def env(self, **more):
        plain = {k: v for k, v in os.environ.items() if k not in FOREIGN}
        return plain | {"DEPTHQ_STATE": str(self.state), "DEPTHQ_MODELS": str(self.folder / "models"),
                        "XDG_DATA_HOME": "/nowhere", "HOME": "/nowhere",
                        "PATH": f"{self.programs}:{os.environ['PATH']}"} | more

    # ---- its life ----------------------------------------------------------------

    def start(self, *options, before=(), limits=None, **env):
        """Start it and wait for nothing. before: a command in front, as strace's; limits: called in the child."""
        with open(self.folder / "log", "ab") as log:
            self.process = subprocess.Popen([*before, self.programs / "depthqd", *options], env=self.env(**env),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, preexec_fn=limits)
        return self.process.pid

    def ready(self):
        """Wait until it answers: 1. It ended instead: 0."""
        return until(lambda: self.process.poll() is not None or self.ask("GET", "/healthz")[0] == 200,
                     f"depthqd does not answer; see {self.folder}/log") and self.process.poll() is None

    def run(self, *options, **env):
        self.start(*options, **env)
        if not self.ready():
            raise AssertionError(f"depthqd ended with {self.process.returncode}: {self.log()[-800:]}")

    def kill(self, number=signal.SIGKILL):
        """Send it a signal and reap it -> exit status, negative for a signal."""
        self.process.send_signal(number)
        return self.ended()

    def stop(self):
        return self.kill(signal.SIGTERM)

    def ended(self):
        status = self.process.wait(PATIENCE)
        self.process = None
        return status

    def close(self):
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def log(self):
        return (self.folder / "log").read_text(errors="replace")

    def own_processes(self):
        """Living processes that run a program of this folder."""
        found = []
        for entry in os.listdir("/proc"):
            try:
                if entry.isdigit() and os.readlink(f"/proc/{entry}/exe").startswith(f"{self.programs}/") and alive(entry):
                    found.append(int(entry))
            except OSError:
                pass
        return found

    # ---- its API -----------------------------------------------------------------

    def ask(self, method, path, body=None):
        """-> (status, text or object). Gone when there was no whole answer."""
        connection = Connection(self.socket)
        try:
            connection.request(method, path, body=None if body is None else json.dumps(body),
                               headers={"Connection": "close"})
            answer = connection.getresponse()
            text = answer.read().decode()
            kind = answer.getheader("Content-Type", "")
        except (OSError, http.client.HTTPException) as error:
            raise Gone(f"{method} {path}: {error}") from error
        finally:
            connection.close()
        return answer.status, json.loads(text) if kind.startswith("application/json") else text

    def get(self, path):
        status, answer = self.ask("GET", path)
        if status != 200:
            raise AssertionError(f"{path}: {status} {answer}")
        return answer

    def workers(self):
        return self.get("/v1/workers")["workers"]

    def tasks(self):
        """How many tasks are in each state."""
        lines = self.get("/metrics").splitlines()
        return {line.split('"')[1]: int(float(line.split()[-1])) for line in lines if line.startswith("depthq_tasks{")}

    def wait(self, job, *states):
        return until(lambda: self.get(f"/v1/jobs/{job}")["state"] in states,
                     lambda: f"job {job} is {self.get(f'/v1/jobs/{job}')}")


def request_of(key, frames, plate="/nowhere/p.####.exr", out="/nowhere/out", more="", **members):
    """The body of a submit; a key names its job and its output folder."""
    text = f"depthq: 1\nname: {key}\nplate: {plate}\nmodel: net\noutput:\n  path: {out}/{key}/d.####.exr\n{more}"
    return {"key": key, "yaml": text, "file": f"/nowhere/{key}.yaml", "folder": "/nowhere", "frames": frames} | members
