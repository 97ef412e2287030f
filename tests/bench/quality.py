"""make bench-quality: depthq's depth against exact truth, beside what others do.

    quality.py BUILD [--full] [--seeds 1,2,3] [--size 4096x2160] [--out FOLDER]             single frames
    quality.py BUILD --shots static,pan,dolly [--frames 24] [--seeds ...]                    whole shots alone (960x540)
    quality.py BUILD --shots static,pan,dolly --guides [--frames 240] [--seeds ...]          their drift alone

Single frames at 4K; short shots through the whole program; the drift of long ones, from their guides. Coded
plates (tests/oracle/adversary.py) are rendered, the program runs over them, and tables are printed against truth and
against baselines: tiles blended as they come, tiles normalised one by one, the whole frame upsampled, every frame
normalised by itself. "static entering": something near comes into the picture. Pictures (PNG) and quality.json go to the
folder. Exit status 1 when a bound is missed. Definitions: tests/oracle/metrics.py.
"""
import argparse
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests/oracle"), str(ROOT / "tests/bench")]
import frame_bench  # noqa: E402
import shot_bench  # noqa: E402

# quantity: bound, for the straight and the bent adversary; at most unless it ends in "at least"
BOUNDS = {
    "straight": {"seam median": 1.04, "seam p99": 1.2, "step median": 0.002, "step p99": 0.01,
                 "scale error": 0.01, "misfit": 0.005, "absrel / whole": 0.5, "f1 / whole at least": 5},
    "bent": {"seam median": 1.06, "seam p99": 1.25, "absrel / whole": 1.0},
}


# shots, of ours; "a / b": by the same figure of b
STEADY = {"drift of shift": 0.005, "tae / best": 1.1}
SHOT_BOUNDS = {
    "static": {"drift": 0.001, "static noise / best": 1.1, **STEADY},
    "static entering": {"drift": 0.001, "static noise / best": 1.1, **STEADY},
    "pan": {"drift": 0.01, **STEADY},
    "dolly": {"drift": 0.02, "tae / best": 1.1},
}
CAMERAS = ",".join(SHOT_BOUNDS)
ALL_FRAMES, ALL_SHOTS = list(range(101, 106)), list(range(201, 206))  # seeds


def judge_shot(row):
    """-> [(camera, seed, what, value, bound)] of the bounds that one shot misses; of guides alone what they tell."""
    ours, best = row["methods"]["ours"], row["methods"].get("best affine by frame")
    missed = []
    for name, bound in SHOT_BOUNDS[row["camera"]].items():
        key = name.removesuffix(" / best")
        if key not in ours:
            continue
        value = ours[key] if key == name else ours[key] / max(best[key], 1e-9)
        if value > bound:
            missed.append((row["camera"], row["seed"], name, value, bound))
    return missed


def shot_table(title, rows):
    """A camera and a method a line: median and worst of the seeds."""
    names = ["drift", "slope", "drift of shift", "tae", "tae / best", "absrel", "delta1", "static noise"]
    print(f"\n{title}: each method after one fit a shot, median and worst of the seeds\n  {'':<46}"
          + "".join(f"{n:>20}" for n in names))
    for camera in dict.fromkeys(r["camera"] for r in rows):
        of = [r for r in rows if r["camera"] == camera]
        print(f"  {camera}, {of[0]['frames']} frames, seeds {[r['seed'] for r in of]}")
        for method in of[0]["methods"]:
            cells = []
            for n in names:
                values = [figure(r, method, n) for r in of]
                if None in values:
                    cells.append(f"{'':>20}")
                    continue
                worst = min(values) if n == "delta1" else max(values, key=abs)
                cells.append(f"{np.median(values):>10.5f} {worst:>9.5f}")
            print(f"    {method:<44}" + "".join(cells))


def figure(row, method, name):
    values = row["methods"][method]
    if name != "tae / best":
        return values.get(name)
    best = row["methods"].get("best affine by frame")
    return values["tae"] / max(best["tae"], 1e-9) if best else None


