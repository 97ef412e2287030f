"""Networks from a Hugging Face model folder on disk: config.json, weights and
preprocessor_config.json; nothing is fetched and no code of the folder is run.

Which kinds, what their numbers mean and what sides they take is the table
KINDS; the rest is read from the folder.
"""
import json
from pathlib import Path

import torch.nn as nn

from .errors import MISSING, UNAVAILABLE, ModelError

# model_type: (quantity, scale, side of a patch, side when the folder names none)
KINDS = {
    "depth_anything": ("disparity", "affine", 14, 518),
    "dpt": ("disparity", "affine", 16, 384),
    "glpn": ("distance", "metric", 32, 480),
    "zoedepth": ("distance", "metric", 32, 384),
    "depth_pro": ("disparity", "scale", 384, 1536),  # in focal lengths, which only its own post-processing knows
}
HALVES = ("dpt", "zoedepth", "depth_pro")  # normalise with mean and spread 0.5


class DepthAlone(nn.Module):
    """B x 3 x H x W, normalised -> B x 1 x H x W: the network's predicted_depth, as it is."""

    def __init__(self, net):
        super().__init__()
        self.net = net

    def forward(self, x):
        return self.net(pixel_values=x, return_dict=False)[0].unsqueeze(1)


def _json(folder, name, needed=False):
    path = Path(folder) / name
    try:
        return json.loads(path.read_text())
    except FileNotFoundError:
        if needed:
            raise ModelError(f"{folder}: has no {name}: no Hugging Face model folder", MISSING) from None
        return {}
    except ValueError as error:
        raise ModelError(f"{path}: {error}") from None


def _quiet_transformers():
    try:
        import transformers
    except ImportError:
        raise ModelError("this needs the transformers package (scripts/requirements.txt)", UNAVAILABLE) from None
    transformers.logging.set_verbosity_error()
    transformers.logging.disable_progress_bar()
    return transformers


def _check_keys(folder, told, drop):
    """What from_pretrained did not load, less what the user drops, is an error."""
    missing, extra = sorted(told["missing_keys"]), sorted(set(told["unexpected_keys"]) - set(drop))
    for name in set(drop) - set(told["unexpected_keys"]):
        raise ModelError(f"--drop {name}: there is no such key, or the network needs it")
    shapes = [f"{name} {tuple(has)}, not {tuple(wants)}" for name, has, wants in told["mismatched_keys"]]
    wrong = [f"{len(names)} {what}: {', '.join(names[:8])}" for what, names in
             (("missing", missing), ("unexpected", extra), ("of another shape", shapes)) if names]
    if wrong:
        raise ModelError(f"{folder}: the weights are not this network's: {'; '.join(wrong)}")


def load(folder, drop=()):
    """A folder -> the network that answers depth alone, in eval mode."""
    kind = _json(folder, "config.json", needed=True).get("model_type")
    if kind not in KINDS:
        raise ModelError(f"{folder}: model_type '{kind}' is not known here; there are {', '.join(KINDS)}, and --module for others")
    if len(_json(folder, "config.json").get("bin_configurations") or []) > 1:
        raise ModelError(f"{folder}: chooses one of several heads by the picture: a trace would keep its example's choice; take "
                         "a folder with one head (zoedepth-nyu, zoedepth-kitti)")
    transformers = _quiet_transformers()
    cls = getattr(transformers, transformers.AutoConfig.from_pretrained(str(folder), local_files_only=True).architectures[0])
    cls._keys_to_ignore_on_load_missing = cls._keys_to_ignore_on_load_unexpected = None  # nothing is left out silently
    try:
        net, told = cls.from_pretrained(str(folder), local_files_only=True, output_loading_info=True, dtype="float32",
                                        trust_remote_code=False, ignore_mismatched_sizes=True)
    except (OSError, ValueError, RuntimeError) as error:
        raise ModelError(f"{folder}: {str(error).splitlines()[0]}") from None
    _check_keys(folder, told, drop)
    return DepthAlone(net).eval()


def _side(wanted, step):
    """The multiple of step nearest to a side."""
    return max(step, round(wanted / step) * step)


def _metric(config, quantity, scale):
    if config.get("depth_estimation_type") == "metric":
        return "distance", "metric"
    return quantity, scale


def contract(folder, name, version):
    """What the folder's network takes and answers, by its configuration and its preprocessor's."""
    config, prepared = _json(folder, "config.json", needed=True), _json(folder, "preprocessor_config.json")
    quantity, scale, step, side = KINDS[config["model_type"]]
    step = config.get("patch_size") or step
    quantity, scale = _metric(config, quantity, scale)
    size = prepared.get("size", {})
    side = _side(min(size.get("height", side), size.get("width", side)) if isinstance(size, dict) else side, step)
    size = {"preferred": side, "min": max(step, side // 2 // step * step)}
    if config["model_type"] == "depth_pro":  # made of patches of one picture
        size = {"fixed": [side, side]}
    given = {"transfer": "srgb", "multiple": step, "size": size, "batch": "any", "dtype": "float32"}
    if prepared.get("do_normalize", config["model_type"] != "glpn"):
        halves = config["model_type"] in HALVES
        default, spread = ([0.5] * 3,) * 2 if halves else ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
        given |= {"mean": prepared.get("image_mean", default), "std": prepared.get("image_std", spread)}
    out = {"quantity": quantity, "scale": scale, "layout": "NCHW"}
    return {"depthq_model": 1, "name": name, "version": version, "input": given,
            "output": out | ({"unit": "m"} if scale == "metric" else {}),
            "source": f"Hugging Face folder {Path(folder).resolve().name}, {config['model_type']}"}
