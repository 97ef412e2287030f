"""An eager network -> TorchScript, and what got baked into it.

Scripting keeps control flow, so it comes first. A trace is a recording: the
sizes, the batch and the device of its example may be baked in. Devices are
put right (they follow the picture again); sizes and batches are found out by
running, and declared in the contract.
"""
import copy
import warnings

import torch

from . import contract as contracts
from .artifact import BOUNDS, answer, difference, picture
from .errors import ModelError


def _one_line(error):
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0][:160] if lines else type(error).__name__


def example_shape(contract):
    """(height, width) of the picture that a trace is made with."""
    size = contract["input"]["size"]
    return tuple(size["fixed"]) if "fixed" in size else (size["preferred"], size["preferred"])


def follow_the_picture(traced):
    """Replace devices that a trace has baked in by the picture's own -> how many there were. In place."""
    graph = traced.graph
    torch._C._jit_pass_inline(graph)
    baked = [node for node in graph.findAllNodes("prim::Constant") if str(node.output().type()) == "Device"]
    if not baked:
        return 0
    given = list(graph.inputs())[1]  # after self
    device = graph.create("prim::device", [given])
    device.output().setType(torch._C.DeviceObjType.get())
    graph.prependNode(device)
    for node in baked:
        node.output().replaceAllUsesWith(device.output())
    graph.eraseDead() if hasattr(graph, "eraseDead") else torch._C._jit_pass_dce(graph)
    return len(baked)


def trace(net, contract):
    """A recording of net at the contract's size -> (traced module, devices put right)."""
    batch = contracts.batches(contract)[0]
    example = torch.from_numpy(picture(contract, batch, *example_shape(contract)))
    dtype = contract["input"].get("dtype", "float32")
    try:
        with torch.inference_mode(False), torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # each says "might not generalise": that is found out by running
            traced = torch.jit.trace(net, example.to(getattr(torch, dtype)), check_trace=False)
    except Exception as error:
        raise ModelError(f"the network can be neither scripted nor traced: {_one_line(error)}") from None
    return traced, follow_the_picture(traced)


def script_or_trace(net, contract, how="auto"):
    """net -> (ScriptModule, what was done, in words). how: auto, script or trace."""
    why = ""
    if how != "trace":
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                return torch.jit.script(net), "scripted"
        except Exception as error:  # torch throws all kinds here
            why = _one_line(error)
        if how == "script":
            raise ModelError(f"the network cannot be scripted: {why}")
    traced, devices = trace(net, contract)
    did = "traced" + (f" (scripting fails: {why})" if why else "")
    return traced, did + (f"; {devices} baked-in devices follow the picture now" if devices else "")


def _agree(net, compiled, contract, batch, height, width):
    """Whether both answer the same for a batch of such pictures."""
    given = picture(contract, batch, height, width)
    bound = BOUNDS[contract["input"].get("dtype", "float32")]
    try:
        want = answer(net, contract, given)
        return want.shape == contracts.answer_shape(contract, batch, height, width) and (
            difference(want, answer(compiled, contract, given)) <= bound)
    except ModelError:  # it throws
        return False


def settle(net, compiled, contract):
    """What of the contract's claims is true -> (contract that says so, [what had to be declared])."""
    settled, told = copy.deepcopy(contract), []
    base = example_shape(contract)
    first, *more = contracts.batches(contract)
    if not _agree(net, compiled, contract, first, *base):
        return settled, told  # prove() will say how
    wrong = [f"{h}x{w}" for h, w in contracts.shapes(contract) if not _agree(net, compiled, contract, first, h, w)]
    if wrong and "fixed" not in contract["input"]["size"]:
        settled["input"]["size"] = {"fixed": list(base)}
        told.append(f"size {base[0]}x{base[1]} is baked in (it fails at {', '.join(wrong)}): declared as fixed")
    if not all(_agree(net, compiled, contract, batch, *base) for batch in more):
        settled["input"]["batch"] = first
        told.append(f"batch {first} is baked in (it fails at {', '.join(map(str, more))}): declared")
    return settled, told
