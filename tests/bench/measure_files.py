"""A pointwise network on 4K plates, where files are the work: depthq run
against a Python loop, whole processes."""
import sys
from statistics import median

import networks
from figures import Figure, alternate, paired_ratio
from process import run, steady
from setting import ROOT

WHOLE = "tiles:\n  size: whole\n"


def measure(setting):
    frames, rounds, size = (4, 1, "2048x1080") if setting.quick else (24, 3, "4096x2160")
    model = networks.pointwise(setting)
    plates = setting.plates("files", frames, size)
    name = f"1001-{1000 + frames}"

    def depthq():
        job = setting.job("files", plates, frames, model, WHOLE)
        return run([setting.depthq, "run", job, "--progress", "json", "--device", "cpu"], env=setting.env())

    def loop():
        return run([sys.executable, ROOT / "tests/bench/loop.py", model, plates, name, setting.work / "out/loop", 0, 0,
                    setting.cores], env=setting.env())

    answers = alternate(rounds, depthq=depthq, loop=loop)
    walls = {k: [d.wall for d in v] for k, v in answers.items()}
    cpus = {k: [d.cpu for d in v] for k, v in answers.items()}
    busy = [steady(d) for d in answers["depthq"]]
    detail = {"frames": frames, "size": size, "whole s": walls, "cpu s": cpus, "steady s a frame": busy}
    return [
        Figure("pointwise 4K: depthq / Python loop, wall", paired_ratio(walls["depthq"], walls["loop"]), at_most=0.5,
               detail=detail, note=f"whole processes, {frames} frames, ZIP half RGB in, ZIPS float Z out"),
        Figure("pointwise 4K: depthq / Python loop, CPU", paired_ratio(cpus["depthq"], cpus["loop"])),
        Figure("pointwise 4K: wall / (CPU / cores), steady", median(w / (c / setting.cores) for w, c in busy),
               note="1.0: no core is ever idle"),
    ]
