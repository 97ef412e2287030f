"""EXR plates of every kind, read by depthq and by others.

Files are made by the OpenEXR package and by the system's tools; what
exr_dump (our reader) says of them is compared with the picture that went in,
with the system's OpenEXR 3.1 through oiiotool, and with exr_file.py, which
shares no code with either.
"""
import json

import exr_file
import numpy as np
import pytest
from exr_file import BUILD, debian_tool, must, run

OpenEXR = pytest.importorskip("OpenEXR")

DUMP = BUILD / "tools/exr_dump"
LOSSY = {"b44", "b44a", "dwaa", "dwab", "lj2k"}
NEW = {"htj2k256", "htj2k32", "lj2k", "zstd"}  # unknown to OpenEXR 3.1
WIDTH, HEIGHT, X0, Y0 = 67, 75, -5, 13  # no multiple of any chunk or tile
WINDOW = ((X0, Y0), (X0 + WIDTH - 1, Y0 + HEIGHT - 1))


def picture(names, dtype, height=HEIGHT, width=WIDTH, seed=1):
    """A slope with fine grain, a highlight far above 1 and a hole: one that no codec stores raw."""
    rng, planes = np.random.default_rng(seed), {}
    y, x = np.mgrid[:height, :width]
    for i, name in enumerate(names):
        plane = 0.5 + 0.4 * np.sin(0.05 * x + 0.03 * y + 0.7 * i) + 0.01 * rng.random((height, width))
        plane[2:9, 3:12] *= 40
        plane[-6:, :] = 0
        planes[name] = (plane * 1e6).astype(dtype) if dtype == np.uint32 else plane.astype(dtype)
    return planes


def header(codec="zips", window=WINDOW, tile=0, **more):
    head = {"compression": getattr(OpenEXR, ("NO" if codec == "none" else codec.upper()) + "_COMPRESSION"),
            "type": OpenEXR.tiledimage if tile else OpenEXR.scanlineimage,
            "dataWindow": window, "displayWindow": ((0, 0), (99, 59)), **more}
    if tile:
        head["tiles"] = OpenEXR.TileDescription()
        head["tiles"].xSize, head["tiles"].ySize = tile, tile + 8
    return head


def write(path, head, planes):
    OpenEXR.File(head, dict(planes)).write(str(path))


def dump(path, *wish):
    """What depthq reads: the facts, and planes by name as they are in memory."""
    out = path.with_suffix(".raw")
    facts = json.loads(must(DUMP, path, out, *wish))
    x0, y0, x1, y1 = facts["data"]
    planes = np.fromfile(out, "<f2" if facts["type"] == "half" else "<f4").reshape(-1, y1 - y0 + 1, x1 - x0 + 1)
    names = ("Y" if facts["grey"] else "RGB") + ("A" if facts["alpha"] else "")
    assert len(planes) == len(names)
    return facts, dict(zip(names, planes))


def refusal(path, *wish):
    done = run(DUMP, path, path.with_suffix(".raw"), *wish)
    assert done.returncode == 65, done.stderr
    assert done.stderr.decode().startswith(f"{path}: ")
    return done.stderr.decode()


def same_bits(got, want):
    """Both are one type, or got is the float of an integer."""
    if want.dtype == np.uint32:
        want = want.astype(np.float32)
    assert got.dtype == want.dtype and got.shape == want.shape
    return np.array_equal(got.view(np.uint8), np.ascontiguousarray(want).view(np.uint8))


def read_by_others(path, codec):
    if codec not in NEW:
        return exr_file.through_oiiotool(path)[1]
    channels = OpenEXR.File(str(path), separate_channels=True).channels()
    return {name: channel.pixels for name, channel in channels.items()}


# ---- every codec -------------------------------------------------------------

