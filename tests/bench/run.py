#!/usr/bin/env python3
"""make bench: speed and memory as ratios, each with its goal.

    tests/bench/run.py BUILD [--quick] [--only NAME]...

Every comparison is made in one run, one way after the other and again, and
told as a ratio: a slow or busy machine slows both. Figures go to
build/bench/results.json (results-NAME.json with --only NAME) and, as a table,
to standard output. Exit status 1 when a goal was missed. --quick takes a minute or two on small plates: it
shows that all of it works and what moves by much; its figures are no verdict.
"""
import argparse
import datetime
import importlib
import json
import os
import sys
import time

sys.dont_write_bytecode = True

from figures import Figure, closing, table  # noqa: E402
from setting import ROOT, Setting, describe  # noqa: E402

MEASUREMENTS = ("start", "exr", "memory", "files", "parts", "small", "align", "queue", "models")


def parse(words):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", action="append", choices=MEASUREMENTS, default=[])
    parser.add_argument("--work", default=ROOT / "build/bench")
    return parser.parse_args(words)


def measure(name, setting):
    """A measurement that cannot be made is a goal missed, with its cause; the others go on."""
    begun = time.monotonic()
    print(f"== {name}", file=sys.stderr, flush=True)
    try:
        figures = importlib.import_module(f"measure_{name}").measure(setting)
    except Exception as error:  # noqa: BLE001
        figures = [Figure(name, None, at_most=0, note=f"{type(error).__name__}: {error}")]
    print(table(figures) + f"\n   ({time.monotonic() - begun:.0f} s)", file=sys.stderr, flush=True)
    return figures


def main(words):
    options = parse(words)
    setting = Setting(options.build, options.work, options.quick)
    about = describe(setting) | {"form": "quick: no verdict" if options.quick else "full"}
    figures = [f for name in options.only or MEASUREMENTS for f in measure(name, setting)]
    about["load at end"] = os.getloadavg()[0]
    results = {"when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"), "about": about,
               "figures": [f.as_json() for f in figures]}
    path = setting.work / ("-".join(["results", *options.only]) + ".json")
    path.write_text(json.dumps(results, indent=1) + "\n")
    print("\n".join(f"{key}: {value}" for key, value in about.items()))
    print("\n" + table(figures))
    line, status = closing(figures)
    print(f"\n{line} ({path})")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
