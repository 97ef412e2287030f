"""The best straightforward Python loop over a folder of plates, to compare
depthq run with: OpenImageIO reads and writes in threads of their own, torch
does the rest, nothing is done per pixel in Python.

    loop.py MODEL PLATES FRAMES OUT TILE OVERLAP THREADS

TILE 0: the whole picture in one forward. What it does for a pixel is what
depthq does in kind: exposure (fixed), shoulder, sRGB, guide of the whole
frame, tiles fitted to the guide, blended, ZIPS float Z. It keeps no record,
checks nothing and does not sync its files: that is what straightforward
means.
"""
import math
import queue
import sys
import threading
from pathlib import Path

import numpy as np
import OpenImageIO as oiio
import torch
from torch.nn import functional as F

MEAN = {True: (0.485, 0.456, 0.406), False: (0, 0, 0)}
STD = {True: (0.229, 0.224, 0.225), False: (1, 1, 1)}


def read(path):
    file = oiio.ImageInput.open(path)
    if not file:
        raise RuntimeError(oiio.geterror())
    pixels = file.read_image(0, 0, 0, 3, "half")
    file.close()
    return pixels


def write(path, depth):
    height, width = depth.shape
    spec = oiio.ImageSpec(width, height, 1, "float")
    spec.channelnames = ("Z",)
    spec["compression"] = "zips"
    file = oiio.ImageOutput.create(path)
    if not file.open(path, spec) or not file.write_image(depth[:, :, None]) or not file.close():
        raise RuntimeError(file.geterror())


def display(pixels):
    """Linear half pixels -> 1x3xHxW of sRGB, highlights rolled off."""
    x = torch.from_numpy(pixels).permute(2, 0, 1).float().contiguous().clamp_min_(0)
    x = torch.where(x <= 0.8, x, 0.8 + 0.2 * (1 - torch.exp((0.8 - x) / 0.2)))
    return torch.where(x <= 0.0031308, 12.92 * x, 1.055 * x.pow(1 / 2.4) - 0.055)[None]


def starts(side, tile, overlap):
    n = max(1, math.ceil((side - overlap) / (tile - overlap)))
    return [round(i * (side - tile) / (n - 1)) if n > 1 else 0 for i in range(n)]


def ramp(n, overlap, first, last):
    up = torch.ones(n)
    rise = (torch.arange(overlap) + 0.5) / overlap
    if not first:
        up[:overlap] = rise
    if not last:
        up[-overlap:] = rise.flip(0)
    return up


def fitted(tile, guide):
    """The tile through the scale and shift that fit it best to the guide."""
    t, g = tile.flatten(), guide.flatten()
    tm, gm = t.mean(), g.mean()
    scale = ((t - tm) * (g - gm)).mean() / ((t - tm).square().mean() + 1e-12)
    return scale.clamp(0.25, 4) * (tile - tm) + gm


def tiled(net, picture, tile, overlap, normal):
    mean, std = normal
    height, width = picture.shape[2:]
    share = tile / max(height, width)
    small = F.interpolate(picture, size=(round(height * share), round(width * share)), mode="area")
    padded = F.pad(small, (0, tile - small.shape[3], 0, tile - small.shape[2]), mode="replicate")
    guide = net((padded - mean) / std)[:, :, :small.shape[2], :small.shape[3]]
    guide = F.interpolate(guide, size=(height, width), mode="bilinear")[0, 0]
    sum_, weights = torch.zeros(height, width), torch.zeros(height, width)
    xs, ys = starts(width, tile, overlap), starts(height, tile, overlap)
    for y in ys:
        down = ramp(tile, overlap, y == 0, y + tile >= height)
        for x in xs:
            at = (slice(y, y + tile), slice(x, x + tile))
            depth = net((picture[:, :, at[0], at[1]] - mean) / std)[0, 0]
            weight = down[:, None] * ramp(tile, overlap, x == 0, x + tile >= width)
            sum_[at] += weight * fitted(depth, guide[at])
            weights[at] += weight
    return sum_ / weights


def frames_of(text):
    first, last = text.split("-")
    return range(int(first), int(last) + 1)


def main(model, plates, frames, out, tile, overlap, threads):
    tile, overlap = int(tile), int(overlap)
    torch.set_num_threads(int(threads))
    decoded, inferred = queue.Queue(2), queue.Queue(2)
    Path(out).mkdir(parents=True, exist_ok=True)

    def reader():
        for frame in frames_of(frames):
            decoded.put((frame, read(f"{plates}/plate.{frame:04d}.exr")))
        decoded.put(None)

    def writer():
        while (item := inferred.get()) is not None:
            frame, depth = item
            write(f"{out}/depth.{frame:04d}.exr", depth)

    workers = [threading.Thread(target=reader), threading.Thread(target=writer)]
    for worker in workers:
        worker.start()
    with torch.inference_mode():
        net = torch.jit.optimize_for_inference(torch.jit.freeze(torch.jit.load(model).eval()))
        normal = [torch.tensor(v).reshape(1, 3, 1, 1) for v in (MEAN[bool(tile)], STD[bool(tile)])]
        while (item := decoded.get()) is not None:
            frame, pixels = item
            picture = display(pixels)
            depth = tiled(net, picture, tile, overlap, normal) if tile else net(picture)[0, 0]
            inferred.put((frame, np.ascontiguousarray(depth.numpy())))
    inferred.put(None)
    for worker in workers:
        worker.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
