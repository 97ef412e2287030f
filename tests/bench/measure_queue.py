"""The queue: how long people and workers wait for the daemon, what it settles in a second, what it costs.

A real depthqd with its state in the work folder, and workers that do nothing
(tests/tools/fake_worker.c): the network is not the point here. Who asks are
raw HTTP requests, each on a connection of its own.
"""
import json
import shutil
import signal
import subprocess
import sys
import time

from figures import Figure
from setting import ROOT

sys.path.insert(0, str(ROOT / "tests/fault"))

from daemon import Daemon, alive, request_of, until  # noqa: E402

WORKER = "tools/fake_worker"
LARGE = 10_000           # frames of the job whose submit is measured
SYNC_MS = 10             # how long each fsync takes in the measurement of throughput
CLIENTS, SLOW = 200, 200


def quantile(values, q):
    """The smallest value that a share q of all does not exceed."""
    return sorted(values)[max(0, -int(-q * len(values) // 1) - 1)]


def _timed(what):
    begun = time.perf_counter()
    answer = what()
    return time.perf_counter() - begun, answer


def _vm_peak(pid):
    """VmHWM in MB of 10^6 bytes."""
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmHWM")) * 1024 / 1e6


def _cpu_s(pid):
    """Seconds that a process has been on a core; to the nanosecond, where clock ticks would be too coarse."""
    with open(f"/proc/{pid}/schedstat", encoding="ascii") as file:
        return int(file.read().split()[0]) / 1e9


class Queue:
    """A daemon in a fresh folder; peaks are those of every process it has had."""

    def __init__(self, setting, name):
        self.folder = setting.work / "queue" / name
        shutil.rmtree(self.folder, ignore_errors=True)
        self.daemon, self.peaks = Daemon(setting.build, self.folder, WORKER), []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.daemon.close()

    def run(self, script, *options, **env):
        self.daemon.run("-q", *options, FAKE_WORKER=script, **env)

    def submit(self, key, frames, stabilize="off", **more):
        request = request_of(key, f"1-{frames}", more=f"stabilize: {stabilize}\n", **more)
        took, (status, answer) = _timed(lambda: self.daemon.ask("POST", "/v1/jobs", request))
        if status != 201:
            raise AssertionError(f"{key}: {status} {answer}")
        return took, answer["job"]

    def do(self, method, path, body=None):
        status, answer = self.daemon.ask(method, path, body)
        if status != 200:
            raise AssertionError(f"{method} {path}: {status} {answer}")

    def settled(self):
        return self.daemon.tasks()["done"]

    def end(self, number=signal.SIGTERM):
        self.peaks.append(_vm_peak(self.daemon.process.pid))
        self.daemon.kill(number)

    def file_system(self):
        return subprocess.run(["stat", "-f", "-c", "%T", self.folder], capture_output=True, text=True,
                              check=True).stdout.strip()


# ---- a long queue --------------------------------------------------------------------


def _fill(queue, jobs, frames):
    return [queue.submit(f"queued-{i}", frames, hold=True)[1] for i in range(jobs)]


def _submits(queue, count, stabilize):
    """Seconds until a job of LARGE frames is acknowledged; each is forgotten again."""
    times = []
    for i in range(count):
        took, job = queue.submit(f"{stabilize}-{i}", LARGE, stabilize, hold=True)
        times.append(took)
        queue.do("POST", f"/v1/jobs/{job}/cancel", {})
        queue.do("DELETE", f"/v1/jobs/{job}")
    return times


def _whole_submit(setting, queue):
    """Seconds of `depthq submit` of LARGE plates: it looks at each of them first."""
    plates = setting.work / "queue/plates"
    plates.mkdir(exist_ok=True)
    for frame in range(1, LARGE + 1):
        (plates / f"p.{frame:05}.exr").touch()
    job = queue.folder / "whole.yaml"
    job.write_text(request_of("whole", "", plate=plates / "p.#####.exr", out=queue.folder / "out",
                              more="stabilize: off\n")["yaml"])
    took, _ = _timed(lambda: subprocess.run([queue.daemon.programs / "depthq", "submit", "--hold", job], check=True,
                                            env=queue.daemon.env(), stdout=subprocess.DEVNULL,
                                            stderr=subprocess.DEVNULL))
    return took


def _pages(queue, job, count):
    """{path: seconds of each request}"""
    paths = ("/v1/jobs?limit=100", f"/v1/jobs/{job}", f"/v1/jobs/{job}/frames?limit=1000",
             f"/v1/jobs/{job}/frames?limit=100&state=failed", f"/v1/jobs/{job}/events?limit=1000", "/metrics")
    return {path: [_timed(lambda: queue.daemon.get(path))[0] for _ in range(count)] for path in paths}


def _decisions(queue, jobs, count):
    """Milliseconds from a worker's result to its next task, as workers see it that hold one task at a time."""
    waits = queue.folder / "waits"
    queue.run("credit=1", "--workers", "2", FAKE_WAITS=str(waits))
    for job in jobs:
        queue.do("POST", f"/v1/jobs/{job}/resume")
    until(lambda: queue.settled() >= count, pause=0.2)
    queue.end()  # workers say what they saw when they end
    return [int(line) / 1e3 for line in waits.read_text().split()]


def _ready_again(queue, kills):
    """Seconds from exec to the first answer after SIGKILL at work."""
    times = []
    queue.run("*=slow:5")
    for _ in range(kills):
        before = queue.settled()
        until(lambda: queue.settled() > before)
        queue.end(signal.SIGKILL)
        took, _ = _timed(lambda: queue.run("*=slow:5"))
        times.append(took)
    queue.end()
    return times


def _long_queue(setting):
    jobs, frames = (20, 1000) if setting.quick else (100, 1000)
    with Queue(setting, "long") as queue:
        queue.run("")
        ids = _fill(queue, jobs, frames)
        submits, steady = (_submits(queue, 10 if setting.quick else 100, stabilize) for stabilize in ("off", "shot"))
        whole = _whole_submit(setting, queue)
        pages = _pages(queue, ids[0], 20 if setting.quick else 200)
        queue.end()
        decisions = _decisions(queue, ids, 300 if setting.quick else 3000)
        ready = _ready_again(queue, 2 if setting.quick else 5)
        kind, peak = queue.file_system(), max(queue.peaks)
    slowest = max(pages, key=lambda path: quantile(pages[path], 0.99))
    state = f"{jobs * frames} frames queued in {jobs} jobs; state on {kind}"
    return [
        Figure(f"submit of {LARGE} frames, acknowledged, p99", 1e3 * quantile(submits, 0.99), unit="ms", at_most=150,
               detail={"s": submits}, note=f"median {1e3 * quantile(submits, 0.5):.0f} ms of {len(submits)}; {state}"),
        Figure(f"submit of {LARGE} frames of a steady shot, p99", 1e3 * quantile(steady, 0.99), unit="ms", at_most=150,
               detail={"s": steady}, note=f"median {1e3 * quantile(steady, 0.5):.0f} ms; a scan more for each frame"),
        Figure(f"depthq submit of {LARGE} plates, whole", 1e3 * whole, unit="ms"),
        Figure("slowest page, p99", 1e3 * quantile(pages[slowest], 0.99), unit="ms", at_most=50,
               detail={path: {"p50": quantile(times, 0.5), "p99": quantile(times, 0.99)} for path, times in pages.items()},
               note=f"{slowest}; a page of jobs {1e3 * quantile(pages['/v1/jobs?limit=100'], 0.99):.1f} ms"),
        Figure("result to next task, p99", quantile(decisions, 0.99), unit="ms", at_most=5,
               note=f"median {quantile(decisions, 0.5):.2f} ms of {len(decisions)}, settle, decision, commit and both ways of "
                    "the wire included"),
        Figure("ready again after SIGKILL, slowest", max(ready), unit="s", at_most=2, detail={"s": ready},
               note=f"from exec to the first answer, {len(ready)} times"),
        Figure("memory of the daemon", peak, unit="MB", at_most=100, note="VmHWM, the largest of all its lives"),
    ]


# ---- throughput ----------------------------------------------------------------------


def _throughput(setting):
    frames = 3_000 if setting.quick else 20_000
    with Queue(setting, "throughput") as queue:
        syncs = queue.folder / "syncs"
        queue.run("credit=32", "--workers", "4", LD_PRELOAD=str(setting.tools / "slow_sync.so"),
                  SLOW_SYNC_MS=str(SYNC_MS), SLOW_SYNC_COUNT=str(syncs))
        queue.submit("many", frames)
        until(lambda: queue.settled() > frames // 10)
        pid, count, cpu, begun = queue.daemon.process.pid, queue.settled(), _cpu_s(queue.daemon.process.pid), time.monotonic()
        before = syncs.stat().st_size
        until(lambda: queue.settled() >= frames)  # a survey more than frames: not the last of all
        took, settled = time.monotonic() - begun, queue.settled() - count
        detail = {"frames": settled, "s": took, "syncs": syncs.stat().st_size - before, "daemon s": _cpu_s(pid) - cpu}
        queue.end()
    return [Figure(f"frames settled a second, each sync {SYNC_MS} ms", settled / took, unit="1/s", at_least=2000,
                   detail=detail, note=f"{detail['syncs'] / took:.0f} syncs a second, {settled / detail['syncs']:.0f} frames "
                                       f"in each; the daemon on a core for {100 * detail['daemon s'] / took:.0f} %")]


# ---- the usual -----------------------------------------------------------------------


def _cost(setting, queue):
    """The daemon's share of a core while two workers make ten frames a second each."""
    pid, seconds = queue.daemon.process.pid, 3 if setting.quick else 20
    until(lambda: queue.settled() > 5)
    count, cpu, begun = queue.settled(), _cpu_s(pid), time.monotonic()
    time.sleep(seconds)
    cpu, took = _cpu_s(pid) - cpu, time.monotonic() - begun
    rate = (queue.settled() - count) / took
    return Figure("the daemon at 20 frames a second", 100 * cpu / took * 20 / rate, unit="% of a core", at_most=5,
                  note=f"{cpu:.2f} s of {took:.0f} s at {rate:.1f} frames a second")


def _crowd(setting, queue):
    paths = ("/healthz", "/v1/workers", "/v1/jobs?limit=100", "/v1/jobs/1", "/v1/jobs/1/frames?limit=100", "/metrics")
    told = json.loads(subprocess.run(
        [setting.tools / "crowd", queue.daemon.socket, str(CLIENTS), str(SLOW), "2000" if setting.quick else "20000",
         *paths], capture_output=True, text=True, check=True).stdout)
    note = f"{told['ok']} answers, median {told['p50_ms']:.0f} ms, slowest {told['most_ms']:.0f} ms; {told['slow']} slow ones " \
           "still there"
    return [
        Figure(f"{CLIENTS} clients beside {SLOW} slow ones, p99", told["p99_ms"], unit="ms", at_most=200, detail=told,
               note=note),
        Figure("refused or cut off among them", told["refused"] + told["other"], unit="count", at_most=0),
    ]


def _usual(setting):
    with Queue(setting, "usual") as queue:
        queue.run("*=slow:100 credit=4", "--workers", "2")
        for i in range(20):
            queue.submit(f"shot-{i}", 240)
        figures = [_cost(setting, queue)] + _crowd(setting, queue)
        if not alive(queue.daemon.process.pid):
            raise AssertionError(queue.daemon.log()[-500:])
        queue.end()
    return figures


def measure(setting):
    (setting.work / "queue").mkdir(exist_ok=True)
    figures = _long_queue(setting) + _throughput(setting) + _usual(setting)
    shutil.rmtree(setting.work / "queue")
    return figures