@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.uint32], ids=["half", "float", "uint"])
@pytest.mark.parametrize("tile", [0, 16], ids=["lines", "tiles"])
@pytest.mark.parametrize("codec", exr_file.CODECS)
def test_every_codec_reads_as_others_read_it(tmp_path, codec, tile, dtype):
    planes, path = picture("RGBA", dtype), tmp_path / "p.exr"
    write(path, header(codec, tile=tile), planes)
    facts, got = dump(path)
    assert facts["data"] == [X0, Y0, X0 + WIDTH - 1, Y0 + HEIGHT - 1]
    assert facts["display"] == [0, 0, 99, 59]
    assert facts["type"] == ("half" if dtype == np.float16 else "float")
    lossless = codec not in LOSSY and not (codec == "pxr24" and dtype == np.float32)
    want = planes if lossless else read_by_others(path, codec)
    for name, plane in planes.items():
        assert same_bits(got[name], want[name]), name
        assert np.max(np.abs(got[name] - plane.astype(np.float32)) / (plane + 1.0)) < 0.1


@pytest.mark.parametrize("codec", ["none", "rle", "zips", "zip", "pxr24"])
@pytest.mark.parametrize("tile", [0, 16], ids=["lines", "tiles"])
def test_mixed_types_read_as_they_are_taken_apart_by_hand(tmp_path, codec, tile):
    planes = {**picture("R", np.float16), **picture("G", np.float32), **picture("B", np.uint32)}
    write(tmp_path / "p.exr", header(codec, tile=tile), planes)
    facts, got = dump(tmp_path / "p.exr")
    want = exr_file.pixels(*exr_file.parse(tmp_path / "p.exr"))
    assert facts["type"] == "float" and not facts["alpha"]
    for name in "RGB":
        assert same_bits(got[name], want[name].astype(np.float32))


def test_nan_and_infinity_come_through(tmp_path):
    planes = picture("RGB", np.float32)
    planes["R"][4, 5:9] = np.nan, np.inf, -np.inf, -1e-42
    write(tmp_path / "p.exr", header(), planes)
    assert same_bits(dump(tmp_path / "p.exr")[1]["R"], planes["R"])


# ---- order, levels, windows --------------------------------------------------

@pytest.mark.parametrize("codec", ["none", "zip", "piz"])
def test_lines_stored_from_the_bottom_up(tmp_path, codec):
    planes = picture("RGB", np.float16)
    exr_file.write_plain(tmp_path / "p.exr", {n: (p, 1, 1) for n, p in planes.items()}, sum(WINDOW, ()), (0, 0, 99, 59),
                         bottom_up=True)
    if codec != "none":
        must(debian_tool("oiiotool"), tmp_path / "p.exr", "--compression", codec, "--attrib", "openexr:lineOrder",
             "decreasingY", "-o", tmp_path / "p.exr")
    part, = exr_file.parse(tmp_path / "p.exr")
    assert part.order == 1 and part.codec == codec
    for name, plane in dump(tmp_path / "p.exr")[1].items():
        assert same_bits(plane, planes[name])


@pytest.mark.parametrize("levels", ["-o", "-m", "-r"], ids=["one", "mipmap", "ripmap"])
@pytest.mark.parametrize("codec", ["none", "zip", "piz"])
def test_of_a_file_of_many_sizes_the_full_one_is_read(tmp_path, codec, levels):
    planes = picture("RGBA", np.float16)
    write(tmp_path / "lines.exr", header("none"), planes)
    must(debian_tool("exrmaketiled"), levels, "-t", 24, 16, "-z", codec, tmp_path / "lines.exr", tmp_path / "p.exr")
    facts, got = dump(tmp_path / "p.exr")
    assert facts["data"] == [X0, Y0, X0 + WIDTH - 1, Y0 + HEIGHT - 1]
    for name, plane in planes.items():
        assert same_bits(got[name], plane)
    if levels != "-r":
        part, = exr_file.parse(tmp_path / "p.exr")
        assert part.tiled and {c[0][2] for c in part.chunks} == ({0} if levels == "-o" else set(range(7)))


