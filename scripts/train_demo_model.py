#!/usr/bin/env python3
"""Train demo-depth, the small network that ships with depthq, and export it.

    scripts/train_demo_model.py --steps 3200
    scripts/train_demo_model.py --evaluate models/*.pt

Data: depthq-scene (of build/release, or --scene), a new world for every
picture, from a fixed seed; the plates go through the same exposure, shoulder
and sRGB encoding that depthq itself applies. The answer is disparity (near is
large) up to a scale and a shift. Evaluation: held-out seeds, one least-squares
fit of scale and shift in disparity, AbsRel of distance where the true depth is
below 100 m, beside the best vertical ramp a + b y fitted the same way.
"""
import argparse
import copy
import os
import pathlib
import subprocess
import sys
import threading
import time
import queue

from modelkit import errors, steady

if __name__ == "__main__" and not steady.is_able():  # set-up's Python goes on
    try:
        steady.go_on()
    except errors.ModelError as error:
        print(f"train_demo_model: {error}", file=sys.stderr)
        sys.exit(error.status)

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F

from modelkit import artifact
from modelkit import library as models

ROOT = pathlib.Path(__file__).resolve().parent.parent
TRAIN_SEED = 1_000_000  # held-out seeds lie below
HELD_OUT = range(5000, 5400)
FAR = 100.0
SIDE = 518  # of the pictures of the evaluation


# ---- data -------------------------------------------------------------------

def render(scene, seed, count, width, height):
    """count worlds from seed on -> rgb [n,3,h,w] linear, z [n,h,w], sky [n,h,w]."""
    raw = subprocess.run([scene, "--raw", "--seed", str(seed), "--scenes", str(count), "--size", f"{width}x{height}"],
                         check=True, capture_output=True).stdout
    end = raw.index(b"\n") + 1
    planes = np.frombuffer(raw, np.float32, offset=end).reshape(count, 5, height, width)
    return planes[:, :3], planes[:, 3], planes[:, 4]


def network_colour(rgb):
    """Scene-linear plates [n,3,h,w] -> what the network is given: exposure, shoulder, sRGB."""
    luma = np.tensordot(rgb, [0.2126, 0.7152, 0.0722], axes=([1], [0]))
    out = np.empty_like(rgb)
    for i in range(len(rgb)):
        lit = luma[i][luma[i] > 1e-6]
        ev = np.clip(np.log2(0.18) - np.log2(lit).mean(), -2, 2) if lit.size else 0.0
        out[i] = rgb[i] * 2.0 ** ev
    out = np.where(out <= 0.8, out, 0.8 + 0.2 * (1 - np.exp(-(np.maximum(out, 0.8) - 0.8) / 0.2)))
    return np.where(out <= 0.0031308, 12.92 * out, 1.055 * np.maximum(out, 1e-8) ** (1 / 2.4) - 0.055).astype(np.float32)


def disparity(z, sky):
    return np.where(sky > 0.5, 0, 1 / np.maximum(z, 0.2)).astype(np.float32)


class Stream(threading.Thread):
    """Batches of worlds, rendered ahead of the training loop; each is given twice, the second time much later.

    Rendering costs about a quarter of what learning from a picture does.
    """

    KEPT = 60

    def __init__(self, scene, seed, batch, width, height):
        super().__init__(daemon=True)
        self.args, self.batch, self.seed = (scene, width, height), batch, seed
        self.ready, self.stop = queue.Queue(4), False
        self.kept, self.given = [], 0
        self.start()

    def run(self):
        scene, width, height = self.args
        while not self.stop:
            rgb, z, sky = render(scene, self.seed, self.batch, width, height)
            self.seed += self.batch
            self.ready.put((network_colour(rgb), disparity(z, sky)))

    def next(self):
        self.given += 1
        if self.given % 2 == 0 and len(self.kept) == self.KEPT:
            x, d = self.kept.pop(0)
        else:
            x, d = self.ready.get()
            if len(self.kept) < self.KEPT:
                self.kept.append((x, d))
        return torch.from_numpy(x), torch.from_numpy(d).unsqueeze(1)

    def close(self):
        self.stop = True
        while not self.ready.empty():
            self.ready.get()


# ---- network ----------------------------------------------------------------

