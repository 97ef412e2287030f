"""The networks of the bench, exported into a library in the build folder."""
import os
import sys

from setting import ROOT

SMALL_SIZE = 518
LIBRARY = "models"


def _contract(name, size, multiple, mean, std, batch):
    return {"depthq_model": 1, "name": name, "version": "1.0.0",
            "input": {"channels": "RGB", "transfer": "srgb", "range": [0, 1], "mean": mean, "std": std,
                      "size": size, "multiple": multiple, "batch": batch, "dtype": "float32"},
            "output": {"quantity": "disparity", "scale": "affine", "layout": "NCHW"},
            "licence": "as depthq", "source": "tests/bench", "description": "random weights, for measuring only"}


def _publish(setting, scripted, contract):
    sys.path.insert(0, str(ROOT / "scripts"))
    from modelkit import artifact, library
    return library.publish(setting.work / LIBRARY, artifact.archive_bytes(scripted, contract), contract)


def _there(setting, name):
    sys.path.insert(0, str(ROOT / "scripts"))
    from modelkit import library
    manifest = library.find(setting.work / LIBRARY, name, "1.0.0")
    return manifest and setting.work / LIBRARY / manifest["file"]


def small(setting):
    """Depth Anything V2 Small's architecture, traced at 518 x 518, batch 1 -> its artefact."""
    import torch
    import vit
    found = _there(setting, "bench-small")
    if found:
        return found
    net = vit.make(SMALL_SIZE)
    count = sum(p.numel() for p in net.parameters())
    if not 24e6 < count < 25.5e6:
        raise AssertionError(f"{count} parameters: this is not the Small architecture")
    traced = torch.jit.trace(net, torch.rand(1, 3, SMALL_SIZE, SMALL_SIZE), check_trace=False)
    return _publish(setting, traced, _contract("bench-small", {"fixed": [SMALL_SIZE, SMALL_SIZE]}, 14,
                                               [0.485, 0.456, 0.406], [0.229, 0.224, 0.225], 1))


def pointwise(setting):
    """Disparity from the colours of one pixel, any size: files are the work -> its artefact."""
    import torch

    class Pointwise(torch.nn.Module):  # no convolution: oneDNN would first copy the picture into blocks of 8 channels
        def forward(self, x):
            return 0.3 * x[:, 0:1] + 0.5 * x[:, 1:2] + 0.2 * x[:, 2:3] + 0.05

    found = _there(setting, "bench-pointwise")
    if found:
        return found
    size = {"preferred": 512, "min": 8, "max": 8192}
    contract = _contract("bench-pointwise", size, 8, [0, 0, 0], [1, 1, 1], "any")
    return _publish(setting, torch.jit.script(Pointwise().eval()), contract)


def fake(setting, kind, size):
    """One of depthq's own networks without a library, of a fixed size -> its artefact."""
    import json
    contract = _contract(f"fake-{kind}", {"fixed": [size, size]}, 14, [0, 0, 0], [1, 1, 1], 1)
    contract["runtime"] = "fake"
    path = setting.work / f"{kind}-{size}.fake"
    path.write_text(json.dumps({"depthq_fake": 1, "net": kind, "contract": contract}))
    return path


def env(setting):
    return setting.env(DEPTHQ_MODELS=os.fspath(setting.work / LIBRARY))
