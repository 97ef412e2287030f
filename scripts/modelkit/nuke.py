"""A network in the form that Nuke's Inference node loads (through its
CatFileCreator): one picture in, as Nuke has it (linear, any size, RGB first),
one channel out at the same size.

What depthq does around a network is inside: highlights are clipped, colours
encoded, numbers normalised, sides padded with the picture's edge to the
network's multiple and cut again; a network of one size is given the whole
picture resized. Tiles, alignment and the shot's exposure are not: that is
what depthq is for.
"""
import io

import torch
from torch.nn import functional as F

from .artifact import BOUNDS, DTYPES, archive_bytes, difference
from .contract import shapes
from .errors import ModelError


class NukeForm(torch.nn.Module):
    """Scriptable; net takes and gives what its contract says, NCHW or NHW or CHW."""

    def __init__(self, net, contract):
        super().__init__()
        given, answer = contract["input"], contract["output"]
        low, high = given.get("range", [0, 1])
        size = given["size"]
        self.net = net
        self.is_srgb: bool = given["transfer"] == "srgb"
        self.is_bgr: bool = given.get("channels", "RGB") == "BGR"
        self.low: float = float(low)
        self.span: float = float(high) - float(low)
        self.multiple: int = int(given["multiple"])
        self.least: int = int(size.get("min", 1))
        self.height, self.width = (int(side) for side in size.get("fixed", [0, 0]))
        self.batch: int = 1 if given.get("batch", "any") == "any" else int(given["batch"])
        self.depth: int = int(answer.get("depth", 0))
        self.layout: str = answer.get("layout", "NCHW")
        self.register_buffer("mean", torch.tensor(given.get("mean", [0.0, 0.0, 0.0])).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(given.get("std", [1.0, 1.0, 1.0])).view(1, 3, 1, 1))
        self.dtype = DTYPES[given.get("dtype", "float32")]

    def encode(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.nan_to_num(x[:, :3].to(torch.float32), nan=0.0).clamp(0.0, 1.0)
        if self.is_srgb:
            x = torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.clamp(min=0.0031308).pow(1 / 2.4) - 0.055)
        if self.is_bgr:
            x = x.flip(1)
        return (self.low + x * self.span - self.mean) / self.std

    def plane(self, answer: torch.Tensor) -> torch.Tensor:
        """The depth of the first picture, 1x1xHxW."""
        answer = answer.to(torch.float32)
        if self.layout == "NHW":
            return answer[:1].unsqueeze(1)
        if self.layout == "CHW":
            return answer[self.depth:self.depth + 1].unsqueeze(0)
        return answer[:1, self.depth:self.depth + 1]

    def padded(self, side: int) -> int:
        side = max(side, self.least)
        return (side + self.multiple - 1) // self.multiple * self.multiple

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        height, width = x.size(2), x.size(3)
        y = self.encode(x[:1])
        if self.height > 0:
            y = F.interpolate(y, [self.height, self.width], mode="bilinear", align_corners=False, antialias=True)
        else:
            y = F.pad(y, [0, self.padded(width) - width, 0, self.padded(height) - height], mode="replicate")
        out = self.plane(self.net(y.to(self.dtype).expand(self.batch, -1, -1, -1).contiguous()))
        if self.height > 0:
            out = F.interpolate(out, [height, width], mode="bilinear", align_corners=False)
        return out[:, :, :height, :width].to(x.dtype)


def wrap(module, contract):
    """A ScriptModule of a compiled network."""
    return torch.jit.script(NukeForm(module, contract).eval())


def _sizes(contract):
    """(height, width) of pictures to try: no multiples of anything, and one that needs no padding."""
    sizes = shapes(contract, 2)
    return [(h - 3, w - 5) for h, w in sizes if h > 8 and w > 8] + sizes[:1]


def make(net, module, contract):
    """(bytes of the archive, largest difference to the eager network in the same form). ModelError when that is too large."""
    data = archive_bytes(wrap(module, contract))
    loaded, eager = torch.jit.load(io.BytesIO(data)).eval(), NukeForm(net, contract).eval()
    bound, worst = BOUNDS[contract["input"].get("dtype", "float32")], 0.0
    for height, width in _sizes(contract):
        given = torch.rand((1, 4, height, width), generator=torch.Generator().manual_seed(height)) * 1.5 - 0.1
        with torch.inference_mode():
            want, got = eager(given), loaded(given)
        if got.shape != (1, 1, height, width):
            raise ModelError(f"for {height}x{width} the form for Nuke answers {tuple(got.shape)}")
        worst = max(worst, difference(want.numpy(), got.numpy()))
        if worst > bound:
            raise ModelError(f"for {height}x{width} the form for Nuke is {worst:.3g} of the range away from the eager network "
                             f"(allowed {bound:g})")
    return data, worst
