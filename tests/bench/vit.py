"""The architecture of Depth Anything V2 Small, written from its description:
DINOv2's ViT-S/14 as encoder, a DPT head on four of its layers. 24.8 million
parameters, random here: what it answers means nothing, what it costs does.
"""
import torch
from torch import nn
from torch.nn import functional as F

WIDTH, DEPTH, HEADS, PATCH = 384, 12, 6, 14
TAKEN = (2, 5, 8, 11)           # encoder layers that the head reads
MIDDLE, FUSED = (48, 96, 192, 384), 64


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv, self.proj = nn.Linear(WIDTH, 3 * WIDTH), nn.Linear(WIDTH, WIDTH)

    def forward(self, x):
        b, n, _ = x.shape
        q, k, v = self.qkv(x).reshape(b, n, 3, HEADS, WIDTH // HEADS).permute(2, 0, 3, 1, 4).unbind(0)
        return self.proj(F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(b, n, WIDTH))


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.attn, self.scale1 = nn.LayerNorm(WIDTH, eps=1e-6), Attention(), nn.Parameter(torch.ones(WIDTH))
        self.norm2, self.scale2 = nn.LayerNorm(WIDTH, eps=1e-6), nn.Parameter(torch.ones(WIDTH))
        self.mlp = nn.Sequential(nn.Linear(WIDTH, 4 * WIDTH), nn.GELU(), nn.Linear(4 * WIDTH, WIDTH))

    def forward(self, x):
        x = x + self.scale1 * self.attn(self.norm1(x))
        return x + self.scale2 * self.mlp(self.norm2(x))


class Encoder(nn.Module):
    def __init__(self, side):
        super().__init__()
        self.patches = nn.Conv2d(3, WIDTH, PATCH, PATCH)
        self.cls = nn.Parameter(torch.randn(1, 1, WIDTH) * 0.02)
        self.places = nn.Parameter(torch.randn(1, side * side + 1, WIDTH) * 0.02)
        self.blocks = nn.ModuleList(Block() for _ in range(DEPTH))
        self.norm = nn.LayerNorm(WIDTH, eps=1e-6)

    def forward(self, x):
        x = self.patches(x).flatten(2).transpose(1, 2)
        x = torch.cat((self.cls.expand(x.shape[0], -1, -1), x), 1) + self.places
        taken = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in TAKEN:
                taken.append(self.norm(x)[:, 1:])
        return taken


class Residual(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(FUSED, FUSED, 3, padding=1), nn.Conv2d(FUSED, FUSED, 3, padding=1)

    def forward(self, x):
        return x + self.conv2(F.relu(self.conv1(F.relu(x))))


class Fusion(nn.Module):
    def __init__(self):
        super().__init__()
        self.side, self.main, self.out = Residual(), Residual(), nn.Conv2d(FUSED, FUSED, 1)

    def forward(self, x, beside, size):
        if beside is not None:
            x = x + self.side(beside)
        x = F.interpolate(self.main(x), size=size, mode="bilinear", align_corners=True)
        return self.out(x)


class Head(nn.Module):
    def __init__(self):
        super().__init__()
        self.projects = nn.ModuleList(nn.Conv2d(WIDTH, c, 1) for c in MIDDLE)
        self.resize = nn.ModuleList([nn.ConvTranspose2d(MIDDLE[0], MIDDLE[0], 4, 4),
                                     nn.ConvTranspose2d(MIDDLE[1], MIDDLE[1], 2, 2), nn.Identity(),
                                     nn.Conv2d(MIDDLE[3], MIDDLE[3], 3, 2, 1)])
        self.narrow = nn.ModuleList(nn.Conv2d(c, FUSED, 3, padding=1, bias=False) for c in MIDDLE)
        self.fusions = nn.ModuleList(Fusion() for _ in MIDDLE)
        self.out1 = nn.Conv2d(FUSED, FUSED // 2, 3, padding=1)
        self.out2 = nn.Sequential(nn.Conv2d(FUSED // 2, 32, 3, padding=1), nn.ReLU(), nn.Conv2d(32, 1, 1), nn.ReLU())

    def forward(self, taken, side):
        layers = []
        for x, project, resize, narrow in zip(taken, self.projects, self.resize, self.narrow):
            x = x.transpose(1, 2).reshape(x.shape[0], WIDTH, side, side)
            layers.append(narrow(resize(project(x))))
        x = self.fusions[3](layers[3], None, layers[2].shape[2:])
        x = self.fusions[2](x, layers[2], layers[1].shape[2:])
        x = self.fusions[1](x, layers[1], layers[0].shape[2:])
        x = self.fusions[0](x, layers[0], [2 * n for n in layers[0].shape[2:]])
        x = F.interpolate(self.out1(x), size=(side * PATCH, side * PATCH), mode="bilinear", align_corners=True)
        return self.out2(x)


class DepthSmall(nn.Module):
    """Bx3xSxS in ImageNet's numbers -> Bx1xSxS, S a multiple of 14."""

    def __init__(self, size):
        super().__init__()
        self.side = size // PATCH
        self.encoder, self.head = Encoder(self.side), Head()

    def forward(self, x):
        return self.head(self.encoder(x), self.side)


def make(size=518, seed=0):
    """Random weights with the head scaled so that answers vary within 0..1 and are not cut off at 0."""
    torch.manual_seed(seed)
    net = DepthSmall(size).eval()
    last = net.head.out2[2]
    net.head.out2[3] = nn.Identity()
    with torch.inference_mode():
        answer = net(torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(1)))
        share = 0.15 / float(answer.std())
        middle = float(answer.mean())
    with torch.no_grad():
        last.bias.copy_(share * (last.bias - middle) + 0.5)
        last.weight.mul_(share)
    net.head.out2[3] = nn.ReLU()
    return net.requires_grad_(False)
