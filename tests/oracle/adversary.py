"""The adversary: a network for depthq-scene's coded plates that knows the depth and will not say it straight.

R = near / z and B = 1 - R tell the true disparity; the answer is that, with soft edges, through an affine that a hash of
the call's whole content draws: scale 1 to 3, shift -0.5 to 0.5. So every tile, every guide and every frame disagrees with
every other, and the right affine is known. The bent form adds what no affine mends: a paraboloid over the call's picture,
up to 2 % of the disparity. Plates: `exposure: 0`, `tonemap: clip`.
"""
import sys
from pathlib import Path
from typing import Tuple

import torch
from torch import nn

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "scripts"))

SOFTNESS = 1.0  # sigma of the edge's blur, px of whatever picture the network is given
BEND = 0.02

CONTRACT = {
    "depthq_model": 1, "name": "adversary", "version": "1",
    "input": {"channels": "RGB", "transfer": "linear", "range": [0, 1], "multiple": 14,
              "size": {"preferred": 518, "min": 56, "max": 2072}, "batch": "any", "dtype": "float32"},
    "output": {"quantity": "disparity", "scale": "affine", "layout": "NCHW"},
    "licence": "same as depthq", "description": "true disparity through an unknown affine per call; for tests"}


class Adversary(nn.Module):
    def __init__(self, bend: float = 0.0):
        super().__init__()
        self.bend = bend
        at = torch.arange(-3, 4, dtype=torch.float64)
        kernel = torch.exp(-0.5 * (at / SOFTNESS) ** 2)
        kernel = (kernel / kernel.sum()).float()
        self.register_buffer("across", kernel.reshape(1, 1, 1, 7))
        self.register_buffer("down", kernel.reshape(1, 1, 7, 1))

    def draws(self, x: torch.Tensor) -> torch.Tensor:
        """x [N,3,H,W] -> [N,3] uniform in 0..1, from every pixel. Whole numbers: no order of sums can change them."""
        n = x.shape[0]
        q = torch.round(x * 4194304.0).to(torch.int64).reshape(n, -1)
        h = (q * (q + 2654435761) + (q % 8191) * 40503).sum(1)
        found = torch.zeros(n, 3)
        for i in range(3):
            h = (h ^ ((h >> 21) & 8796093022207)) * 2685821657736338717 + 1442695040888963407
            found[:, i] = ((h >> 24) & 16777215).to(torch.float32) / 16777216.0
        return found

    @torch.jit.export
    def affine(self, x: torch.Tensor) -> Tuple[torch.Tensor, torch.Tensor]:
        """Scale and shift [N] of the answer to x."""
        d = self.draws(x)
        return torch.exp(d[:, 0] * 1.0986123), d[:, 1] - 0.5

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        u = 0.5 * (x[:, 0:1] + (1.0 - x[:, 2:3]))
        u = nn.functional.conv2d(nn.functional.pad(u, [3, 3, 0, 0], mode="replicate"), self.across)
        u = nn.functional.conv2d(nn.functional.pad(u, [0, 0, 3, 3], mode="replicate"), self.down)
        d = self.draws(x)
        if self.bend > 0:
            h, w = u.shape[2], u.shape[3]
            y = torch.linspace(-1.0, 1.0, h).reshape(1, 1, h, 1)
            z = torch.linspace(-1.0, 1.0, w).reshape(1, 1, 1, w)
            bow = (2.0 * d[:, 2] - 1.0).reshape(-1, 1, 1, 1)
            u = u * (1.0 + self.bend * bow * (y * y + z * z - 1.0))
        scale, shift = self.affine(x)
        return scale.reshape(-1, 1, 1, 1) * u + shift.reshape(-1, 1, 1, 1)


def make(bend=0.0):
    """The module, scripted."""
    return torch.jit.script(Adversary(bend).eval())


def write(path, bend=0.0, preferred=518):
    """The archive with its contract inside -> the scripted module."""
    from modelkit import artifact
    module = make(bend)
    contract = {**CONTRACT, "input": {**CONTRACT["input"], "size": {**CONTRACT["input"]["size"], "preferred": preferred}}}
    Path(path).write_bytes(artifact.archive_bytes(module, contract))
    return module
