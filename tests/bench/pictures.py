"""Pictures of the quality bench: line plots and error maps as PNG, with nothing but numpy and zlib."""
import struct
import zlib

import numpy as np

COLOURS = [(31, 119, 180), (214, 39, 40), (44, 160, 44), (255, 127, 14), (148, 103, 189), (90, 90, 90)]


def write_png(path, rgb):
    """rgb [H,W,3] uint8."""
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    h, w, _ = rgb.shape
    rows = np.concatenate([np.zeros((h, 1), np.uint8), rgb.reshape(h, w * 3)], 1).tobytes()
    with open(path, "wb") as out:
        out.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 2, 0, 0, 0)) +
                  chunk(b"IDAT", zlib.compress(rows, 6)) + chunk(b"IEND", b""))


def plot(path, lines, low=None, high=None, width=900, height=360):
    """lines: [values], one colour each in the order of COLOURS, over one common scale; a grey line at 0."""
    rgb = np.full((height, width, 3), 255, np.uint8)
    values = np.concatenate([np.asarray(line, float) for line in lines])
    values = values[np.isfinite(values)]
    low = values.min() if low is None else low
    high = values.max() if high is None else high
    unit = (height - 1) / max(high - low, 1e-30)

    def row(v):
        return np.clip(height - 1 - (np.asarray(v) - low) * unit, 0, height - 1)

    if low < 0 < high:
        rgb[int(row(0.0)), :] = 190
    for line, colour in zip(lines, COLOURS):
        line = np.asarray(line, float)
        at = np.linspace(0, len(line) - 1, width * 4)
        v = np.interp(at, np.arange(len(line)), np.nan_to_num(line, nan=low))
        rgb[row(v).astype(int), (np.arange(width * 4) // 4)] = colour
    write_png(path, rgb)


def error_map(path, error, mask, reach, shrink=4):
    """Blue: too far, red: too near, white: right; `reach` is full colour; black: not scored."""
    e = np.where(mask, np.clip(error / reach, -1, 1), 0)[::shrink, ::shrink]
    rgb = np.stack([1 + np.minimum(e, 0), 1 - np.abs(e), 1 - np.maximum(e, 0)], -1)
    rgb[~mask[::shrink, ::shrink]] = 0
    write_png(path, (255 * rgb).astype(np.uint8))
