"""FastDepth (Wofk et al., ICRA 2019), pruned: an encoder of depthwise and
pointwise convolutions, a decoder that doubles the size five times by nearest
neighbours and adds three of the encoder's pictures on the way.

Widths and order are those of the published ONNX file, whose initialisers are
numbered in the order in which the layers run. Where it comes from:
fastdepth_source.py.
"""
import torch
import torch.nn as nn
import torch.nn.functional as F

from . import onnx_weights
from .errors import ModelError

# encoder: (width, stride of the depthwise convolution); a tuple a stage whose last picture is kept
STAGES = (((56, 1),), ((88, 2), (120, 1)), ((144, 2), (256, 1)),
          ((408, 2), (376, 1), (272, 1), (288, 1), (296, 1), (328, 1), (480, 2), (512, 1)))
DECODER = (200, 256, 120, 56, 16)


def layer(before, after, kernel, stride, groups, activation):
    return nn.Sequential(nn.Conv2d(before, after, kernel, stride, kernel // 2, groups=groups, bias=False),
                         nn.BatchNorm2d(after), activation)


def separable(before, after, kernel, stride, activation):
    """One convolution a channel, then one across the channels."""
    return nn.Sequential(layer(before, before, kernel, stride, before, activation()),
                         layer(before, after, 1, 1, 1, activation()))


def stage(before, widths):
    blocks = []
    for width, stride in widths:
        blocks.append(separable(before, width, 3, stride, nn.ReLU6))
        before = width
    return nn.Sequential(*blocks)


class FastDepth(nn.Module):
    """[B,3,H,W] sRGB-encoded 0..1, sides multiples of 32 -> [B,1,H,W] metres."""

    def __init__(self):
        super().__init__()
        self.first = layer(3, 16, 3, 2, 1, nn.ReLU6())
        self.at2 = stage(16, STAGES[0])
        self.at4 = stage(56, STAGES[1])
        self.at8 = stage(120, STAGES[2])
        self.at32 = stage(256, STAGES[3])
        self.up1 = separable(512, DECODER[0], 5, 1, nn.ReLU)
        self.up2 = separable(DECODER[0], DECODER[1], 5, 1, nn.ReLU)
        self.up3 = separable(DECODER[1], DECODER[2], 5, 1, nn.ReLU)
        self.up4 = separable(DECODER[2], DECODER[3], 5, 1, nn.ReLU)
        self.up5 = separable(DECODER[3], DECODER[4], 5, 1, nn.ReLU)
        self.last = layer(DECODER[4], 1, 1, 1, 1, nn.ReLU())

    def twice(self, x):
        return F.interpolate(x, scale_factor=2.0, mode="nearest")

    def forward(self, x):
        at2 = self.at2(self.first(x))
        at4 = self.at4(at2)
        at8 = self.at8(at4)
        x = self.twice(self.up1(self.at32(at8)))
        x = self.twice(self.up2(x)) + at8
        x = self.twice(self.up3(x)) + at4
        x = self.twice(self.up4(x)) + at2
        return self.last(self.twice(self.up5(x)))


def state_of(weights, nodes, net):
    """Initialisers -> a state dict of net. Every one is used once and has its tensor's shape, or all that differ are
    told; the graph must use them in the order of their numbers, as the layers do."""
    names = sorted(weights, key=lambda name: int(name) if name.isdigit() else -1)
    used = [i for _, inputs in nodes for i in inputs if i in weights]
    if used != [name for name in names if weights[name].ndim or name in used]:
        raise ModelError("the ONNX graph does not use its initialisers in order: not the FastDepth that is known")
    wanted = net.state_dict()
    wrong = [f"{key} {tuple(tensor.shape)}: initialiser {name} has {weights[name].shape}"
             for (key, tensor), name in zip(wanted.items(), names) if tuple(tensor.shape) != weights[name].shape]
    if len(names) != len(wanted):
        wrong.append(f"{len(names)} initialisers for {len(wanted)} tensors")
    if wrong:
        raise ModelError("the ONNX file does not fit FastDepth: " + "; ".join(wrong))
    return {key: torch.from_numpy(weights[name].copy()) for key, name in zip(wanted, names)}


def from_onnx(data):
    """ONNX bytes -> the network with its weights, in eval mode."""
    net = FastDepth()
    net.load_state_dict(state_of(*onnx_weights.read(data), net), strict=True)
    return net.eval()
