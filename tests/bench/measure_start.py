"""`depthq --help`: how long, and what it maps."""
import os
import subprocess
import time
from statistics import median

from figures import Figure

FORBIDDEN = ("torch", "OpenImageIO", "sqlite", "c10")


def _help_ms(setting):
    begun = time.perf_counter()
    subprocess.run([setting.depthq, "--help"], stdout=subprocess.DEVNULL, check=True, env=setting.env())
    return 1e3 * (time.perf_counter() - begun)


def _mapped(setting):
    """Shared objects that the loader reports while the command runs."""
    done = subprocess.run([setting.depthq, "--help"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          env=setting.env(LD_DEBUG="files", LC_ALL="C"), check=True)
    return sorted({os.path.basename(line.split("calling init: ")[1]) for line in done.stderr.splitlines()
                   if "calling init: " in line})


def measure(setting):
    times = [_help_ms(setting) for _ in range(21)]
    mapped = _mapped(setting)
    if not any("libc.so" in name for name in mapped):
        raise AssertionError("the loader's report was not understood")
    bad = [name for name in mapped if any(word.lower() in name.lower() for word in FORBIDDEN)]
    return [
        Figure("depthq --help", median(times), unit="ms", at_most=10, detail={"ms": times},
               note="median of 21, fork and exec from Python included"),
        Figure("libtorch, OpenImageIO, SQLite in depthq --help", len(bad), unit="count", at_most=0,
               detail={"mapped": mapped}, note=f"{len(mapped)} shared objects" + (": " + ", ".join(bad) if bad else "")),
    ]
