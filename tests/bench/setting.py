"""Where the bench works: programs, plates, jobs, and what machine this is."""
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

JOB = """depthq: 1
plate: {plates}/plate.####.exr
frames: {frames}
model: {model}
output:
  path: {out}/depth.####.exr
  existing: replace
{more}"""


class Setting:
    """One build and one work folder; quick: the small form of every measurement."""

    def __init__(self, build, work, quick=False):
        self.build, self.work, self.quick = Path(build), Path(work), quick
        self.depthq = self.build / "bin/depthq"
        self.scene = self.build / "bin/depthq-scene"
        self.worker = self.build / "libexec/depthq/depthq-worker"
        self.tools = self.build / "tools"
        self.cores = len(os.sched_getaffinity(0))
        self.work.mkdir(parents=True, exist_ok=True)

    def env(self, **more):
        """The environment without the settings that decide speed: both sides of a comparison start plain."""
        plain = {k: v for k, v in os.environ.items()
                 if not k.startswith(("OMP_", "GOMP_", "MALLOC_", "MKL_", "KMP_", "LD_PRELOAD"))}
        return plain | more

    def run_plain(self, *command, **more):
        subprocess.run([str(c) for c in command], check=True, env=self.env(), stdout=subprocess.DEVNULL, **more)

    def plates(self, name, frames, size, codec="zip", distinct=8):
        """A folder of plate.####.exr, RGB half, dolly, with grain; made once. ZIP is what cameras' EXRs mostly are.
        Rendering large ones takes long: after the first `distinct` frames the same files come again as hard links."""
        folder = self.work / "plates" / f"{name}-{size}-{frames}-{codec}"
        if folder.exists():
            return folder
        making = folder.with_suffix(".making")
        shutil.rmtree(making, ignore_errors=True)
        making.mkdir(parents=True)
        self.run_plain(self.scene, making, "--seed", 42, "--frames", f"1001-{1000 + min(frames, distinct)}", "--size", size,
                       "--camera", "dolly", "--threads", self.cores)
        for extra in making.glob("z.*.exr"):
            extra.unlink()
        for plate in sorted(making.glob("plate.*.exr")):
            self.run_plain("oiiotool", plate, "--compression", codec, "-o", plate)
            os.utime(plate, (1.7e9, 1.7e9))  # old enough not to be taken for files that are still being copied
        for i in range(distinct, frames):
            os.link(making / f"plate.{1001 + i % distinct}.exr", making / f"plate.{1001 + i}.exr")
        making.rename(folder)
        return folder

    def job(self, name, plates, frames, model, more=""):
        """A job file -> its path. Its output folder is emptied, records of the shot included."""
        out = self.work / "out" / name
        shutil.rmtree(out, ignore_errors=True)
        path = self.work / f"{name}.yaml"
        path.write_text(JOB.format(plates=plates, frames=f"1001-{1000 + frames}", model=model, out=out, more=more))
        return path


def _first_line(*command):
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return (done.stdout or done.stderr).strip().splitlines()[0]
    except (OSError, IndexError):
        return "none"


def _cpu_model():
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        return next((line.split(":", 1)[1].strip() for line in file if line.startswith("model name")), "unknown")


def _package(name):
    from importlib import metadata
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "none"


def describe(setting):
    """What the figures depend on, for the head of the table and results.json."""
    return {
        "cpu": _cpu_model(), "cores": setting.cores, "load at start": os.getloadavg()[0],
        "system": f"{platform.system()} {platform.release()}, {platform.libc_ver()[0]} {platform.libc_ver()[1]}",
        "clock": "CLOCK_MONOTONIC outside, CPU time of wait4 and /proc", "build": str(setting.build.name),
        "depthq": _first_line(str(setting.depthq), "--version"), "python": sys.version.split()[0],
        "torch": _package("torch"), "OpenImageIO wheel": _package("OpenImageIO"), "numpy": _package("numpy"),
        "oiiotool (Debian)": _first_line("oiiotool", "--version"),
        "threads": f"{setting.cores} for the network on both sides; other settings are each side's own",
    }
