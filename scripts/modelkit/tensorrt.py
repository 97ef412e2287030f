"""An eager network -> a TorchScript archive (.ts) whose inside is a TensorRT
engine: for one size, one batch, and the kind of GPU and version of TensorRT
that it was compiled with. Loading it wants Torch-TensorRT's runtime library,
which the contract names by its kind (`runtime: torch_tensorrt`).

Only Torch-TensorRT on a GPU can make one: elsewhere it is said what is missing,
and nothing is written.
"""
import copy
import importlib.util

import torch

from . import contract as contracts
from . import package
from .artifact import DTYPES, archive_bytes, golden_tile, picture
from .errors import UNAVAILABLE, ModelError


def require():
    """ModelError that names all that is missing here."""
    missing = []
    if importlib.util.find_spec("torch_tensorrt") is None:
        missing.append("the package torch-tensorrt (pip install torch-tensorrt)")
    if not torch.cuda.is_available():
        missing.append("a GPU that this Python's torch can use")
    if missing:
        raise ModelError(f"--format trt cannot compile here, for want of {' and '.join(missing)}; nothing was written. Export on a "
                         "machine of the farm, or leave --format out: TorchScript runs on GPUs, too", UNAVAILABLE)


def settle(contract, batch=None):
    """(contract of the engine, [what had to be declared])."""
    settled, told = package.settle(contract, batch)
    settled["runtime"] = "torch_tensorrt"
    return contracts.check(settled), told + [f"for {torch.cuda.get_device_name()} and its version of TensorRT alone"]


def make(net, contract):
    """The archive of a network whose contract is settled."""
    import torch_tensorrt
    tile = golden_tile(net, contract)
    dtype = DTYPES[contract["input"].get("dtype", "float32")]
    given = torch.from_numpy(picture(contract, contract["input"]["batch"], *contract["input"]["size"]["fixed"])).to(dtype).cuda()
    try:
        with torch.inference_mode():
            engine = torch_tensorrt.compile(copy.deepcopy(net).cuda(), ir="dynamo", arg_inputs=[given], enabled_precisions={dtype},
                                            disable_tf32=True, use_python_runtime=False)
            module = torch.jit.trace(engine, given)
    except Exception as error:  # a compiler throws what it likes
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        raise ModelError(f"it cannot be compiled: {type(error).__name__}: {(lines or ['?'])[0][:300]}") from None
    return archive_bytes(module, contract, tile=tile)
