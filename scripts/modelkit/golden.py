"""The golden tile: one picture and its answer, kept inside an archive as the
extra file depthq-golden.bin, so that whoever holds the archive can see that
it still answers as it did where it was made.

    one line of JSON, ending in a newline:
      {"depthq_golden": 1, "input": [batch, 3, height, width],
       "answer": [axes as the contract's layout], "bound": share of the answer's range}
    the input as float16, little-endian, in the network's own numbers
    the answer as float32, little-endian

The answer is computed in float64 where the network can: it is then the same
on every machine, and so are the archive's bytes. bound allows for what the
network's own type loses against that.
"""
import copy
import json

import numpy as np
import torch

from . import contract as contracts
from .errors import ModelError

FORMAT, EXTRA = 1, "depthq-golden.bin"
SIDES = (96, 128)  # height, width: not equal, so that axes cannot be exchanged
HEADROOM, LEAST = 8, {"float32": 1e-5, "float16": 5e-3, "bfloat16": 4e-2}
MOST = {"float32": 1e-3, "float16": 0.1, "bfloat16": 0.3}  # lost by rounding: more is no answer


def shape(contract):
    """(batch, height, width) of a contract's golden tile: small, and of a size that it claims."""
    given = contract["input"]
    size, step, batch = given["size"], given["multiple"], given.get("batch", "any")
    batch = 1 if batch == "any" else batch
    if "fixed" in size:
        return (batch, *size["fixed"])
    low, high = -(-size.get("min", step) // step) * step, size.get("max", 16384) // step * step
    return (batch, *(max(low, min(high, -(-side // step) * step)) for side in SIDES))


def _in_float64(net, picture):
    """net's answer in float64, or None when it cannot."""
    if isinstance(net, torch.jit.ScriptModule):
        return None
    try:
        with torch.inference_mode():
            return copy.deepcopy(net).double()(torch.from_numpy(picture.astype(np.float64))).numpy()
    except (RuntimeError, TypeError, AttributeError):  # a type is fixed inside
        return None


def make(net, contract, picture, answer_of, least=0.0):
    """The bytes of the extra file. picture: float32 of shape(contract); answer_of(picture): net's own answer; least:
    what the archive's form may differ by in any case."""
    kept = picture.astype("<f2")
    own = answer_of(kept.astype(np.float32))
    exact = _in_float64(net, kept)
    exact = own if exact is None or not np.isfinite(exact).all() else exact
    span = float(exact.max() - exact.min())
    lost = float(np.abs(exact - own).max()) / span if span > 0 else 0.0
    dtype = contract["input"].get("dtype", "float32")
    if lost > MOST[dtype]:
        raise ModelError(f"rounding alone moves the answer by {lost:.2g} of its range in {dtype} (against float64): its "
                         "range is lost in its offset, or the type is too coarse for it")
    bound = max(LEAST[dtype], least, HEADROOM * float(f"{lost:.1g}"))
    head = {"depthq_golden": FORMAT, "input": list(kept.shape), "answer": list(own.shape), "bound": bound}
    return json.dumps(head).encode() + b"\n" + kept.tobytes() + exact.astype("<f4").tobytes()


def read(data):
    """bytes -> (input float32, answer float32, bound)."""
    try:
        line, rest = data.split(b"\n", 1)
        head = json.loads(line)
        if head["depthq_golden"] != FORMAT:
            raise ValueError
        given = np.frombuffer(rest, "<f2", int(np.prod(head["input"]))).reshape(head["input"])
        answer = np.frombuffer(rest, "<f4", offset=given.nbytes).reshape(head["answer"])
        return given.astype(np.float32), answer, float(head["bound"])
    except (ValueError, KeyError, TypeError):
        raise ModelError("the golden tile is damaged") from None


def check_shape(contract, given, answer):
    """ModelError when a golden tile is not of what the contract promises."""
    batch, _, height, width = given.shape
    if answer.shape != contracts.answer_shape(contract, batch, height, width):
        raise ModelError("the golden tile does not fit the contract")