def shots(args, out, seeds, cameras, frames, guides):
    """-> rows, what they miss."""
    work, rows = shot_bench.measure_guides if guides else shot_bench.measure, []
    for camera in cameras.split(","):
        for seed in seeds:
            path, *entering = camera.split()
            rows.append(work(args.build, out, path, seed, frames=frames, entering=bool(entering)))
            (out / ("drift.json" if guides else "shots.json")).write_text(json.dumps(rows, indent=1))
    shot_table("drift, from guides" if guides else "shots", rows)
    return rows, [miss for row in rows for miss in judge_shot(row)]


def judge(form, rows):
    """-> [(seed, what, value, bound)] of the bounds that are missed."""
    missed = []
    for row in rows:
        for name, bound in BOUNDS[form].items():
            least = name.endswith(" at least")
            value = row["ours"][name.removesuffix(" at least")]
            if not (value >= bound if least else value <= bound):
                missed.append((row["seed"], name, value, bound))
    return missed


def table(form, rows):
    names = ["absrel", "delta1", "f1", "seam median", "seam p99", "step median", "step p99"]
    print(f"\n{form} adversary, {rows[0]['size']}: each method after one fit, median and worst of "
          f"{len(rows)} seeds {[r['seed'] for r in rows]}")
    print(f"  {'':<22}" + "".join(f"{n:>20}" for n in names))
    for method in rows[0]["methods"]:
        cells = []
        for n in names:
            values = [r["methods"][method][n] for r in rows]
            worst = min(values) if n in ("delta1", "f1") else max(values)
            cells.append(f"{np.median(values):>11.4f} {worst:>8.4f}")
        print(f"  {method:<22}" + "".join(cells))
    for n in ("scale error", "misfit", "absrel / whole", "f1 / whole", "determined", "tiles", "align share"):
        print(f"  {n:<22}" + "  ".join(f"{r['ours'][n]:.5g}" for r in rows))


def frames_part(args, out, seeds):
    """Single frames at 4K -> rows by form, what they miss."""
    all_rows, missed = {}, []
    for form in args.forms.split(","):
        rows = [frame_bench.measure(args.build, out, form, seed, args.size, not args.no_program) for seed in seeds]
        table(form, rows)
        all_rows[form] = rows
        missed += [(form, *m) for m in judge(form, rows)]
    return all_rows, missed


def end(missed, begun, out):
    for what, seed, name, value, bound in missed:
        print(f"MISSED {what} seed {seed}: {name} {value:.5g}, bound {bound}")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"{len(missed)} bounds missed; {time.monotonic() - begun:.0f} s; commit {commit.stdout.strip()}; pictures in {out}")
    return 1 if missed else 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seeds")
    parser.add_argument("--size", default="4096x2160")
    parser.add_argument("--forms", default="straight,bent")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shots", help=f"shots alone, of {CAMERAS}")
    parser.add_argument("--guides", action="store_true", help="their drift alone, from guides")
    parser.add_argument("--frames", type=int, help="of a shot")
    parser.add_argument("--no-program", action="store_true", help="alignment alone, on the same pictures")
    args = parser.parse_args()
    out = args.out or args.build / "quality"
    out.mkdir(parents=True, exist_ok=True)
    begun = time.monotonic()
    chosen = [int(s) for s in args.seeds.split(",")] if args.seeds else None
    if args.shots:
        rows, missed = shots(args, out, chosen or ALL_SHOTS, args.shots, args.frames or 24, args.guides)
        return end(missed, begun, out)
    all_rows, missed = frames_part(args, out, chosen or (ALL_FRAMES if args.full else ALL_FRAMES[:1]))
    (out / "quality.json").write_text(json.dumps(all_rows, indent=1))
    return end(missed, begun, out)


if __name__ == "__main__":
    sys.exit(main())