WINDOWS = [(0, 0, 1, 1), (-1, -1, 1, 1), (7, -300, 3, 5), (-20000, 100, 33, 17), (12345, 23456, 64, 32),
           (-32, -16, 65, 31)]


@pytest.mark.parametrize("x, y, width, height", WINDOWS)
@pytest.mark.parametrize("tile", [0, 16], ids=["lines", "tiles"])
def test_windows_may_lie_anywhere(tmp_path, x, y, width, height, tile):
    planes = picture("RGB", np.float16, height, width)
    write(tmp_path / "p.exr", header("zip", ((x, y), (x + width - 1, y + height - 1)), tile, pixelAspectRatio=1.5),
          planes)
    facts, got = dump(tmp_path / "p.exr")
    assert facts["data"] == [x, y, x + width - 1, y + height - 1]
    assert facts["display"] == [0, 0, 99, 59] and facts["aspect"] == 1.5
    part, want = exr_file.through_oiiotool(tmp_path / "p.exr")
    assert part.data == tuple(facts["data"]) and part.display == tuple(facts["display"])
    for name in "RGB":
        assert same_bits(got[name], want[name]) and same_bits(got[name], planes[name])


# ---- parts, views, layers ----------------------------------------------------

def test_parts_are_found_by_name_number_and_view(tmp_path):
    parts, pictures = [], []
    for i, (name, view) in enumerate([("l.beauty", "left"), ("r.beauty", "right"), ("l.ids", "left")]):
        window = ((i, -i), (i + WIDTH - 1, HEIGHT - 1 - i))
        pictures.append(picture("XYZ" if i == 2 else "RGB", np.float32 if i else np.float16, seed=i))
        parts.append(OpenEXR.Part(header(["piz", "zip", "rle"][i], window, 16 * i, view=view), dict(pictures[-1]), name))
    OpenEXR.File(parts).write(str(tmp_path / "p.exr"))
    for wish, part in [((), 0), (("part=r.beauty",), 1), (("part=1",), 1), (("view=right",), 1), (("view=left",), 0)]:
        facts, got = dump(tmp_path / "p.exr", *wish)
        assert facts["parts"] == 3 and facts["part"] == part
        assert facts["data"] == [part, -part, part + WIDTH - 1, HEIGHT - 1 - part]
        want = exr_file.through_oiiotool(tmp_path / "p.exr", part)[1]
        for name in "RGB":
            assert same_bits(got[name], pictures[part][name]) and same_bits(got[name], want[name])
    assert "no part 'x' (3 parts: l.beauty, r.beauty, l.ids)" in refusal(tmp_path / "p.exr", "part=x")
    assert "no view 'x' (views: left, right)" in refusal(tmp_path / "p.exr", "view=x")
    assert "'l.ids' has no channel 'R' (its channels: X, Y, Z)" in refusal(tmp_path / "p.exr", "part=l.ids")
    assert "belongs to view 'left', not to 'right'" in refusal(tmp_path / "p.exr", "part=0", "view=right")


def test_parts_put_together_by_another_tool(tmp_path):
    for i in range(2):
        write(tmp_path / f"{i}.exr", header("zip"), picture("RGB", np.float16, seed=i))
    must(debian_tool("exrmultipart"), "-combine", "-i", tmp_path / "0.exr", tmp_path / "1.exr", "-o",
         tmp_path / "p.exr", "-override", "1")
    for i in range(2):
        facts, got = dump(tmp_path / "p.exr", f"part={i}")
        assert facts["parts"] == 2
        assert same_bits(got["G"], picture("RGB", np.float16, seed=i)["G"])


