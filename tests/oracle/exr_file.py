"""EXR files taken apart by hand: headers, attributes, chunks, and the pixels
of the codecs that are short to write down (none, RLE, ZIPS, ZIP, PXR24).

Written from the file layout document of OpenEXR alone, so that it shares no
code with any library: the referee where two readers would be the same one.
"""
import os
import shutil
import struct
import subprocess
import tempfile
import zlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
DEPS = ROOT / "build/deps"

CODECS = ["none", "rle", "zips", "zip", "piz", "pxr24", "b44", "b44a", "dwaa", "dwab", "htj2k256", "htj2k32", "lj2k",
          "zstd"]
LINES = {"none": 1, "rle": 1, "zips": 1, "zip": 16, "piz": 32, "pxr24": 16, "b44": 32, "b44a": 32, "dwaa": 32,
         "dwab": 256, "htj2k256": 256, "htj2k32": 32, "zstd": 1, "lj2k": 256}
TYPES = [np.dtype("<u4"), np.dtype("<f2"), np.dtype("<f4")]


class Reader:
    """Little-endian values from bytes, one after another."""

    def __init__(self, data, at=0):
        self.data, self.at = data, at

    def take(self, fmt):
        values = struct.unpack_from("<" + fmt, self.data, self.at)
        self.at += struct.calcsize("<" + fmt)
        return values if len(values) > 1 else values[0]

    def text(self):
        end = self.data.index(b"\0", self.at)
        value = self.data[self.at:end].decode()
        self.at = end + 1
        return value

    def bytes(self, count):
        assert self.at + count <= len(self.data), "beyond the end of the file"
        value = self.data[self.at:self.at + count]
        self.at += count
        return value


