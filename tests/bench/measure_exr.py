"""The EXR work of one 4K frame, core-seconds: a ZIP half RGB plate read and
decoded and a float Z of the same size encoded as ZIPS and written, by depthq's
io/ and by Debian's OpenImageIO (oiiotool). What starting oiiotool costs is
taken out: the same command on a tiny frame. What the two wrote is compared, so
both did the work.
"""
import json
import subprocess
from statistics import median

from figures import Figure, alternate
from process import run

TINY = "64x36"


def _oiiotool(plate, out, threads=1):
    return ["oiiotool", "--threads", threads, plate, "--ch", "R", "--chnames", "Z", "-d", "float",
            "--compression", "zips", "-o", out]


def _mean(path):
    told = subprocess.run(["oiiotool", "--stats", path], capture_output=True, text=True, check=True).stdout
    return next(line for line in told.splitlines() if "Stats Avg" in line)


def measure(setting):
    size, rounds = ("2048x1080", 3) if setting.quick else ("4096x2160", 5)
    plate = setting.plates("exr", 1, size) / "plate.1001.exr"
    tiny = setting.plates("exr", 1, TINY) / "plate.1001.exr"
    ours, theirs = setting.work / "ours.exr", setting.work / "theirs.exr"
    env = setting.env()

    def cpu(plate, out):
        return run(_oiiotool(plate, out), env=env).cpu

    def own():
        return json.loads(run([setting.tools / "exr_work", plate, ours, 3], env=env).out)["cpu"]

    answers = alternate(rounds, ours=own, theirs=lambda: cpu(plate, theirs),
                        start=lambda: cpu(tiny, setting.work / "tiny.exr"))
    if _mean(ours) != _mean(theirs):
        raise AssertionError("the two files differ: one of them did other work")
    mine, other = median(answers["ours"]), median(answers["theirs"]) - median(answers["start"])
    detail = {"size": size, "core seconds": answers, "ours": mine, "theirs": other}
    return [Figure("EXR work of a 4K frame: depthq / OpenImageIO, core-s", mine / other, at_most=0.5, detail=detail,
                   note=f"{mine:.3f} s against Debian's oiiotool {other:.3f} s, its start-up taken out")]
