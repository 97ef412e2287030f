"""Inside a frame: one coded plate, its exact depth, and what depthq and the baselines make of it.

The guide and the tiles are computed here too, from the same plate by the same network, so that the right affine of
every tile is known; tests/tools/align_frame.c aligns them. The whole program runs beside it, and its picture is the
one that is measured.
"""
import json
import shutil
import subprocess
import tempfile
from pathlib import Path

import numpy as np
import OpenEXR
import torch

import adversary
import metrics as m
import pictures

CODE_NEAR = 0.5  # R of a coded plate is CODE_NEAR / z


def read_exr(path, *channels):
    with OpenEXR.File(str(path), separate_channels=True) as file:
        return [np.asarray(file.channels()[c].pixels, np.float32) for c in channels]


# ---- what the network says, computed here ----

def area(n, k):
    """[k,n]: means over k equal parts of n samples."""
    edge, i = np.linspace(0, n, k + 1), np.arange(n)
    rows = np.clip(np.minimum(edge[1:, None], i + 1) - np.maximum(edge[:-1, None], i), 0, None)
    return rows / rows.sum(1, keepdims=True)


def linear(n, k):
    """[k,n]: bilinear to k samples, half-pixel centres."""
    at = np.clip((np.arange(k) + 0.5) * n / k - 0.5, 0, n - 1)
    low = np.minimum(at.astype(int), n - 2)
    rows, r = np.zeros((k, n)), np.arange(k)
    rows[r, low] += 1 - (at - low)
    rows[r, low + 1] += at - low
    return rows


def resize(picture, shape, matrix):
    rows, columns = [matrix(n, k) for n, k in zip(picture.shape, shape)]
    return (rows @ picture @ columns.T).astype(np.float32)


def answer(net, rgb):
    x = torch.from_numpy(np.ascontiguousarray(rgb))[None]
    with torch.inference_mode():
        s, b = net.affine(x)
        return net(x).numpy()[0, 0], (s.item(), b.item())


def guide_of(net, rgb, plan):
    small = np.stack([resize(p, plan["content"], area) for p in rgb])
    (gh, gw), (h, w) = plan["guide"], plan["content"]
    padded = np.pad(small, ((0, 0), (0, gh - h), (0, gw - w)), mode="reflect")
    u, affine = answer(net, padded)
    return u[:h, :w], affine


def tiles_of(net, rgb, plan):
    th, tw = plan["tile"]
    return zip(*[answer(net, rgb[:, y:y + th, x:x + tw]) for y, x in plan["tiles"]])


# ---- baselines ----

