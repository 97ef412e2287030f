"""The contract of a model file, checked before anything is written.

Which keys there are, of which type, range and words, and which are needed is
read from infer/model_fields.def, the table that the C parser is made from.
What binds several keys (infer/model_rules.c: a preferred side between min and
max, metric answers in m, ...) is repeated here, so that an exporter fails
early; the C parser has the last word.
"""
import ast
import difflib
import re
from pathlib import Path

from .errors import ModelError

TABLE = Path(__file__).resolve().parents[2] / "infer/model_fields.def"
ROW = re.compile(r"^DQ_MODEL_(FIELD|OBJECT)\(((?:\"(?:\\.|[^\"\\])*\"|[^()\"])*)\)", re.M)
TOKEN = re.compile(r"\"(?:\\.|[^\"\\])*\"|,|[^\s,\"]+")
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9._+-]*")


def _arguments(text):
    """C macro arguments: adjacent strings are one, words stay words."""
    found = [None]
    for token in TOKEN.findall(text):
        if token == ",":
            found.append(None)
        elif token[0] == '"':
            found[-1] = (found[-1] or "") + ast.literal_eval(token)
        else:
            found[-1] = token
    return found


def _table():
    """{object: {key: (type, needed, low, high, words)}}; an object's own type is OBJECT."""
    keys = {}
    for what, text in ROW.findall(TABLE.read_text()):
        row = _arguments(text)
        if what == "OBJECT":
            keys.setdefault(row[0], {})[row[1]] = ("OBJECT", True, 0, 0, [])
        else:
            group, key, kind, _, fallback, low, high, choices = row[:8]
            words = [] if choices == "NULL" else choices.split("|")
            keys.setdefault(group, {})[key] = (kind, fallback == "NEEDED", float(low), float(high), words)
    if "input" not in keys or "size" not in keys["input"]:
        raise ModelError(f"{TABLE} is not read as it is written")
    return keys


def _is_int(value, low, high):
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


def _is_list(value, count, low, high, kinds):
    return (isinstance(value, list) and len(value) == count and
            all(isinstance(x, kinds) and not isinstance(x, bool) and low <= x <= high for x in value))


def _fits(kind, value, low, high, words):
    if kind in ("NAME", "TEXT", "NOTE"):
        return isinstance(value, str) and low <= len(value.encode()) <= high and (
            kind != "NAME" or NAME.fullmatch(value) is not None)
    if kind in ("CHOICE", "LETTERS"):
        return value in words
    if kind == "REALS2" or kind == "REALS3":
        return _is_list(value, int(kind[-1]), low, high, (int, float))
    if kind == "SIDES":
        return _is_list(value, 2, low, high, int)
    if kind == "OBJECT":
        return isinstance(value, dict)
    return (kind == "BATCH" and value in words) or (kind == "PLANE" and value is None) or _is_int(value, low, high)


def _check_object(values, group, keys):
    where = group + "." if group else ""
    for key, value in values.items():
        if key not in keys[group]:
            near = difflib.get_close_matches(key, keys[group], 1)
            raise ModelError(f"contract: unknown key '{where}{key}'" + (f" (did you mean '{near[0]}'?)" if near else ""))
        kind, _, low, high, words = keys[group][key]
        if not _fits(kind, value, low, high, words):
            raise ModelError(f"contract: {where}{key}: {value!r} is no {kind.lower()}"
                             f"{' of ' + ', '.join(words) if words else ''}")
        if kind == "OBJECT":
            _check_object(value, f"{where}{key}", keys)
    for key, (_, needed, _, _, _) in keys[group].items():
        if needed and key not in values:
            raise ModelError(f"contract: {where}{key} is missing")


def _check_size(given):
    size, multiple = given["size"], given["multiple"]
    if "fixed" in size and len(size) != 1:
        raise ModelError("contract: input.size: fixed goes without preferred, min and max")
    sides = size["fixed"] if "fixed" in size else [size.get("preferred", 0)]
    if not sides[0]:
        raise ModelError("contract: input.size: has neither preferred nor fixed")
    for side in sides:
        if side % multiple:
            raise ModelError(f"contract: input.size: {side} is no multiple of {multiple} (input.multiple)")
    if "fixed" not in size and not size.get("min", multiple) <= sides[0] <= size.get("max", 16384):
        raise ModelError("contract: input.size: min, preferred and max are not in order")


def check(contract):
    """Raise ModelError where a contract is wrong; return it."""
    if not isinstance(contract, dict):
        raise ModelError("contract: is no object")
    _check_object(contract, "", _table())
    given, answer = contract["input"], contract["output"]
    if ("mean" in given) != ("std" in given):
        raise ModelError("contract: input: mean and std go together")
    if not given.get("range", [0, 1])[0] < given.get("range", [0, 1])[1]:
        raise ModelError("contract: input.range rises")
    _check_size(given)
    _check_answer(answer, given)
    return contract


def _check_answer(answer, given):
    planes, depth, sky = answer.get("channels", 1), answer.get("depth", 0), answer.get("sky")
    layout, unit = answer.get("layout", "NCHW"), answer.get("unit", "")
    if depth >= planes or (sky is not None and (sky >= planes or sky == depth)):
        raise ModelError(f"contract: output: depth and sky are two planes below channels ({planes})")
    if layout == "CHW" and given.get("batch") != 1:
        raise ModelError("contract: output.layout: CHW has no batch; input.batch must be 1")
    if layout == "NHW" and planes != 1:
        raise ModelError(f"contract: output.layout: NHW has no room for {planes} planes")
    metric = {"disparity": ("m", "1/m"), "distance": ("m",)}[answer["quantity"]]
    if (unit not in metric) if answer["scale"] == "metric" else unit:
        raise ModelError(f"contract: output.unit: '{unit}' does not go with scale {answer['scale']}")


def shapes(contract, most=4):
    """(height, width) pairs that the contract claims: square, wide, tall, small."""
    given = contract["input"]
    size, step = given["size"], given["multiple"]
    if "fixed" in size:
        return [tuple(size["fixed"])]
    low, high = size.get("min", step), size.get("max", 16384)
    side = size["preferred"]

    def near(value):
        value = max(low, min(high, value))
        return max(step, min(-(-value // step) * step, high // step * step))

    wide, small = near(side * 4 // 3 + step), near(side // 2)
    pairs = [(side, side), (side, wide), (wide, side), (small, near(side // 2 + step))]
    return list(dict.fromkeys(pairs))[:most]


def batches(contract):
    """Batches that the contract claims: 1 and 4, or the one baked in."""
    batch = contract["input"].get("batch", "any")
    return [1, 4] if batch == "any" else [batch]


def ending(contract):
    """How the name of its artefact ends."""
    return {"aoti": ".pt2", "torch_tensorrt": ".ts"}.get(contract.get("runtime"), ".pt")


def answer_shape(contract, batch, height, width):
    """The shape that the network promises."""
    planes = contract["output"].get("channels", 1)
    layout = contract["output"].get("layout", "NCHW")
    return {"NCHW": (batch, planes, height, width), "NHW": (batch, height, width), "CHW": (planes, height, width)}[layout]
