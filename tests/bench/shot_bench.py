"""Over a shot: coded plates of a camera that stands, pans or goes, their exact depth, and what depthq makes of them.

The adversary draws another affine for every frame's guide, so a shot that is not solved pulses by as much as x3. What is
measured is the whole program's picture (`stabilize: shot`, `kind: native`). Beside it, made of the same pictures: every
frame normalised by its own quantiles (what existing tools do), and every frame through its best affine to truth (what no
solve over the shot can beat); and made of the same plates by the same network: tiles blended as they come, tiles
normalised one by one, the whole frame upsampled. Definitions: tests/oracle/metrics.py.

A camera that stands repeats one plate, and so any network its answer: standing shots get a little grain, or no measure of
flicker could fail. With demo=True the same of a real network, the one that ships, over natural plates.

A long shot's drift does not need its pictures: measure_guides scans and solves with the program and measures the guides,
through their solution, against the truth on the guides' own pixels.
"""
import json
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

import numpy as np

import adversary
import frame_bench as fb
import metrics as m
import pictures

JOB = """depthq: 1
plate: plate.####.exr
model: {model}
depth: {{kind: native}}
{more}stabilize: {stabilize}
output:
  path: {out}/d.####.exr
"""


GRAIN = 0.002  # of standing coded shots, at 0.18; natural ones have their own
CODED = "input: {exposure: 0, tonemap: clip, colorspace: lin_rec709}\n"
ADVERSARY, DEMO = "./adversary.pt", "demo-depth"


def render(folder, seed, camera, size, frames, build, entering=False, natural=False, motion=True):
    kind = ["natural"] if natural else ["coded", *(["--grain", str(GRAIN)] if camera == "static" else [])]
    subprocess.run([build / "bin/depthq-scene", folder, "--seed", str(seed), "--kind", *kind, "--indoor", "no",
                    "--camera", camera, "--size", size, "--frames", f"1001-{1000 + frames}", "--threads", "2",
                    *(["--entering"] if entering else []), *(["--motion"] if motion else [])], check=True)