def ramp(n, overlap, first, last):
    i = np.arange(n)
    w = np.minimum(1, (np.minimum(i, i[::-1]) + 0.5) / overlap)
    w[:n // 2] = 1 if first else w[:n // 2]
    w[n // 2:] = 1 if last else w[n // 2:]
    return w.astype(np.float32)


def blend(tiles, plan, shape):
    total, weight = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    th, tw = plan["tile"]
    for tile, (y, x) in zip(tiles, plan["tiles"]):
        w = np.outer(ramp(th, plan["overlap"][0], y == 0, y + th == shape[0]),
                     ramp(tw, plan["overlap"][1], x == 0, x + tw == shape[1]))
        total[y:y + th, x:x + tw] += w * tile
        weight[y:y + th, x:x + tw] += w
    return total / weight


def normalised(tile):
    low, high = tile.min(), tile.max()
    return (tile - low) / max(high - low, 1e-9)


# ---- ours ----

def plan_of(build, model, shape):
    """How depthq cuts a frame of that shape for the model."""
    told = subprocess.run([build / "tools/align_frame", model, str(shape[1]), str(shape[0]), "plan"], capture_output=True,
                          text=True, check=True).stdout
    return json.loads(told)


def align(build, model, shape, guide, tiles):
    """-> fates [K], (s, b) [K,2], blend before the low band, depth, seconds."""
    h, w = shape
    done = subprocess.run([build / "tools/align_frame", model, str(w), str(h), "align"], capture_output=True, check=True,
                          input=guide.tobytes() + np.stack(tiles).tobytes())
    values = np.frombuffer(done.stdout, np.float32)
    told = values[:3 * len(tiles)].reshape(-1, 3)
    before, depth = values[3 * len(tiles):].reshape(2, h, w)
    return told[:, 2].astype(int), told[:, :2], before, depth, json.loads(done.stderr.splitlines()[-1])


JOB = """depthq: 1
plate: plate.####.exr
model: {model}
depth: {{kind: native}}
input: {{exposure: 0, tonemap: clip, colorspace: lin_rec709}}
output:
  path: depth.####.exr
"""


def program(build, folder, model):
    """The whole program over the folder's plates -> the depth of each."""
    (folder / "shot.yaml").write_text(JOB.format(model=model))
    done = subprocess.run([build / "bin/depthq", "run", "shot.yaml", "--progress", "plain"], cwd=folder, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return [read_exr(p, "Z")[0] for p in sorted(folder.glob("depth.*.exr"))]


# ---- together ----

def determined(T, plan, smooth, unit):
    """Which tiles the guide can determine: by the true disparity's blocks of 4 guide px."""
    (th, tw), found = plan["tile"], []
    sides = [max(1, round(4 * n / k)) for n, k in zip(T.shape, plan["content"])]
    for y, x in plan["tiles"]:
        shape = [th // sides[0], tw // sides[1]]
        cut = np.s_[y:y + shape[0] * sides[0], x:x + shape[1] * sides[1]]

        def blocks(v):
            return v[cut].astype(np.float64).reshape(shape[0], sides[0], shape[1], sides[1]).mean((1, 3))
        found.append(m.is_determined(blocks(T), blocks(smooth) > 0.999, unit))
    return np.array(found)


def figures(D, T, z, mask, clear, plan):
    laps = [m.overlaps(sorted({p[a] for p in plan["tiles"]}), plan["tile"][a]) for a in (0, 1)]
    lines = [sorted({x for lap in axis for x in lap}) for axis in laps]
    s, b = m.fit(D, T, mask)
    d = m.distance(s * D + b)
    seam = m.seam_ratio(D, T, mask, lines[1], lines[0], clear)
    step = m.tile_step(D, T, mask, laps[1], laps[0], clear)
    if not len(seam) or not len(step):
        seam, step = np.ones(1), np.zeros(1)
    return {"absrel": m.abs_rel(d, z, mask), "delta1": m.delta1(d, z, mask), "f1": m.boundary_f1(d, z),
            "seam median": float(np.median(seam)), "seam p99": float(np.percentile(seam, 99)),
            "step median": float(np.median(step)), "step p99": float(np.percentile(step, 99)), "pieces": len(seam)}


def draw(out, name, D, T, mask, plan):
    s, b = m.fit(D, T, mask)
    unit = m.span(T, mask)
    error = (s * D + b - T) / unit
    pictures.error_map(out / f"{name}_error.png", error, mask, 0.02)
    row = np.where(mask, error, np.nan)[T.shape[0] * 3 // 4]
    pictures.plot(out / f"{name}_seams.png", [row], -0.02, 0.02)


def measure(build, out, form, seed, size, whole_program=True, keep=None):
    """One seed and one form of the adversary -> a row of the table."""
    w, h = map(int, size.split("x"))
    build = Path(build).resolve()
    folder = Path(tempfile.mkdtemp(prefix="quality_", dir=out))
    try:
        subprocess.run([build / "bin/depthq-scene", folder, "--seed", str(seed), "--kind", "coded", "--indoor", "no",
                        "--size", size, "--threads", "2"], check=True)
        model = folder / "adversary.pt"
        net = adversary.write(model, adversary.BEND if form == "bent" else 0.0)
        return _measure(build, out, folder, model, net, form, seed, (h, w), whole_program)
    finally:
        shutil.rmtree(folder)


def _measure(build, out, folder, model, net, form, seed, shape, whole_program):
    rgb = np.stack(read_exr(next(folder.glob("plate.*.exr")), "R", "G", "B"))
    z, sky = read_exr(next(folder.glob("z.*.exr")), "Z", "sky")
    plan = plan_of(build, model, shape)
    guide, (gs, gb) = guide_of(net, rgb, plan)
    tiles, true = tiles_of(net, rgb, plan)
    fates, sb, before, depth, seconds = align(build, model, shape, guide, tiles)
    if whole_program:
        shown = program(build, folder, model)[0]
        apart = float(np.abs(shown - depth).max() / np.ptp(depth))
    else:
        shown, apart = depth, 0.0

    mask, T = m.scored(z, sky), np.where(sky > 0.5, 0, 1 / z)
    clear = m.clear_of_edges(T, mask)
    right = [(gs / s, gb - gs / s * b) for s, b in true]
    unit = gs * CODE_NEAR * m.span(T, mask)  # RANGE in the guide's units
    known = determined(T, plan, clear, m.span(T, mask)) & (fates != 3)
    scale = np.abs(sb[:, 0] / np.array([r[0] for r in right]) - 1)
    methods = {"ours": shown, "before the low band": before,
               "true affines": blend([s * t + b for t, (s, b) in zip(tiles, right)], plan, shape),
               "whole frame": resize(guide, shape, linear), "tiles as they come": blend(tiles, plan, shape),
               "tiles normalised": blend([normalised(t) for t in tiles], plan, shape)}
    row = {"seed": seed, "size": f"{shape[1]}x{shape[0]}",
           "methods": {name: figures(D, T, z, mask, clear, plan) for name, D in methods.items()}}
    ours = row["ours"] = dict(row["methods"]["ours"])
    worst = {name: row["methods"]["whole frame"][name] for name in ("absrel", "f1")}
    ours.update({"scale error": float(scale[known].max()) if known.any() else 0.0,
                 "scale error median": float(np.median(scale[known])) if known.any() else 0.0,
                 "misfit": m.misfit(tiles, sb, right, unit), "tiles": len(tiles), "determined": int(known.sum()),
                 "absrel / whole": ours["absrel"] / worst["absrel"], "f1 / whole": ours["f1"] / max(worst["f1"], 1e-9),
                 "program apart": apart, "align share": sum(seconds.values()),
                 "fates": [int((fates == f).sum()) for f in range(4)],
                 "tile scale errors": [float(v) for v in scale], "known": [bool(v) for v in known],
                 "tile misfits": [m.misfit([t], [f], [r], unit) for t, f, r in zip(tiles, sb, right)]})
    draw(out, f"{form}_{seed}", shown, T, mask, plan)
    return row