def test_two_views_in_one_part(tmp_path):
    for i, view in enumerate(["right", "left"]):
        write(tmp_path / f"{view}.exr", header("zip"), picture(["R", "G", "B", "A", "key.R", "key.G", "key.B"],
                                                               np.float16, seed=i))
    must(debian_tool("exrmultiview"), "right", tmp_path / "right.exr", "left", tmp_path / "left.exr", "-z", "piz",
         tmp_path / "p.exr")
    part, = exr_file.parse(tmp_path / "p.exr")
    assert "multiView" in part.attrs and "left.R" in [c[0] for c in part.channels]
    for wish, seed, layer in [((), 0, ""), (("view=right",), 0, ""), (("view=left",), 1, ""),
                              (("view=left", "layer=key"), 1, "key."), (("layer=key",), 0, "key.")]:
        want = picture(["R", "G", "B", "A", "key.R", "key.G", "key.B"], np.float16, seed=seed)
        facts, got = dump(tmp_path / "p.exr", *wish)
        assert facts["alpha"] == (layer == "")
        for name in "RGB":
            assert same_bits(got[name], want[layer + name]), (wish, name)


def test_layers_of_layers(tmp_path):
    names = ["a.R", "a.G", "a.B", "a.b.R", "a.b.G", "a.b.B", "a.b.A", "Z"]
    planes = picture(names, np.float32)
    write(tmp_path / "p.exr", header(), planes)
    for layer in ["a", "a.b"]:
        _, got = dump(tmp_path / "p.exr", "layer=" + layer)
        for name in "RGB":
            assert same_bits(got[name], planes[f"{layer}.{name}"])
    assert "no channel 'R'" in refusal(tmp_path / "p.exr")
    assert "no channel 'b.R'" in refusal(tmp_path / "p.exr", "layer=b")


# ---- luminance and chroma ----------------------------------------------------

@pytest.mark.parametrize("names", ["Y", "YA"])
def test_luminance_is_grey(tmp_path, names):
    planes = picture(names, np.float16)
    write(tmp_path / "p.exr", header("piz"), planes)
    facts, got = dump(tmp_path / "p.exr")
    assert facts["grey"] and sorted(got) == sorted(names)
    for name in names:
        assert same_bits(got[name], planes[name])


def chroma_file(path, window, chromaticities=None):
    """Y, RY and BY of a smooth picture whose chroma is a plane, as another reader's filter must agree on it too."""
    x0, y0, x1, y1 = window
    y, x = np.mgrid[y0:y1 + 1, x0:x1 + 1]
    luminance = (0.5 + 0.3 * np.sin(0.1 * x + 0.05 * y)).astype(np.float16)
    ry = (0.2 + 0.002 * x - 0.001 * y).astype(np.float16)[::2, ::2]
    by = (-0.1 + 0.001 * x + 0.002 * y).astype(np.float16)[::2, ::2]
    more = [("chromaticities", "chromaticities", np.float32(chromaticities).tobytes())] if chromaticities else []
    exr_file.write_plain(path, {"Y": (luminance, 1, 1), "RY": (ry, 2, 2), "BY": (by, 2, 2)}, window, window,
                         more=more)
    return luminance, ry, by


def test_luminance_and_chroma_become_rgb_by_the_formula(tmp_path):
    luminance, ry, by = chroma_file(tmp_path / "p.exr", (-4, 6, 59, 69))
    facts, got = dump(tmp_path / "p.exr")
    assert facts["chroma"] and facts["type"] == "float"
    luminance = luminance.astype(np.float64)
    red = (ry.astype(np.float64) + 1) * luminance[::2, ::2]
    blue = (by.astype(np.float64) + 1) * luminance[::2, ::2]
    weights = 0.2126, 0.7152, 0.0722  # Rec. 709's, to four places
    green = (luminance[::2, ::2] - weights[0] * red - weights[2] * blue) / weights[1]
    for name, want in zip("RGB", (red, green, blue)):
        assert np.max(np.abs(got[name][::2, ::2] - want)) < 1e-4


def shown(plane):
    """exrmakepreview's picture of a value (its manual names the exposure; the curve stands in its main.cpp)."""
    bright = np.maximum(0, plane.astype(np.float64) * 2 ** 2.47393)
    over = np.log(np.maximum(bright - 1, 0) * 0.184874 + 1) / 0.184874
    return np.clip(np.where(bright > 1, 1 + over, bright) ** 0.4545 * 84.66, 0, 255)


