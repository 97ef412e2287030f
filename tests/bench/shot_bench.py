"""Over a shot: coded plates of a camera that stands, pans or goes, their exact depth, and what depthq makes of them.

The adversary draws another affine for every frame's guide, so a shot that is not solved pulses by as much as x3. What is
measured is the whole program's picture (`stabilize: shot`, `kind: native`). Beside it, made of the same pictures: every
frame normalised by its own quantiles (what existing tools do), and every frame through its best affine to truth (what no
solve over the shot can beat). Definitions: tests/oracle/metrics.py, after reference: depth §6.
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
input: {{exposure: 0, tonemap: clip, colorspace: lin_rec709}}
stabilize: {stabilize}
output:
  path: {out}/d.####.exr
"""


def render(folder, seed, camera, size, frames, build, entering=False):
    subprocess.run([build / "bin/depthq-scene", folder, "--seed", str(seed), "--kind", "coded", "--indoor", "no", "--motion",
                    "--camera", camera, "--size", size, "--frames", f"1001-{1000 + frames}", "--threads", "2",
                    *(["--entering"] if entering else [])], check=True)


def run(build, folder, model, stabilize="shot"):
    """-> depths [N,H,W], shot.json, seconds."""
    out = folder / stabilize
    (folder / "shot.yaml").write_text(JOB.format(model=model, stabilize=stabilize, out=stabilize))
    begun = time.monotonic()
    done = subprocess.run([build / "bin/depthq", "run", "shot.yaml", "--progress", "plain"], cwd=folder, text=True,
                          capture_output=True, check=False)
    if done.returncode:
        raise SystemExit(done.stdout + done.stderr)
    shot = json.loads(next((out / ".depthq").glob("*/shot.json")).read_text())
    return np.stack([fb.read_exr(p, "Z")[0] for p in sorted(out.glob("d.*.exr"))]), shot, time.monotonic() - begun


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


def measure(build, out, camera, seed, size="960x540", frames=240, entering=False):
    """One camera and one seed -> a row of the table."""
    build, folder = Path(build).resolve(), Path(tempfile.mkdtemp(prefix="shot_", dir=out))
    try:
        render(folder, seed, camera, size, frames, build, entering)
        return measure_in(build, out, folder, camera, seed, entering)
    finally:
        shutil.rmtree(folder)


def measure_in(build, out, folder, camera, seed, entering=False):
    model = folder / "adversary.pt"
    adversary.write(model)
    Ds, shot, seconds = run(build, folder, "./adversary.pt")
    zs, masks, motions, cameras = truth(folder)
    Ts = [np.where(z < 1e5, 1 / z, 0) for z in zs]
    best = [s * D + b for D, (s, b) in zip(Ds, m.frame_fits(Ds, Ts, masks))]
    methods = {"ours": list(Ds), "normalised by frame": [normalised(D) for D in Ds], "best affine by frame": best}
    row = {"camera": camera + (" entering" if entering else ""), "seed": seed, "frames": len(Ds), "seconds": seconds,
           "stretches": len({f["stretch"] for f in shot["solution"]}),
           "evidence": min(f["evidence"] for f in shot["solution"]),
           "methods": {name: figures(D, Ts, zs, masks, motions, cameras, camera == "static") for name, D in methods.items()}}
    logs = [np.array(row["methods"][k]["logs"]) for k in ("ours", "normalised by frame")]
    pictures.plot(out / f"scale_{row['camera'].replace(' ', '_')}_{seed}.png", [v - v.mean() for v in logs])
    return row