def depthq(build, folder, model, stabilize="shot", *options):
    """-> the output's folder, seconds."""
    (folder / "shot.yaml").write_text(JOB.format(model=model, stabilize=stabilize, out=stabilize,
                                               more="" if model == DEMO else CODED))
    begun = time.monotonic()
    done = subprocess.run([build / "bin/depthq", "run", "shot.yaml", "--progress", "plain", *options], cwd=folder, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    return folder / stabilize, time.monotonic() - begun


def solution(out):
    return json.loads(next((out / ".depthq").glob("*/shot.json")).read_text())


def run(build, folder, model, stabilize="shot"):
    """-> depths [N,H,W], shot.json, seconds."""
    out, seconds = depthq(build, folder, model, stabilize)
    return np.stack([fb.read_exr(p, "Z")[0] for p in sorted(out.glob("d.*.exr"))]), solution(out), seconds


def truth(folder):
    """-> z [N,H,W], masks, motions [(u, v)], cameras."""
    z, sky = zip(*[fb.read_exr(p, "Z", "sky") for p in sorted(folder.glob("z.*.exr"))])
    motions = [fb.read_exr(p, "u", "v") for p in sorted(folder.glob("motion.*.exr"))]
    cameras = json.loads((folder / "camera.json").read_text())["cameras"]
    return np.stack(z), [m.scored(a, b) for a, b in zip(z, sky)], motions, cameras


def normalised(D):
    low, high = np.percentile(D, [0.5, 99.5])
    return (D - low) / max(high - low, 1e-9)


def figures(Ds, Ts, zs, masks, motions, cameras, static):
    """Of one method's pictures [N,H,W], after one fit over the shot."""
    s, b = m.fit(np.stack(Ds), np.stack(Ts), np.stack(masks))
    fits = m.frame_fits(Ds, Ts, masks)
    std, slope = m.drift(fits)
    d = [m.distance(s * D + b) for D in Ds]
    row = {"drift": std, "slope": slope, "drift of shift": m.drift_of_shift(fits, (s, b), Ts, masks),
           "tae": m.tae(d, zs, motions, masks, cameras),
           "absrel": float(np.mean([m.abs_rel(a, z, k) for a, z, k in zip(d, zs, masks)])),
           "delta1": float(np.mean([m.delta1(a, z, k) for a, z, k in zip(d, zs, masks)])), "logs": np.log(fits[:, 0]).tolist()}
    if static:
        row["static noise"] = m.static_noise(Ds, masks)
    return row


# ---- baselines ----

def others(build, folder, model, net, shape):
    """Yields (name, pictures [N,H,W]) of what the network alone makes of the folder's plates, however put together."""
    plan = fb.plan_of(build, model, shape)
    plates = [np.stack(fb.read_exr(p, "R", "G", "B")) for p in sorted(folder.glob("plate.*.exr"))]
    yield "whole frame upsampled", [fb.resize(fb.guide_of(net, rgb, plan)[0], shape, fb.linear) for rgb in plates]
    yield "tiles as they come", [fb.blend(list(fb.tiles_of(net, rgb, plan))[0], plan, shape) for rgb in plates]
    yield "tiles normalised", [fb.blend([fb.normalised(t) for t in list(fb.tiles_of(net, rgb, plan))[0]], plan, shape)
                               for rgb in plates]


# ---- together ----

def in_folder(out, work):
    """work(folder) in a folder of its own, which goes afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="shot_", dir=out))
    try:
        return work(folder)
    finally:
        shutil.rmtree(folder)


def measure(build, out, camera, seed, size="960x540", frames=240, entering=False, demo=False):
    """One camera and one seed -> a row of the table."""
    build = Path(build).resolve()

    def work(folder):
        render(folder, seed, camera, size, frames, build, entering, natural=demo)
        return measure_in(build, out, folder, camera, seed, entering, demo)
    return in_folder(out, work)


def head_of(camera, seed, entering, shot, frames, seconds):
    return {"camera": camera + (" entering" if entering else ""), "seed": seed, "frames": frames, "seconds": seconds,
            "stretches": len({f["stretch"] for f in shot["solution"]}),
            "evidence": min(f["evidence"] for f in shot["solution"])}


def plot_scales(out, row):
    logs = [np.array(row["methods"][k]["logs"]) for k in ("ours", "normalised by frame")]
    pictures.plot(out / f"scale_{row['camera'].replace(' ', '_')}_{row['seed']}.png", [v - v.mean() for v in logs])


def measure_in(build, out, folder, camera, seed, entering=False, demo=False):
    model = folder / "adversary.pt"
    net = None if demo else adversary.write(model)
    Ds, shot, seconds = run(build, folder, DEMO if demo else ADVERSARY)
    zs, masks, motions, cameras = truth(folder)
    Ts = [np.where(z < 1e5, 1 / z, 0) for z in zs]
    row = head_of(camera, seed, entering, shot, len(Ds), seconds)

    def figures_of(D):
        return figures(D, Ts, zs, masks, motions, cameras, camera == "static")
    row["methods"] = {
        "ours": figures_of(list(Ds)),
        "best affine by frame": figures_of([s * D + b for D, (s, b) in zip(Ds, m.frame_fits(Ds, Ts, masks))]),
        "normalised by frame": figures_of([normalised(D) for D in Ds])}
    if net:
        row["methods"].update((name, figures_of(D)) for name, D in others(build, folder, model, net, Ds.shape[1:]))
    plot_scales(out, row)
    return row


# ---- guides alone ----

def drifts(Gs, Ts, masks):
    fits = m.frame_fits(Gs, Ts, masks)
    std, slope = m.drift(fits)
    whole = m.fit(np.stack(Gs), np.stack(Ts), np.stack(masks))
    return {"drift": std, "slope": slope, "drift of shift": m.drift_of_shift(fits, whole, Ts, masks),
            "logs": np.log(np.maximum(fits[:, 0], 1e-30)).tolist()}


def thinned(picture):
    """Every other pixel either way: 240 guides are to fit in memory, and a line through 100,000 points is known."""
    return np.ascontiguousarray(picture[::2, ::2])


def guide_truth(folder, shape):
    """True disparity and what is scored, on the guides' pixels: the network answers means of disparity."""
    Ts, masks = [], []
    for path in sorted(folder.glob("z.*.exr")):
        z, sky = fb.read_exr(path, "Z", "sky")
        scored = m.scored(z, sky)
        Ts.append(thinned(fb.resize(np.where(sky < 0.5, 1 / z, 0), shape, fb.area)))
        masks.append(thinned(fb.resize(scored.astype(np.float32), shape, fb.area) > 0.999))
    return Ts, masks


def measure_guides(build, out, camera, seed, size="960x540", frames=240, entering=False):
    """The drift of one camera and one seed, from guides and their solution -> a row of the table."""
    build = Path(build).resolve()

    def work(folder):
        render(folder, seed, camera, size, frames, build, entering, motion=False)
        adversary.write(folder / "adversary.pt")
        depthq(build, folder, ADVERSARY, "shot", "--stage", "scan")
        made, seconds = depthq(build, folder, ADVERSARY, "shot", "--stage", "solve")
        shot = solution(made)
        Gs = [fb.read_exr(p, "R")[0] for p in sorted((made / ".depthq").glob("*/guides/*.exr"))]
        Ts, masks = guide_truth(folder, Gs[0].shape)
        Gs = [thinned(G) for G in Gs]
        row = head_of(camera, seed, entering, shot, len(Gs), seconds)
        row["methods"] = {
            "ours": drifts([f["scale"] * G + f["shift"] for f, G in zip(shot["solution"], Gs)], Ts, masks),
            "normalised by frame": drifts([normalised(G) for G in Gs], Ts, masks),
            "whole frame as it comes": drifts(Gs, Ts, masks)}
        plot_scales(out, row)
        return row
    return in_folder(out, work)
