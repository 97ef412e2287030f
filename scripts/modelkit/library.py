"""A model library: `<sha256>.pt` (or .pt2) and one manifest a version beside them.

jobs/library.h says how it is read. A name@version never changes: writing it
again with other bytes is refused.
"""
import hashlib
import json
import os
import secrets
from pathlib import Path

from . import contract as contracts
from .errors import CREATE, ModelError

MANIFEST = 1


def default_folder():
    """$DEPTHQ_MODELS's first folder, else the user's own library."""
    for folder in os.environ.get("DEPTHQ_MODELS", "").split(":"):
        if folder:
            return Path(folder)
    data = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local/share")
    return Path(data) / "depthq/models"


def publish_file(path, data):
    """Whole or not at all: a temp beside the target, fsync, rename, fsync of the folder."""
    temp = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        with os.fdopen(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644), "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temp, path)
    except OSError:
        temp.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def manifest_path(folder, name, version):
    return Path(folder) / f"{name}@{version}.json"


def find(folder, name, version):
    """The manifest of name@version when it and its artefact are whole, else None."""
    try:
        manifest = json.loads(manifest_path(folder, name, version).read_text())
        data = (Path(folder) / manifest["file"]).read_bytes()
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return manifest if hashlib.sha256(data).hexdigest() == manifest.get("sha256") else None


def publish(folder, data, contract):
    """Put an archive and its manifest into a library -> path of the artefact. Doing it again changes nothing."""
    contracts.check(contract)
    folder, name, version = Path(folder), contract["name"], contract["version"]
    sha256 = hashlib.sha256(data).hexdigest()
    manifest = {"depthq_manifest": MANIFEST, "name": name, "version": version, "sha256": sha256,
                "file": f"{sha256}{contracts.ending(contract)}", "bytes": len(data), "contract": contract}
    there = find(folder, name, version)
    if there and there["sha256"] != sha256:
        raise ModelError(f"{manifest_path(folder, name, version)} exists with other bytes (SHA-256 "
                         f"{there['sha256'][:12]}...); a version never changes: raise the version", CREATE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not there:
            publish_file(folder / manifest["file"], data)
            text = json.dumps(manifest, indent=1, ensure_ascii=False) + "\n"
            publish_file(manifest_path(folder, name, version), text.encode())
    except OSError as error:
        raise ModelError(f"cannot write the model library: {error}", CREATE) from None
    return folder / manifest["file"]