def conv(a, b, kernel=3, stride=1):
    return nn.Sequential(nn.Conv2d(a, b, kernel, stride=stride, padding=kernel // 2, bias=False),
                         nn.BatchNorm2d(b), nn.ReLU(inplace=True))


class Block(nn.Module):
    """Residual: two 3x3 convolutions."""

    def __init__(self, width: int):
        super().__init__()
        self.body = nn.Sequential(conv(width, width), nn.Conv2d(width, width, 3, padding=1, bias=False),
                                  nn.BatchNorm2d(width))

    def forward(self, x):
        return F.relu(x + self.body(x))


class Up(nn.Module):
    """Twice the size, joined with the encoder's picture of that size."""

    def __init__(self, low: int, skip: int, out: int):
        super().__init__()
        self.narrow = nn.Conv2d(low, out, 1)
        self.skip = nn.Conv2d(skip, out, 1)
        self.mixed = conv(out, out)

    def forward(self, low, skip):
        up = F.interpolate(self.narrow(low), scale_factor=2.0, mode="bilinear", align_corners=False)
        return self.mixed(F.relu(up + self.skip(skip)))


class DemoDepth(nn.Module):
    """[B,3,H,W] sRGB-encoded 0..1, sides multiples of 32 -> [B,1,H,W] disparity up to scale and shift.

    Pixels come and go as 2x2 squares in channels: nothing is computed at full size, and edges stay a pixel sharp.
    """

    def __init__(self, widths=(16, 32, 64, 96, 96)):
        super().__init__()
        a, b, c, d, e = widths
        self.e1 = conv(12, a)
        self.e2 = nn.Sequential(conv(a, b, stride=2), Block(b))
        self.e3 = nn.Sequential(conv(b, c, stride=2), Block(c), Block(c))
        self.e4 = nn.Sequential(conv(c, d, stride=2), Block(d), Block(d))
        self.e5 = nn.Sequential(conv(d, e, stride=2), Block(e), Block(e))
        self.whole = nn.Linear(e, e)
        self.d4 = Up(e, d, d)
        self.d3 = Up(d, c, c)
        self.d2 = Up(c, b, b)
        self.d1 = Up(b, a, a)
        self.last = nn.Sequential(nn.Conv2d(a + 12, 16, 3, padding=1), nn.ReLU(inplace=True),
                                  nn.Conv2d(16, 4, 3, padding=1))

    def forward(self, x):
        squares = F.pixel_unshuffle(x - 0.45, 2)
        x1 = self.e1(squares)
        x2 = self.e2(x1)
        x3 = self.e3(x2)
        x4 = self.e4(x3)
        x5 = self.e5(x4)
        x5 = x5 + self.whole(x5.mean(dim=[2, 3])).unsqueeze(2).unsqueeze(3)
        y = self.d1(self.d2(self.d3(self.d4(x5, x4), x3), x2), x1)
        return F.pixel_shuffle(self.last(torch.cat([y, squares], 1)), 2)


# ---- loss -------------------------------------------------------------------

def aligned(p, d, w):
    """p through the scale and shift that fit d best, weights w.

    Where p hardly goes with d, or goes against it, the best scale would be next to nothing and teach nothing: there
    it is that of a correlation of 0.3.
    """
    p_, d_, w_ = p.flatten(1), d.flatten(1), w.flatten(1)
    total = w_.sum(1, keepdim=True)
    mp, md = (w_ * p_).sum(1, keepdim=True) / total, (w_ * d_).sum(1, keepdim=True) / total
    covariance = (w_ * (p_ - mp) * (d_ - md)).sum(1, keepdim=True) / total
    spread = ((w_ * (p_ - mp) ** 2).sum(1, keepdim=True) / total + 1e-8).sqrt()
    target = ((w_ * (d_ - md) ** 2).sum(1, keepdim=True) / total + 1e-8).sqrt()
    s = (covariance / (spread * target)).clamp(min=0.3) * target / spread
    return (s * (p_ - mp) + md).view_as(p)


def edges(e):
    """Mean absolute gradient of an error at four scales: edges must stand where the bodies are."""
    total = e.new_zeros(())
    for k in range(4):
        small = F.avg_pool2d(e, 2 ** k) if k else e
        total = total + (small[..., :, 1:] - small[..., :, :-1]).abs().mean() + (small[..., 1:, :] - small[..., :-1, :]).abs().mean()
    return total


def loss_of(p, d):
    seen = (d > 1 / FAR).float() + 1e-6  # what evaluation fits and scores
    spread = (d - d.mean(dim=[2, 3], keepdim=True)).abs().mean(dim=[2, 3], keepdim=True) + 1e-3
    fitted = aligned(p, d, seen)
    e = (fitted - d) / spread
    relative = ((fitted - d).abs() / (d + 0.005) * seen).clamp(max=3)  # of distance: far weighs as much as near
    return e.abs().mean() + 1.5 * relative.mean() + 0.3 * edges(e)


# ---- training ---------------------------------------------------------------

def crop(x, d, size, rng):
    """A square piece at full resolution: what a tile will look like."""
    y0 = int(rng.integers(0, x.shape[2] - size + 1))
    x0 = int(rng.integers(0, x.shape[3] - size + 1))
    return x[..., y0:y0 + size, x0:x0 + size], d[..., y0:y0 + size, x0:x0 + size]


# Share of the steps, pictures a step, their sizes: small pictures first, then pictures of the size that guides and
# tiles have; square and wide in turn.
PHASES = [(0.57, 16, [(224, 224), (288, 160)]), (0.25, 6, [(384, 384), (480, 288)]), (0.18, 3, [(512, 512), (640, 384)])]


def varied(x, d, rng):
    """Some pieces at full resolution, as tiles will be, and every other picture mirrored."""
    if rng.random() < 0.2:
        x, d = crop(x, d, 32 * (min(x.shape[2:]) // 40), rng)
    if rng.random() < 0.5:
        x, d = x.flip(3), d.flip(3)
    return x.contiguous(memory_format=torch.channels_last), d


def learn(net, optimiser, x, d):
    loss = loss_of(net(x), d)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(net.parameters(), 1.0)
    optimiser.step()
    return loss.item()


def train(args):
    torch.manual_seed(7)
    rng = np.random.default_rng(7)
    net = DemoDepth().to(memory_format=torch.channels_last)
    print(f"{sum(p.numel() for p in net.parameters()):,} parameters", flush=True)
    optimiser = torch.optim.AdamW(net.parameters(), lr=args.rate, weight_decay=1e-4)
    begun, step, seed, running = time.time(), 0, TRAIN_SEED, None
    for share, batch, sizes in PHASES:
        streams = [Stream(args.scene, seed + 10_000_000 * i, batch, w, h) for i, (w, h) in enumerate(sizes)]
        for _ in range(round(share * args.steps)):
            for group in optimiser.param_groups:  # warm up, then a half cosine
                group["lr"] = args.rate * min(1, (step + 1) / 100) * (0.5 + 0.5 * np.cos(np.pi * step / args.steps))
            loss = learn(net, optimiser, *varied(*streams[step % len(streams)].next(), rng))
            running = loss if running is None else 0.98 * running + 0.02 * loss
            step += 1
            if step % 50 == 0:
                used = sum(os.times()[:4])
                print(f"{time.time() - begun:6.0f} s  {used:6.0f} CPU-s  step {step}  {sizes[0]}  loss {running:.4f}", flush=True)
            if step % 250 == 0:
                torch.save(net.state_dict(), args.checkpoint)
        seed += 100_000_000
        for stream in streams:
            stream.close()
    print(f"{step} steps in {time.time() - begun:.0f} s, {sum(os.times()[:4]):.0f} CPU-s")
    torch.save(net.state_dict(), args.checkpoint)
    return net.eval()


# ---- evaluation -------------------------------------------------------------

def held_out_worlds(scene, count=20):
    """count worlds that the network has not seen: (seed, rgb, disparity, z, mask of what is scored).

    Left out are those that a ramp would win (ramp_like).
    """
    for seed in HELD_OUT:
        rgb, z, sky = render(scene, seed, 1, SIDE, SIDE)
        d, mask = disparity(z, sky)[0], (z[0] < FAR) & (sky[0] < 0.5)
        if ramp_like(d, mask):
            continue
        yield seed, rgb, d, z[0], mask
        count -= 1
        if count == 0:
            return


def fit_absrel(p, d, z, mask):
    """One scale and shift in disparity, then AbsRel of distance where mask."""
    a = np.stack([p[mask], np.ones(mask.sum())], 1)
    s, b = np.linalg.lstsq(a, d[mask], rcond=None)[0]
    distance = 1 / np.maximum(s * p + b, 1 / FAR)
    return float((np.abs(distance - z)[mask] / z[mask]).mean())


def answer(net, rgb):
    """The network's disparity [h,w] for plates [1,3,h,w], padded to its multiple and cut back as depthq does."""
    x = torch.from_numpy(network_colour(rgb))
    h, w = x.shape[2:]
    top, left = -h % 32 // 2, -w % 32 // 2
    padded = F.pad(x, (left, -w % 32 - left, top, -h % 32 - top), mode="reflect")
    with torch.inference_mode():
        return net(padded)[0, 0, top:top + h, left:left + w].double().numpy()


def evaluate(net, scene, count=20):
    """AbsRel of held-out worlds: ours and the vertical ramp's, their means."""
    ours, ramps = [], []
    for seed, rgb, d, z, mask in held_out_worlds(scene, count):
        ours.append(fit_absrel(answer(net, rgb), d, z, mask))
        ramps.append(fit_absrel(vertical_ramp(), d, z, mask))
        print(f"  seed {seed}: AbsRel {ours[-1]:.3f}, vertical ramp {ramps[-1]:.3f}")
    print(f"{len(ours)} held-out worlds at {SIDE}x{SIDE}: AbsRel {np.mean(ours):.4f} (median {np.median(ours):.4f}), "
          f"vertical ramp {np.mean(ramps):.4f}, ratio {np.mean(ours) / np.mean(ramps):.3f}")
    return float(np.mean(ours)), float(np.mean(ramps))


def vertical_ramp():
    return np.linspace(0, 1, SIDE)[:, None] * np.ones((1, SIDE))


def ramp_like(d, mask):
    """Whether at least half of the picture is ground: rows of it are equal to one line in y."""
    rows = np.median(d, axis=1, keepdims=True)
    same = (np.abs(d - rows) < 0.002 + 0.01 * rows) & mask & (rows > 1e-3)
    return same.mean() >= 0.5


# ---- export -----------------------------------------------------------------

CONTRACT = {
    "depthq_model": 1, "name": "demo-depth", "version": "1.1.1",
    "input": {"channels": "RGB", "transfer": "srgb", "range": [0, 1], "multiple": 32,
              "size": {"preferred": 512, "min": 64, "max": 2048}, "batch": "any", "dtype": "float32"},
    "output": {"quantity": "disparity", "scale": "affine", "layout": "NCHW"},
    "licence": "Apache-2.0", "source": "scripts/train_demo_model.py",
    "precision": "weights stored as float16, computed in float32",
    "description": "small demonstration network, trained on depthq-scene only",
}


class HalfConv(nn.Module):
    """A convolution whose weights are kept as float16 and used as float32.

    Freezing a loaded archive folds the conversion away, so it costs nothing at run time.
    """

    def __init__(self, conv: nn.Conv2d):
        super().__init__()
        self.register_buffer("weight", conv.weight.detach().half())
        self.register_buffer("bias", conv.bias.detach().half())
        self.stride, self.padding, self.groups = list(conv.stride), list(conv.padding), conv.groups

    def forward(self, x):
        return F.conv2d(x, self.weight.float(), self.bias.float(), self.stride, self.padding, [1, 1], self.groups)


class HalfLinear(nn.Module):
    """The same for a linear layer."""

    def __init__(self, linear: nn.Linear):
        super().__init__()
        self.register_buffer("weight", linear.weight.detach().half())
        self.register_buffer("bias", linear.bias.detach().half())

    def forward(self, x):
        return F.linear(x, self.weight.float(), self.bias.float())


def lighten(module):
    """Fold every batch norm into the convolution before it; keep all weights as float16. In place."""
    for name, child in list(module.named_children()):
        if isinstance(child, nn.Sequential):
            layers = []
            for layer in child:
                if isinstance(layer, nn.BatchNorm2d):
                    layers[-1] = nn.utils.fusion.fuse_conv_bn_eval(layers[-1], layer)
                else:
                    layers.append(layer)
            child = nn.Sequential(*layers)
            setattr(module, name, child)
        if isinstance(child, nn.Conv2d):
            setattr(module, name, HalfConv(child))
        elif isinstance(child, nn.Linear):
            setattr(module, name, HalfLinear(child))
        else:
            lighten(child)
    return module


def export(net, library):
    """Write the artefact and its manifest into a library -> path of the artefact.

    modelkit proves it against the eager network at every size and batch that the contract claims.
    """
    light = lighten(copy.deepcopy(net.eval()))
    data, digest, worst = artifact.make(light, torch.jit.script(light), CONTRACT, artifact.golden_tile(light, CONTRACT))
    with torch.inference_mode():
        probe = torch.from_numpy(artifact.picture(CONTRACT, 1, 512, 512))
        rounding = artifact.difference(net(probe).numpy(), light(probe).numpy())
    path = models.publish(library, data, CONTRACT)
    print(f"{path}: {len(data):,} bytes, SHA-256 {digest}; saved against eager {worst:.2g} of the range, "
          f"float16 weights against float32 {rounding:.2g}")
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--scene", default=str(ROOT / "build/release/bin/depthq-scene"))
    parser.add_argument("--steps", type=int, default=3200)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--checkpoint", default=str(ROOT / "build/demo-depth.ckpt"))
    parser.add_argument("--library", type=pathlib.Path, default=ROOT / "models")
    parser.add_argument("--evaluate", metavar="MODEL.pt", help="evaluate an exported model and stop")
    parser.add_argument("--resume", action="store_true", help="export and evaluate the checkpoint, without training")
    args = parser.parse_args()
    torch.set_num_threads(min(2, os.cpu_count() or 1))
    if args.evaluate:
        evaluate(torch.jit.load(args.evaluate).eval(), args.scene)
        return
    if args.resume:
        net = DemoDepth()
        net.load_state_dict(torch.load(args.checkpoint, weights_only=True), strict=True)
        net.eval()
    else:
        net = train(args)
    path = export(net, args.library)
    evaluate(torch.jit.load(str(path)).eval(), args.scene)


if __name__ == "__main__":
    sys.exit(main())
