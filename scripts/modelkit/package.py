"""An eager network -> the bytes of an AOTInductor package (.pt2): native code
for one size, one batch and one kind of machine, with contract and golden tile
inside as a TorchScript archive has them.

On x86-64 the code is made for the third level of that architecture (AVX2,
FMA), so that every machine of a farm runs it and the exporter's own processor
does not show in it; --march says otherwise.
"""
import copy
import json
import os
import platform
import shutil
import tempfile
import warnings

import torch

from . import contract as contracts
from . import golden
from .artifact import DTYPES, EXTRA, golden_tile, picture, rewritten
from .compiled import example_shape
from .errors import UNAVAILABLE, ModelError

MARCHES = {"x86-64-v3": 256, "x86-64-v4": 512}  # bits of a vector


def settle(contract, batch=None):
    """(contract of the package, [what had to be declared]): what code is compiled for is baked in."""
    settled = copy.deepcopy(contract)
    height, width = example_shape(contract)
    settled["runtime"] = "aoti"
    settled["input"]["size"] = {"fixed": [height, width]}
    settled["input"]["batch"] = batch or contracts.batches(contract)[0]
    return contracts.check(settled), [f"compiled for {height}x{width} in batches of {settled['input']['batch']}: declared"]


def _options(march):
    """What inductor is told: the same code on every exporter's machine, no tuning by the clock."""
    options = {"aot_inductor.package": True, "max_autotune": False, "cpp.threads": -1}
    if march is None and platform.machine() == "x86_64":
        march = "x86-64-v3"
    if march:
        options |= {"cpp.march": march, "cpp.simdlen": MARCHES.get(march)}
    return options


def _compiled(net, contract, march):
    """The package as inductor writes it, in a folder of its own that is gone afterwards."""
    given = torch.from_numpy(picture(contract, contract["input"]["batch"], *contract["input"]["size"]["fixed"]))
    given = given.to(DTYPES[contract["input"].get("dtype", "float32")])
    if not shutil.which(os.environ.get("CXX", "g++")):
        raise ModelError("--format aoti compiles C++: install g++, or say which compiler in CXX", UNAVAILABLE)
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        kept = os.environ.get("TORCHINDUCTOR_CACHE_DIR")
        os.environ["TORCHINDUCTOR_CACHE_DIR"] = folder
        path = os.path.join(folder, "model" + contracts.ending(contract))
        try:
            with torch.no_grad():
                exported = torch.export.export(net, (given,))
            torch._inductor.aoti_compile_and_package(exported, package_path=path, inductor_configs=_options(march))
        except Exception as error:  # a compiler throws what it likes
            lines = [line.strip() for line in str(error).splitlines() if line.strip()]
            raise ModelError(f"it cannot be compiled: {type(error).__name__}: {(lines or ['?'])[0][:300]}") from None
        finally:
            os.environ.pop("TORCHINDUCTOR_CACHE_DIR")
            if kept is not None:
                os.environ["TORCHINDUCTOR_CACHE_DIR"] = kept
        with open(path, "rb") as file:
            return file.read()


def make(net, contract, march=None):
    """The package of a network whose contract is settled."""
    tile = golden_tile(net, contract)
    # torch reads every member of extra/ as text, which the tile is not
    text = json.dumps(contract, indent=1, ensure_ascii=False).encode()
    return rewritten(_compiled(net, contract, march), [(f"extra/{EXTRA}", text), (f"depthq/{golden.EXTRA}", tile)])
