"""make bench-quality: depthq's depth against exact truth, beside what others do.

    quality.py BUILD [--full] [--seeds 1,2,3] [--size 4096x2160] [--out FOLDER]
    quality.py BUILD --shots static,pan,dolly [--frames 240] [--seeds ...]    the shot form alone (960x540)

Renders coded plates (tests/oracle/adversary.py), runs the whole program, and prints a table against truth and against
baselines: tiles blended as they come, tiles normalised one by one, the whole frame upsampled. Pictures (PNG) and
quality.json go to the folder. Exit status 1 when a bound of BOUNDS is missed. Definitions: tests/oracle/metrics.py.
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


# the shot form: of ours; "a / b": by the same figure of the best affine by frame
SHOT_BOUNDS = {
    "static": {"drift": 0.001, "drift of shift": 0.005, "tae / best": 1.1, "static noise / best": 1.1},
    "pan": {"drift": 0.01, "drift of shift": 0.005, "tae / best": 1.1},
    "dolly": {"drift": 0.02, "tae / best": 1.1},
}


def judge_shot(row):
    """-> [(seed, what, value, bound)] of the bounds that one shot misses."""
    ours, best = row["methods"]["ours"], row["methods"]["best affine by frame"]
    missed = []
    for name, bound in SHOT_BOUNDS[row["camera"].split()[0]].items():
        key = name.removesuffix(" / best")
        value = ours[key] if key == name else ours[key] / max(best[key], 1e-9)
        if value > bound:
            missed.append((row["seed"], name, value, bound))
    return missed


def shot_table(rows):
    names = ["drift", "slope", "drift of shift", "tae", "absrel", "delta1", "static noise"]
    print(f"\nshots: each method after one fit a shot\n  {'':<62}" + "".join(f"{n:>16}" for n in names))
    for row in rows:
        for method, values in row["methods"].items():
            head = f"{row['camera']} seed {row['seed']}, {row['frames']} frames: {method}"
            print(f"  {head:<62}" + "".join(f"{values[n]:>16.5f}" if n in values else f"{'':>16}" for n in names))


def shots(args, out, seeds):
    """The shot form. -> exit status."""
    rows, missed = [], []
    for camera in args.shots.split(","):
        for seed in seeds:
            rows.append(shot_bench.measure(args.build, out, camera, seed, frames=args.frames))
            missed += [(camera, *m) for m in judge_shot(rows[-1])]
    shot_table(rows)
    for camera, seed, name, value, bound in missed:
        print(f"MISSED {camera} seed {seed}: {name} {value:.5g}, bound {bound}")
    (out / "shots.json").write_text(json.dumps(rows, indent=1))
    return 1 if missed else 0


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


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("build", type=Path)
    parser.add_argument("--full", action="store_true")
    parser.add_argument("--seeds")
    parser.add_argument("--size", default="4096x2160")
    parser.add_argument("--forms", default="straight,bent")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--shots", help="static, pan, dolly: the shot form alone")
    parser.add_argument("--frames", type=int, default=240, help="of a shot")
    parser.add_argument("--no-program", action="store_true", help="alignment alone, on the same pictures")
    args = parser.parse_args()
    out = args.out or args.build / "quality"
    out.mkdir(parents=True, exist_ok=True)
    seeds = [int(s) for s in args.seeds.split(",")] if args.seeds else list(range(101, 106 if args.full else 102))
    if args.shots:
        return shots(args, out, [int(s) for s in args.seeds.split(",")] if args.seeds else range(201, 206))
    begun, all_rows, missed = time.monotonic(), {}, []
    for form in args.forms.split(","):
        rows = [frame_bench.measure(args.build, out, form, seed, args.size, not args.no_program) for seed in seeds]
        table(form, rows)
        all_rows[form] = rows
        missed += [(form, *m) for m in judge(form, rows)]
    for form, seed, name, value, bound in missed:
        print(f"MISSED {form} seed {seed}: {name} {value:.5g}, bound {bound}")
    (out / "quality.json").write_text(json.dumps(all_rows, indent=1))
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False)
    print(f"{len(missed)} bounds missed; {time.monotonic() - begun:.0f} s; commit {commit.stdout.strip()}; pictures in {out}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