@pytest.mark.parametrize("chromaticities", [None, (0.7347, 0.2653, 0.1, 0.8, 0.13, 0.04, 0.32168, 0.33767)],
                         ids=["rec709", "own"])
def test_luminance_and_chroma_become_rgb_as_openexr_does_it(tmp_path, chromaticities):
    """exrmakepreview reads through OpenEXR's own RGBA interface, whose filter is another and takes nearby samples."""
    chroma_file(tmp_path / "p.exr", (0, 0, 63, 63), chromaticities)
    must(debian_tool("exrmakepreview"), "-w", 64, tmp_path / "p.exr", tmp_path / "seen.exr")
    kind, raw = exr_file.parse(tmp_path / "seen.exr")[0].attrs["preview"]
    seen = np.frombuffer(raw[8:], np.uint8).reshape(64, 64, 4).astype(int)
    _, got = dump(tmp_path / "p.exr")
    for i, name in enumerate("RGB"):
        assert np.ptp(seen[..., i]) > 50
        assert np.max(np.abs(seen[..., i] - shown(got[name]))[4:-4, 4:-4]) < 1.5, name


def subsampled(path, names, name, xs, ys):
    planes = picture(names, np.float16, 64, 64)
    exr_file.write_plain(path, {n: (p[::ys, ::xs], xs, ys) if n == name else (p, 1, 1) for n, p in planes.items()},
                         (0, 0, 63, 63), (0, 0, 63, 63))
    return planes


@pytest.mark.parametrize("name, xs, ys", [("B", 2, 2), ("R", 2, 1), ("A", 4, 4), ("G", 1, 2)])
def test_other_subsampling_is_refused_by_name(tmp_path, name, xs, ys):
    subsampled(tmp_path / "p.exr", "RGBA", name, xs, ys)
    assert f"channel '{name}' is sampled {xs} x {ys}" in refusal(tmp_path / "p.exr")


def test_a_subsampled_channel_beside_colour_does_no_harm(tmp_path):
    planes = subsampled(tmp_path / "p.exr", "RGBC", "C", 2, 2)
    for name, plane in dump(tmp_path / "p.exr")[1].items():
        assert same_bits(plane, planes[name])


# ---- deep --------------------------------------------------------------------

def test_deep_data_is_refused_clearly(tmp_path):
    planes = picture("RGBA", np.float16)
    planes.update(picture("Z", np.float32))
    write(tmp_path / "flat.exr", header("zips"), planes)
    must(debian_tool("oiiotool"), tmp_path / "flat.exr", "--deepen", "-o", tmp_path / "p.exr")
    part, = exr_file.parse(tmp_path / "p.exr")
    assert part.deep
    assert "deep scanline data; only flat images can be read: flatten it" in refusal(tmp_path / "p.exr")


def test_a_flat_part_beside_a_deep_one_is_read(tmp_path):
    flat = picture("RGB", np.float16)
    write(tmp_path / "flat.exr", header("zips"), {**flat, **picture("AZ", np.float32)})
    write(tmp_path / "rgb.exr", header("zips"), flat)
    oiiotool = debian_tool("oiiotool")
    must(oiiotool, tmp_path / "flat.exr", "--deepen", "-o", tmp_path / "deep.exr")
    must(debian_tool("exrmultipart"), "-combine", "-i", tmp_path / "deep.exr", tmp_path / "rgb.exr", "-o",
         tmp_path / "p.exr", "-override", "1")
    assert [p.deep for p in exr_file.parse(tmp_path / "p.exr")] == [True, False]
    facts, got = dump(tmp_path / "p.exr")
    assert facts["part"] == 1
    for name in "RGB":
        assert same_bits(got[name], flat[name])
    assert "is deep scanline data" in refusal(tmp_path / "p.exr", "part=0")
