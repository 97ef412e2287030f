"""A file of weights -> a state dict, without running anything that it holds;
and the state dict -> a network, strictly.

.safetensors holds tensors and nothing else. Any other file is torch.save's
pickle, read weights-only: a pickle that names a function is refused before
it can call it. Nothing is left out silently: each key that the network lacks,
the file lacks or that has another shape is told, and only the keys that the
caller names are dropped.
"""
import difflib
import hashlib
import pickle
import re
from pathlib import Path

import torch

from .errors import MISSING, ModelError

TOLD = 8  # keys of a kind that an error lists


def _read_safetensors(path):
    from safetensors import SafetensorError, torch as tensors
    try:
        return tensors.load_file(str(path), device="cpu")
    except (SafetensorError, ValueError) as error:
        raise ModelError(f"{path}: is no safetensors file, or a damaged one ({error})") from None


def _read_pickle(path):
    try:
        return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        said = re.search(r"(GLOBAL \S+|WeightsUnpickler error: .+)", str(error))
        why = f" ({said.group(1).strip()})" if said else ""
        raise ModelError(f"{path}: holds more than weights{why} and would run code when it is loaded; save the state "
                         "dict alone, torch.save(net.state_dict(), ...), or as safetensors") from None
    except (RuntimeError, EOFError, ValueError, KeyError) as error:
        raise ModelError(f"{path}: is no file of weights, or a damaged one ({type(error).__name__})") from None


def _is_state(value):
    return isinstance(value, dict) and bool(value) and all(isinstance(t, torch.Tensor) for t in value.values())


def read(path, key=None):
    """The tensors of a file by name; key: the entry of a checkpoint that holds them."""
    path = Path(path)
    if not path.is_file():
        raise ModelError(f"{path}: there is no such file", MISSING)
    value = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    if key is not None:
        if not isinstance(value, dict) or key not in value:
            raise ModelError(f"{path}: has no entry '{key}'" + (
                f"; there are: {', '.join(map(str, value))}" if isinstance(value, dict) else ""))
        value = value[key]
    if _is_state(value):
        return dict(value)
    inside = [str(k) for k, v in value.items() if _is_state(v)] if isinstance(value, dict) else []
    raise ModelError(f"{path}: is no dictionary of tensors" + (
        f"; its weights are under '{inside[0]}': give --key {inside[0]}" if inside else ""))


def digest(path):
    """SHA-256 of a file."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def without(state, dropped):
    """state without the keys that the user named; each must be there."""
    for name in dropped:
        if name not in state:
            near = difflib.get_close_matches(name, state, 1)
            raise ModelError(f"--drop {name}: there is no such key" + (f" (did you mean '{near[0]}'?)" if near else ""))
    return {name: tensor for name, tensor in state.items() if name not in dropped}


def _some(what, names):
    more = f" and {len(names) - TOLD} more" if len(names) > TOLD else ""
    return f"{len(names)} {what}: {', '.join(names[:TOLD])}{more}" if names else ""


def _prefix(missing, unexpected):
    """What stands before every key of the file, when that is all that differs."""
    ends = [name for name in unexpected if missing and name.endswith("." + missing[0])]
    prefix = ends[0][:-len(missing[0])] if ends else ""
    return prefix if prefix and {prefix + name for name in missing} <= set(unexpected) else ""


def differences(wanted, state):
    """Every key that is missing, unexpected or of another shape, as a sentence; "" when all fit."""
    missing = [name for name in wanted if name not in state]
    unexpected = [name for name in state if name not in wanted]
    shapes = [f"{name} {tuple(state[name].shape)}, not {tuple(tensor.shape)}" for name, tensor in wanted.items()
              if name in state and state[name].shape != tensor.shape]
    told = "; ".join(filter(None, (_some("missing", missing), _some("unexpected", unexpected), _some("of another shape", shapes))))
    prefix = _prefix(missing, unexpected)
    return told + (f". Every key begins with '{prefix}': give --strip {prefix}" if prefix else
                   ". Only keys that --drop names are left out" if unexpected else "")


def strip(state, prefix):
    """state with prefix taken from every key that has it."""
    return {name[len(prefix):] if name.startswith(prefix) else name: tensor for name, tensor in state.items()}


def load_into(net, state, where):
    """Load a state dict into a network, all of it and nothing else."""
    told = differences(net.state_dict(), state)
    if told:
        raise ModelError(f"{where}: the weights are not this network's: {told}")
    net.load_state_dict(state, strict=True)
    return net
