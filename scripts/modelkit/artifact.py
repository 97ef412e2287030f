"""A module and its contract -> the bytes of a TorchScript archive, and back.

The archive is what depthq loads: torch.jit.save's zip with the contract as
the extra file depthq.json. Debug records are left out: they hold the paths of
the sources on the exporter's machine, and with them the bytes would depend on
where the checkout lies. The same module on the same torch gives the same
bytes.
"""
import copy
import hashlib
import io
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
import torch

from . import contract as contracts
from . import golden
from .errors import ModelError

DTYPES = {"float32": torch.float32, "float16": torch.float16, "bfloat16": torch.bfloat16}
BOUNDS = {"float32": 1e-5, "float16": 5e-3, "bfloat16": 4e-2}  # of the answer's range
ENGINE_BOUNDS = BOUNDS | {"float32": 1e-3}  # TensorRT picks kernels by the clock, and sums as these do
EXTRA = "depthq.json"
LOADERS = {".pt": "torch.jit.load(model).eval()", ".pt2": "torch._inductor.aoti_load_package(model)",
           ".ts": "__import__('torch_tensorrt') and torch.jit.load(model, 'cuda').eval()"}


def bound_of(contract):
    """How far an archive's answers may be from the network's, as a share of their range."""
    engine = contract.get("runtime") == "torch_tensorrt"
    return (ENGINE_BOUNDS if engine else BOUNDS)[contract["input"].get("dtype", "float32")]


def rewritten(data, first=()):
    """An archive's bytes without debug records; first: further members, (path, bytes), that come before the others."""
    reader = torch._C.PyTorchFileReader(io.BytesIO(data))
    out = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(out)
    for name, record in first:
        writer.write_record(name, record, len(record))
    for name in sorted(reader.get_all_records()):
        # the writer adds the version and the identity of its own
        if not name.endswith(".debug_pkl") and name not in ("version", ".data/serialization_id"):
            record = reader.get_record(name)
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    return out.getvalue()


def archive_bytes(module, contract=None, text=None, tile=None):
    """The archive of a ScriptModule, with its contract (or a text in its place; neither: none) and golden tile."""
    if contract is not None:
        text = json.dumps(contract, indent=1, ensure_ascii=False)
    extra = {EXTRA: text} if text is not None else {}
    if tile is not None:
        extra[golden.EXTRA] = tile
    memory = io.BytesIO()
    torch.jit.save(module, memory, _extra_files=extra or None)
    return rewritten(memory.getvalue())


def read_contract(path):
    """The contract inside an archive, checked; ModelError when there is none."""
    files = {EXTRA: ""}
    try:
        torch.jit.load(str(path), map_location="cpu", _extra_files=files)
    except RuntimeError as error:
        raise ModelError(f"{path}: {str(error).splitlines()[0]}") from None
    text = files[EXTRA]
    if not text:
        raise ModelError(f"{path}: has no contract ({EXTRA}) inside")
    return contracts.check(json.loads(text))


def picture(contract, batch, height, width, seed=0):
    """Network input in the contract's numbers: a slope, a pattern and grain; the same for a seed."""
    given = contract["input"]
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    base = 0.5 * y / height + 0.25 * (np.sin(x / 9 + seed) * np.sin(y / 7) > 0)
    planes = np.stack([base * k for k in (1.0, 0.9, 0.8)])[None] + 0.25 * rng.random((batch, 3, height, width))
    low, high = given.get("range", [0, 1])
    mean = np.reshape(given.get("mean", [0, 0, 0]), (1, 3, 1, 1))
    std = np.reshape(given.get("std", [1, 1, 1]), (1, 3, 1, 1))
    return ((low + planes * (high - low) - mean) / std).astype(np.float32)


def _cause(error):
    """The line of an exception that says what happened; TorchScript's comes last, after its own traceback."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in lines if re.match(r"(\w+\.)*\w*(Error|Exception): ", line)]
    return (said[-1] if said else lines[0] if lines else type(error).__name__)[:300]


def _told(value):
    """What a network answers instead of one tensor."""
    if isinstance(value, dict):
        return f"a dict of {', '.join(map(str, value))}"
    if isinstance(value, (tuple, list)):
        return f"{len(value)} things ({type(value).__name__})"
    return f"a {type(value).__name__}"


def answer(module, contract, batch):
    """module's answer to a float32 numpy batch, as float32 numpy."""
    dtype = DTYPES[contract["input"].get("dtype", "float32")]
    try:
        with torch.inference_mode():
            out = module(torch.from_numpy(batch).to(dtype))
    except Exception as error:  # a network throws what it likes
        place = "x".join(map(str, batch.shape))
        raise ModelError(f"for {place} the network throws: {_cause(error)}") from None
    if not isinstance(out, torch.Tensor):
        raise ModelError(f"the network answers {_told(out)}; wrap it so that forward returns the depth tensor alone")
    return out.float().numpy()


def difference(want, got):
    """Largest difference, as a share of want's range."""
    span = float(want.max() - want.min())
    if want.shape != got.shape or not np.isfinite(got).all():
        return float("inf")
    worst = float(np.abs(want - got).max())
    return 0.0 if worst == 0 else worst / span if span > 0 else float("inf")


