"""One natural plate through the network that ships: what tiles, aligned, make of it beside the whole picture at once.

Both are depthq's: the picture it writes, and the guide that it keeps of a scan, enlarged.
"""
import subprocess
import tempfile
from pathlib import Path

import numpy as np

import frame_bench as fb
import metrics as m
import shot_bench as sb


def network(build):
    """The artefact that ships with the build."""
    (found,) = (build / "share/depthq/models").glob("*.pt")
    return found


def measure(build, out, seed, size="4096x2160"):
    """-> a row: figures of ours and of the whole frame, and ours by the whole frame's."""
    build = Path(build).resolve()
    with tempfile.TemporaryDirectory(prefix="demo_", dir=out) as folder:
        return _measure(build, out, Path(folder), seed, size)


def _measure(build, out, folder, seed, size):
    w, h = map(int, size.split("x"))
    subprocess.run([build / "bin/depthq-scene", folder, "--seed", str(seed), "--kind", "natural", "--indoor", "no", "--size",
                    size, "--threads", "2"], check=True)
    made, seconds = sb.depthq(build, folder, sb.DEMO, "off")
    scanned, _ = sb.depthq(build, folder, sb.DEMO, "shot", "--stage", "scan")
    guide = fb.read_exr(next((scanned / ".depthq").glob("*/guides/*.exr")), "R")[0]
    ours = fb.read_exr(next(made.glob("d.*.exr")), "Z")[0]
    z, sky = fb.read_exr(next(folder.glob("z.*.exr")), "Z", "sky")
    plan = fb.plan_of(build, network(build), (h, w))
    mask, T = m.scored(z, sky), np.where(sky > 0.5, 0, 1 / z)
    clear = m.clear_of_edges(T, mask)
    methods = {"ours": ours, "whole frame": fb.resize(guide, (h, w), fb.linear)}
    row = {"seed": seed, "size": size, "seconds": seconds, "tiles": len(plan["tiles"]),
           "methods": {name: fb.figures(D, T, z, mask, clear, plan) for name, D in methods.items()}}
    mine, whole = row["methods"]["ours"], row["methods"]["whole frame"]
    row["ours"] = {**mine, "absrel / whole": mine["absrel"] / whole["absrel"], "f1 / whole": mine["f1"] / max(whole["f1"], 1e-9)}
    fb.draw(out, f"demo_{seed}", ours, T, mask, plan)
    return row
