"""What a depth that holds costs on top of the network: align, blend and low band of every frame, and its share of the
shot's solve, beside the forwards of the Small architecture (tiles and guide), at 2K and at 4K.

CPU seconds of both: ours run beside the next frame's forwards, which use all cores. The solve is of guides, whose size is
the network's: it is measured on small plates, and the same for large ones.
"""
import json
import subprocess
from statistics import median

import numpy as np

import networks
from figures import Figure
from measure_small import TILE, bare_command
from process import run

SIZES = {"2K": (2048, 1080), "4K": (4096, 2160)}


def world(width, height):
    """A ground that rises, and things on it at many depths, with edges everywhere."""
    dice = np.random.default_rng(7)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    depth = 0.1 + 0.5 * y / height + 0.02 * np.sin(x / 90) * np.cos(y / 70)
    for _ in range(120):
        at_x, at_y, r = dice.uniform(0, width), dice.uniform(0, height), height * dice.uniform(0.01, 0.1)
        x0, x1, y0, y1 = [int(np.clip(v, 0, n)) for v, n in
                          ((at_x - r, width), (at_x + r, width), (at_y - r, height), (at_y + r, height))]
        spot = (x[y0:y1, x0:x1] - at_x) ** 2 + (y[y0:y1, x0:x1] - at_y) ** 2 < r * r
        depth[y0:y1, x0:x1][spot] = 0.1 + 0.5 * min(at_y + r, height) / height + dice.uniform(0, 0.2)
    return depth


def answers(depth, plan):
    """What a network says of guide and tiles, each in an affine of its own -> bytes as align_frame reads them."""
    dice = np.random.default_rng(8)
    (h, w), (th, tw) = plan["content"], plan["tile"]
    rows = ((np.arange(h) + 0.5) * depth.shape[0] / h).astype(int)
    columns = ((np.arange(w) + 0.5) * depth.shape[1] / w).astype(int)
    told = [depth[np.ix_(rows, columns)]]
    for y, x in plan["tiles"]:
        tile = np.pad(depth[y:y + th, x:x + tw], ((0, max(0, y + th - depth.shape[0])), (0, max(0, x + tw - depth.shape[1]))),
                      mode="edge")
        told.append(dice.uniform(0.7, 1.5) * tile + dice.uniform(-0.2, 0.2))
    return b"".join(t.astype(np.float32).tobytes() for t in told)


def merge_s(setting, model, width, height, rounds):
    """-> forwards a frame, median CPU seconds of align, blend and low band."""
    tool = [str(setting.tools / "align_frame"), str(model), str(width), str(height)]
    plan = json.loads(subprocess.run([*tool, "plan"], capture_output=True, text=True, check=True, env=setting.env()).stdout)
    given = answers(world(width, height), plan)
    told = []
    for _ in range(rounds):
        done = subprocess.run([*tool, "align"], input=given, capture_output=True, check=True, env=setting.env())
        told.append(json.loads(done.stderr.splitlines()[-1]))
    return len(plan["tiles"]) + 1, {k: median(t[k] for t in told) for k in told[0]}


def solve_s(setting, frames):
    """CPU seconds a frame of a solve, the process and the reading of guides included."""
    model = networks.fake(setting, "affine", TILE)
    plates = setting.plates("align", frames, "960x540", distinct=frames)
    job = setting.job("align", plates, frames, model, more="stabilize: shot\n")
    for stage in ("scan", "solve"):
        done = run([setting.depthq, "run", job, "--stage", stage, "--progress", "plain", "--device", "cpu"], env=setting.env())
    return done.cpu / frames


def measure(setting):
    frames, rounds = (12, 1) if setting.quick else (48, 3)
    model = networks.small(setting)
    solve = solve_s(setting, frames)
    forward = json.loads(run(bare_command(setting, model, 3 if setting.quick else 15), env=setting.env()).out)["cpu"]
    figures = []
    for name, (width, height) in SIZES.items():
        forwards, own = merge_s(setting, model, width, height, rounds)
        total = sum(own.values()) + solve
        figures.append(Figure(
            f"{name}: align, solve and blend / Small forwards", total / (forwards * forward), at_most=0.03,
            detail={"forwards": forwards, "forward s": forward, "own s": own, "solve s a frame": solve},
            note=f"{1e3 * total:.0f} CPU-ms a frame ({1e3 * solve:.0f} of them the solve, of {frames} frames) beside "
                 f"{forwards} forwards of {1e3 * forward:.0f} CPU-ms"))
    return figures
