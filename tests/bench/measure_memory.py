"""Peak memory: the same for 10 and 200 frames, and bounded by --memory."""
import json
import re

import networks
from figures import Figure
from process import run


def measure(setting):
    many = 40 if setting.quick else 200
    model = networks.pointwise(setting)
    plates = setting.plates("memory", many, "1024x576")
    large = setting.plates("memory", 8, "2048x1080")

    def peak(name, folder, frames, *more):
        job = setting.job(name, folder, frames, model)
        command = [setting.depthq, "run", job, "--progress", "json", "--device", "cpu", *more]
        return run(command, env=setting.env()).peak_mib

    def least(name, folder, frames):
        """The least --memory (MiB) that depthq itself says a frame needs."""
        job = setting.job(name, folder, frames, model)
        command = [setting.depthq, "run", job, "--json", "--device", "cpu", "--memory", "16M"]
        said = json.dumps(json.loads(run(command, env=setting.env(), allowed=(1, 65)).out))
        return int(re.search(r"needs (\d+) MiB", said).group(1))

    few, lots = peak("memory-10", plates, 10), peak(f"memory-{many}", plates, many)
    bare = peak("memory-1", setting.plates("memory", 1, "64x36"), 1)
    free, bounded = peak("memory-free", large, 8, "--memory", "4G"), peak("memory-bound", large, 8, "--memory", "160M")
    need = least("memory-need", large, 8)
    tight = peak("memory-tight", large, 8, "--memory", f"{need}M")
    detail = {"peak MiB": {"10 frames": few, f"{many} frames": lots, "one tiny frame": bare, "8 frames of 2K, 4G": free,
                           "8 frames of 2K, 160M": bounded, f"8 frames of 2K, {need}M, the least that it takes": tight}}
    return [
        Figure(f"peak memory, {many} frames / 10 frames", lots / few, at_least=0.95, at_most=1.05, detail=detail,
               note=f"{lots:.0f} and {few:.0f} MiB, the largest process; {bare:.0f} MiB of it for one tiny frame"),
        Figure("memory of frames in flight / --memory 160M", (bounded - bare) / 160, at_most=1.05,
               note=f"{bounded - bare:.0f} MiB above a tiny frame's peak; {free - bare:.0f} MiB with --memory 4G"),
        Figure("memory of frames in flight / the least --memory", (tight - bare) / need, at_most=1.05,
               note=f"{tight - bare:.0f} MiB above a tiny frame's peak with --memory {need}M, the least that a frame of 2K "
                    f"is said to need"),
    ]
