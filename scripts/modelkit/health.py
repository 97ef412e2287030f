"""What a network must not do, found out by running it: each problem is a
ModelError that says what to change.
"""
import io
import re

import numpy as np
import torch

from . import contract as contracts
from .artifact import answer, difference, picture
from .compiled import example_shape
from .errors import ModelError

RANDOM = ("rand", "randn", "rand_like", "randn_like", "randint", "randperm", "bernoulli", "multinomial", "normal",
          "normal_", "uniform_", "random_", "exponential_", "bernoulli_")
OUTSIDE = ("save", "from_file", "load", "_write")
REMOTE = re.compile(r"\b(rpc::\w+|aten::__rpc\w*|dist::\w+|c10d::\w+)")


def operators(module):
    """Names of the operators in a ScriptModule: {"aten::conv2d", ...}."""
    return set(re.findall(r"= ((?:aten|prim|rpc|c10d|dist|quantized|\w+)::\w+)", str(module.inlined_graph)))


def warnings_of(module):
    """Operators that touch files or the network, as sentences."""
    used = operators(module)
    found = sorted(f"aten::{name}" for name in OUTSIDE if f"aten::{name}" in used)
    found += sorted(set(REMOTE.findall(str(module.inlined_graph))))
    return [f"it uses {name}, which reaches outside the network" for name in found]


def _flat(contract, value):
    """A picture of one display value (0 black, 1 white)."""
    made = picture(contract, contracts.batches(contract)[0], *example_shape(contract))
    given = contract["input"]
    low, high = given.get("range", [0, 1])
    mean, std = (np.reshape(given.get(k, [d] * 3), (1, 3, 1, 1)) for k, d in (("mean", 0), ("std", 1)))
    return np.broadcast_to((low + value * (high - low) - mean) / std, made.shape).astype(np.float32)


def _check_repeats(module, contract):
    given = picture(contract, contracts.batches(contract)[0], *example_shape(contract))
    once, again = (answer(module, contract, given) for _ in range(2))
    if difference(once, again) > 1e-6:
        used = sorted(operators(module) & {f"aten::{name}" for name in RANDOM}) if hasattr(module, "inlined_graph") else []
        raise ModelError("the network answers otherwise when it is asked again" + (
            f": it draws random numbers ({', '.join(used)})" if used else "") + "; take them out, and put it into eval mode")


def _check_flat(module, contract):
    for name, value in (("black", 0), ("white", 1)):
        if not np.isfinite(answer(module, contract, _flat(contract, value))).all():
            raise ModelError(f"the network answers NaN or Inf for a {name} picture; guard its divisions and logarithms")


def baked_devices(module):
    """Devices that are written into a ScriptModule's code."""
    return sorted(set(re.findall(r"Device = prim::Constant\[value=\"([a-z0-9:]+)\"", str(module.inlined_graph))))


def check_device(module, contract):
    """ModelError when a module runs on the device alone that it was saved on: tried with torch's device without numbers."""
    baked = baked_devices(module)
    if not baked:
        return
    memory = io.BytesIO()
    torch.jit.save(module, memory)
    memory.seek(0)
    given = picture(contract, contracts.batches(contract)[0], *example_shape(contract))
    dtype = getattr(torch, contract["input"].get("dtype", "float32"))
    try:
        with torch.inference_mode():
            there = torch.jit.load(memory, map_location="meta")(torch.from_numpy(given).to("meta", dtype))
    except (RuntimeError, NotImplementedError):
        there = None
    if there is None or not isinstance(there, torch.Tensor) or there.device.type != "meta":
        raise ModelError(f"the network has the device {', '.join(baked)} written into it and runs on no other; take the "
                         "device from the picture (device=x.device)")


def check(module, contract):
    """Everything that needs no second network to compare with."""
    if isinstance(module, torch.jit.ScriptModule):
        check_device(module, contract)
    _check_repeats(module, contract)
    _check_flat(module, contract)
