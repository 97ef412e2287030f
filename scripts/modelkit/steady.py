"""A Python that makes the same bytes every time: torch's compiler orders some
names by their hash, so the hash seed is fixed; and OpenMP threads sleep while
they wait, because exporting beside a busy neighbour is 20 times slower when
they spin.
"""
import importlib.util
import os
import re
import sys
from pathlib import Path

from .errors import CONFIG, ModelError

ROOT = Path(__file__).resolve().parents[2]
WANTED = {"PYTHONHASHSEED": "0", "OMP_WAIT_POLICY": "passive", "DEPTHQ_STEADY": "1"}


def is_able():
    """Whether this Python has what the scripts import."""
    return all(importlib.util.find_spec(name) for name in ("torch", "numpy"))


def _able_python():
    if is_able():
        return sys.executable
    config = ROOT / "build/config.mk"
    found = re.search(r"^PYTHON := (.+)$", config.read_text(), re.M) if config.exists() else None
    python = found.group(1).strip() if found else ""
    if os.path.exists(python):
        return python
    raise ModelError("this Python has no torch or no numpy: run scripts/bootstrap first, or use one that has them", CONFIG)


def go_on():
    """Replace this process by the same script under such a Python; returns when it is one already."""
    if os.environ.get("DEPTHQ_STEADY") == "1" and is_able():
        return
    if os.environ.get("DEPTHQ_STEADY") == "1":
        raise ModelError("the Python of build/config.mk has no torch: scripts/bootstrap installs it "
                         "(with --yes or --torch-index URL, where it would be several GB)", CONFIG)
    python = _able_python()
    sys.stdout.flush()
    os.execve(python, [python, *sys.argv], dict(os.environ, **WANTED))
