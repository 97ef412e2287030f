"""Depth Anything V2 Small's architecture on 2K plates: what depthq costs above
bare forwards, and against a Python loop. Both need the same depthq runs, so
they are made together: depthq, bare, loop, depthq, bare, loop.
"""
import json
import re
import subprocess
import sys
from statistics import median

import networks
from figures import Figure, alternate, paired_ratio, spread
from process import run, steady
from setting import ROOT

TILE, OVERLAP = networks.SMALL_SIZE, 126  # tiles.overlap 0.25 of 518, in whole patches


def _tiles(setting, depth_file):
    """Tiles of a frame, as its header tells. Its guide comes on top, but in a shot as short as this the survey has
    asked for it, before the steady state."""
    inspected = subprocess.run([setting.depthq, "inspect", "--json", depth_file], capture_output=True, text=True,
                               check=True).stdout
    columns, rows, size, overlap = map(int, re.search(r"(\d+)x(\d+) of (\d+)x\d+ overlap (\d+)", inspected).groups())
    if (size, overlap) != (TILE, OVERLAP):
        raise AssertionError(f"tiles of {size} with overlap {overlap}: the loop would do other work")
    return columns * rows


def _bare(setting, model, forwards):
    """Wall and CPU seconds of one forward in depthq's own thread, allocator and graph settings."""
    done = run([setting.tools / "net_time", model, "cpu", setting.cores, 1, TILE, TILE, forwards], env=setting.env())
    told = json.loads(done.out)
    return told["wall"], told["cpu"]


def measure(setting):
    frames, rounds, size = (2, 1, "1040x600") if setting.quick else (8, 3, "2048x1080")
    model = networks.small(setting)
    plates = setting.plates("small", frames, size)
    name = f"1001-{1000 + frames}"
    out = setting.work / "out/small"

    def depthq():
        job = setting.job("small", plates, frames, model)
        return run([setting.depthq, "run", job, "--progress", "json", "--device", "cpu"], env=setting.env())

    def loop():
        return run([sys.executable, ROOT / "tests/bench/loop.py", model, plates, name, setting.work / "out/loop", TILE,
                    OVERLAP, setting.cores], env=setting.env())

    def bare():
        return _bare(setting, model, 6 if setting.quick else 33)

    answers = alternate(rounds, depthq=depthq, bare=bare, loop=loop)
    forwards = _tiles(setting, out / "depth.1001.exr")
    own = [steady(d) for d in answers["depthq"]]
    walls = [wall / (forwards * b) for (wall, _), (b, _) in zip(own, answers["bare"])]
    cpus = [cpu / (forwards * b) for (_, cpu), (_, b) in zip(own, answers["bare"])]
    whole = {k: [d.wall for d in answers[k]] for k in ("depthq", "loop")}
    detail = {"frames": frames, "size": size, "forwards a frame": forwards, "steady s a frame": own,
              "bare forward s": answers["bare"], "whole s": whole, "cpu s": {k: [d.cpu for d in answers[k]] for k in whole},
              "spread": spread(whole["depthq"])}
    return [
        Figure("Small 2K: depthq / bare forwards, wall", median(walls), at_most=1.10, detail=detail,
               note=f"steady state of {frames} frames (first to last settled), {forwards} forwards each; bare: the same "
                    "graph, allocator and threads"),
        Figure("Small 2K: depthq / bare forwards, CPU", median(cpus)),
        Figure("Small 2K: depthq / Python loop, wall", paired_ratio(whole["depthq"], whole["loop"]), at_most=1.0,
               note="whole processes, start-up and load included"),
        Figure("Small 2K: depthq / Python loop, CPU", median(a.cpu / b.cpu for a, b in zip(answers["depthq"],
                                                                                          answers["loop"]))),
    ]