def _trials(contract):
    for height, width in contracts.shapes(contract):
        for batch in contracts.batches(contract):
            yield batch, height, width


def _in_fresh_process(data, contract):
    """Answers of the archive's bytes to every trial, from a process that knows nothing but torch."""
    with tempfile.TemporaryDirectory() as folder:
        ending = contracts.ending(contract)
        load = LOADERS[ending]
        model, asked, told = (os.path.join(folder, name) for name in (f"model{ending}", "asked.npz", "told.npz"))
        Path(model).write_bytes(data)
        np.savez(asked, *[picture(contract, *trial) for trial in _trials(contract)])
        code = ("import sys, numpy as np, torch\n"
                "model, asked, told, dtype = sys.argv[1:]\n"
                f"net, asked = {load}, np.load(asked)\n"
                f"give = lambda a: torch.from_numpy(a).to('{'cuda' if ending == '.ts' else 'cpu'}', getattr(torch, dtype))\n"
                "with torch.inference_mode():\n"
                "    np.savez(told, *[net(give(asked[k])).float().cpu().numpy() for k in asked.files])\n")
        done = subprocess.run([sys.executable, "-c", code, model, asked, told, contract["input"].get("dtype", "float32")],
                              capture_output=True, text=True, cwd=folder)
        if done.returncode:
            raise ModelError(f"the archive cannot be run: {(done.stderr.strip().splitlines() or ['?'])[-1]}")
        with np.load(told) as answers:
            return [answers[key] for key in answers.files]


def _check_one(contract, trial, want, got, whose):
    """ModelError unless got is want, for a batch and size; how far they are apart."""
    place = "x".join(map(str, (trial[0], 3, *trial[1:])))
    bound = bound_of(contract)
    promised = contracts.answer_shape(contract, *trial)
    if got.shape != promised:
        raise ModelError(f"for {place} {whose} answers {got.shape}, its contract promises {promised}; correct the "
                         "contract's layout, or declare the size and batch that are baked in")
    if not np.isfinite(got).all():
        raise ModelError(f"for {place} {whose} answers NaN or Inf")
    apart = difference(want, got)
    if apart > bound:
        raise ModelError(f"for {place} {whose} is {apart:.3g} of the range away from the eager one (allowed {bound:g})")
    return apart


def _disturbed(eager):
    """A copy of a network with a little noise on its weights; None when it has none."""
    other, noise, disturbed = copy.deepcopy(eager), torch.Generator().manual_seed(1), False
    with torch.no_grad():
        for tensor in [*other.parameters(), *other.buffers()]:
            if tensor.ndim >= 2 and tensor.is_floating_point():
                spread = 0.02 * tensor.float().std()
                tensor += (spread * torch.randn(tensor.shape, generator=noise)).to(tensor.dtype)
                disturbed |= bool(spread > 0)
    return other if disturbed else None


def check_sensitive(eager, contract):
    """How far a changed weight moves the answer; ModelError when the comparison would not see it."""
    other = _disturbed(eager) if not isinstance(eager, torch.jit.ScriptModule) else None
    if other is None:
        return None
    trial = next(_trials(contract))
    given = picture(contract, *trial)
    moved = difference(answer(eager, contract, given), answer(other, contract, given))
    if moved <= BOUNDS[contract["input"].get("dtype", "float32")]:
        raise ModelError(f"changed weights move the answer by {moved:.2g} of its range only, so that comparing answers "
                         "proves nothing; is the head all zeros?")
    return moved


def prove(eager, data, contract, scripted=None):
    """Run the archive against the eager module at the sizes and batches that it claims -> worst difference.

    scripted: the module before it was saved, compared first. ModelError when an answer has another shape than promised,
    is not finite, does not depend on the input, or is farther from the eager one than the bound of its type.
    """
    wants = {}
    for trial in _trials(contract):
        given = picture(contract, *trial)
        wants[trial] = answer(eager, contract, given)
        if scripted is not None:
            _check_one(contract, trial, wants[trial], answer(scripted, contract, given), "the compiled network")
    trial, want = next(iter(wants.items()))
    if np.array_equal(want, answer(eager, contract, picture(contract, *trial, seed=1))):
        raise ModelError("the answer does not depend on the picture")
    return max(_check_one(contract, *trial_and_want, got, "the saved network")
               for trial_and_want, got in zip(wants.items(), _in_fresh_process(data, contract)))


def golden_tile(eager, contract):
    """The extra file of modelkit/golden.py for a network."""
    return golden.make(eager, contract, picture(contract, *golden.shape(contract)),
                       lambda given: answer(eager, contract, given), bound_of(contract))


def make(eager, scripted, contract, tile=None):
    """Check the contract, save, prove -> (bytes, SHA-256, worst difference)."""
    contracts.check(contract)
    data = archive_bytes(scripted, contract, tile=tile)
    return data, hashlib.sha256(data).hexdigest(), prove(eager.eval(), data, contract, scripted)