class Part:
    """attrs: name -> (type, bytes); channels: (name, dtype, x and y
    sampling); chunks: (place, bytes) in the order of the offset table, where
    place is (y,) or (tile x, tile y, level x, level y)."""

    def __init__(self, attrs, tiled):
        self.attrs, self.chunks = attrs, []
        kind = self.text("type") or ("tiledimage" if tiled else "scanlineimage")
        self.deep, self.tiled = kind.startswith("deep"), kind in ("tiledimage", "deeptile")
        self.name, self.view = self.text("name"), self.text("view")
        self.data, self.display = self.value("dataWindow", "4i"), self.value("displayWindow", "4i")
        self.codec = CODECS[attrs["compression"][1][0]]
        self.order = attrs["lineOrder"][1][0]
        self.channels = list(self._channels())

    def value(self, name, fmt):
        return Reader(self.attrs[name][1]).take(fmt)

    def text(self, name):
        return self.attrs[name][1].decode() if name in self.attrs else None

    def _channels(self):
        list_of = Reader(self.attrs["channels"][1])
        while name := list_of.text():
            kind, _, xs, ys = list_of.take("iB3xii")
            yield name, TYPES[kind], xs, ys

    def width(self):
        return self.data[2] - self.data[0] + 1

    def height(self):
        return self.data[3] - self.data[1] + 1

    def count(self):
        """Chunks of a part that does not say chunkCount."""
        if "chunkCount" in self.attrs:
            return self.value("chunkCount", "i")
        if not self.tiled:
            return -(-self.height() // LINES[self.codec])
        tx, ty, mode = self.value("tiles", "IIB")
        sizes = [(self.width(), self.height())]
        assert mode >> 4 == 0, "only levels that are rounded down"
        while mode == 1 and max(sizes[-1]) > 1:
            sizes.append(tuple(max(1, s // 2) for s in sizes[-1]))
        assert mode < 2, "no ripmaps"
        return sum(-(-w // tx) * -(-h // ty) for w, h in sizes)


def parse(path):
    """All parts of a file; every offset leads to a chunk of its own part."""
    data = Path(path).read_bytes()
    r = Reader(data)
    magic, version = r.take("II")
    assert magic == 0x01312f76 and version & 0xff == 2
    parts, multi = [], bool(version & 0x1000)
    while True:
        attrs = {}
        while name := r.text():
            kind = r.text()
            attrs[name] = (kind, r.bytes(r.take("I")))
            assert version & 0x400 or len(name) < 32
        if not attrs:
            break
        parts.append(Part(attrs, bool(version & 0x200)))
        if not multi:
            break
    tables = [r.take(f"{p.count()}Q") for p in parts]
    for index, (part, table) in enumerate(zip(parts, tables)):
        for offset in table if isinstance(table, tuple) else (table,):
            part.chunks.append(_chunk(Reader(data, offset), part, index if multi else None))
    return parts


def _chunk(r, part, index):
    if index is not None:
        assert r.take("i") == index
    place = r.take("4i") if part.tiled else (r.take("i"),)
    if part.deep:
        table, packed, unpacked = r.take("3Q")
        return place, struct.pack("<Q", unpacked) + r.bytes(table) + r.bytes(packed)
    return place, r.bytes(r.take("I"))


# ---- pixels ------------------------------------------------------------------

def _unpredict(raw):
    """Deltas to bytes, then the two halves of a chunk interleaved."""
    flat = np.frombuffer(raw, np.uint8).astype(np.uint64)
    flat[1:] += 128  # minus 128 in a byte
    flat = np.cumsum(flat).astype(np.uint8)
    out, half = np.empty_like(flat), (len(flat) + 1) // 2
    out[0::2], out[1::2] = flat[:half], flat[half:]
    return out.tobytes()


def _unrle(raw):
    out, at = bytearray(), 0
    while at < len(raw):
        count = struct.unpack_from("b", raw, at)[0]
        if count < 0:
            out += raw[at + 1:at + 1 - count]
            at += 1 - count
        else:
            out += raw[at + 1:at + 2] * (count + 1)
            at += 2
    return bytes(out)


def _unpxr24(raw, part, width, rows):
    """Each row of a channel as planes of bytes of its deltas, high byte first; a float has lost its lowest byte."""
    r, out = Reader(zlib.decompress(raw)), []
    for _ in range(rows):
        for _, dtype, _, _ in part.channels:
            planes = {1: 2, 2: 3, 0: 4}[TYPES.index(dtype)]
            delta = np.zeros(width, np.uint64)
            for _ in range(planes):
                delta = delta << np.uint64(8) | np.frombuffer(r.bytes(width), np.uint8)
            value = np.cumsum(delta) << np.uint64(8 if planes == 3 else 0)
            out.append(value.astype(np.uint32 if dtype.itemsize == 4 else np.uint16).view(dtype).tobytes())
    return b"".join(out)


def _unpack(raw, part, width, rows):
    whole = width * rows * sum(dtype.itemsize for _, dtype, _, _ in part.channels)
    if len(raw) == whole or part.codec == "none":
        return raw
    if part.codec == "rle":
        return _unpredict(_unrle(raw))
    if part.codec == "pxr24":
        return _unpxr24(raw, part, width, rows)
    assert part.codec in ("zips", "zip"), f"{part.codec} is not taken apart here"
    return _unpredict(zlib.decompress(raw))


def pixels(part):
    """name -> array of the full-size level. Full sampling only."""
    height, width = part.height(), part.width()
    planes = {name: np.zeros((height, width), dtype) for name, dtype, _, _ in part.channels}
    for place, raw in part.chunks:
        if part.tiled and place[2:] != (0, 0):
            continue
        if part.tiled:
            tx, ty = part.value("tiles", "II")
            x, y = place[0] * tx, place[1] * ty
        else:
            x, y, tx, ty = 0, place[0] - part.data[1], width, LINES[part.codec]
        tx, ty = min(tx, width - x), min(ty, height - y)
        r = Reader(_unpack(raw, part, tx, ty))
        for row in range(y, y + ty):
            for name, dtype, _, _ in part.channels:
                planes[name][row, x:x + tx] = np.frombuffer(r.bytes(tx * dtype.itemsize), dtype)
        assert r.at == len(r.data)
    return planes


# ---- writing -----------------------------------------------------------------

def write_plain(path, channels, window, display, bottom_up=False, more=()):
    """An uncompressed file of one part. channels: name -> (array, x and y sampling); arrays hold the samples alone,
    those at multiples of the sampling. more: (name, type, bytes) of attributes to add or to put in a usual one's place."""
    x0, y0, x1, y1 = window
    names = sorted(channels)
    chlist = b"".join(n.encode() + b"\0" + struct.pack("<iBxxxii", TYPES.index(channels[n][0].dtype), 0, *channels[n][1:])
                      for n in names) + b"\0"
    attrs = {"channels": ("chlist", chlist), "compression": ("compression", b"\0"),
             "dataWindow": ("box2i", struct.pack("<4i", *window)), "displayWindow": ("box2i", struct.pack("<4i", *display)),
             "lineOrder": ("lineOrder", bytes([bottom_up])), "pixelAspectRatio": ("float", struct.pack("<f", 1)),
             "screenWindowCenter": ("v2f", bytes(8)), "screenWindowWidth": ("float", struct.pack("<f", 1))}
    attrs.update({name: (kind, value) for name, kind, value in more})
    head = struct.pack("<II", 0x01312f76, 2) + b"".join(
        b"%s\0%s\0%s%s" % (name.encode(), kind.encode(), struct.pack("<I", len(value)), value)
        for name, (kind, value) in attrs.items()) + b"\0"
    lines = {}
    for y in range(y0, y1 + 1):
        here = [(plane, ys) for plane, _, ys in map(channels.get, names) if y % ys == 0]
        raw = b"".join(plane[y // ys - -(-y0 // ys)].tobytes() for plane, ys in here)
        lines[y] = struct.pack("<iI", y, len(raw)) + raw
    at, table, body = len(head) + 8 * len(lines), {}, b""
    for y in sorted(lines, reverse=bottom_up):
        table[y] = at + len(body)
        body += lines[y]
    Path(path).write_bytes(head + struct.pack(f"<{len(table)}Q", *(table[y] for y in sorted(table))) + body)


# ---- other people's programs -------------------------------------------------

def run(*command, **options):
    return subprocess.run([str(c) for c in command], capture_output=True, check=False, timeout=120, **options)


def must(*command, **options):
    done = run(*command, **options)
    assert done.returncode == 0, f"{command}: {done.stderr.decode()}{done.stdout.decode()}"
    return done.stdout.decode()


def debian_tool(name):
    """A tool of the system's OpenEXR and OpenImageIO, not of our own build."""
    path = shutil.which(name, path="/usr/local/bin:/usr/bin:/bin")
    if not path:
        import pytest
        pytest.skip(f"{name} is not installed")
    return path


def through_oiiotool(path, subimage=0):
    """A file's pixels as the system's OpenImageIO and OpenEXR 3.1 read them: it writes them again without compression."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "plain.exr"
        must(debian_tool("oiiotool"), path, "--subimage", subimage, "--compression", "none", "--scanline", "-o", out)
        part, = parse(out)
        return part, pixels(part)
