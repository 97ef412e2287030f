"""Depth files of every form, written by depthq and read by others.

exr_depth writes them around a plate, with depth by a formula. They are read
by exr_file.py (the file layout alone), by the system's OpenImageIO over
OpenEXR 3.1 where it knows the codec, by the OpenEXR package where not, and by
exrinfo.
"""
import struct
from fractions import Fraction

import exr_file
import numpy as np
import pytest
from exr_file import BUILD, DEPS, debian_tool, must, run
from exr_read_test import HEIGHT, LOSSY, NEW, WIDTH, WINDOW, X0, Y0, header, picture, same_bits, write

OpenEXR = pytest.importorskip("OpenEXR")

DEPTH = BUILD / "tools/exr_depth"
OURS = ["none", "rle", "zips", "zip", "piz", "pxr24", "htj2k32", "zstd"]  # what output.compression may say
BY_HAND = {"none", "rle", "zips", "zip", "pxr24"}
LONG = "depthq/a-name-of-more-than-31-characters"
# What a part's own storage decides; the rest of a plate's header is kept.
STORAGE = {"channels", "compression", "dataWindow", "displayWindow", "lineOrder", "chunkCount", "tiles", "name", "type",
           "preview", "version"}


def expected(half, height=HEIGHT, width=WIDTH):
    row, column = np.mgrid[:height, :width]
    depth = (1 + row.astype(np.float32) / 64) + column.astype(np.float32) / 1024
    return depth.astype(np.float16 if half else np.float32)


def make(plate, mode, codec="zips", kind="float", *keys):
    out = plate.with_name("depth.exr")
    must(DEPTH, plate, out, mode, {"htj2k32": "htj2k"}.get(codec, codec), kind, *keys)
    return out


def refusal(plate, mode, *keys, codec="zips", kind="float"):
    done = run(DEPTH, plate, plate.with_name("none.exr"), mode, codec, kind, *keys)
    assert done.returncode == 65 and not plate.with_name("none.exr").exists()
    assert done.stderr.decode().startswith(f"{plate}: ")
    return done.stderr.decode()


def by_package(path, index=0):
    part = OpenEXR.File(str(path), separate_channels=True).parts[index]
    return {name: channel.pixels for name, channel in part.channels.items()}


def readings(path, index=0):
    """The pixels of a part, from every reader that knows its codec."""
    part = exr_file.parse(path)[index]
    yield by_package(path, index)
    if part.codec in BY_HAND:
        yield exr_file.pixels(part)
    if part.codec not in NEW:
        got = exr_file.through_oiiotool(path, index)[1]  # it makes mixed types one, the widest
        yield {name: got[name].astype(dtype) for name, dtype, _, _ in part.channels}


def exrinfo(path):
    tool = DEPS / "openexr-3.5.3/bin/exrinfo"
    return must(tool, "-v", path) if tool.exists() else None


# ---- one part of its own -----------------------------------------------------

@pytest.mark.parametrize("kind", ["half", "float"])
@pytest.mark.parametrize("codec", OURS)
def test_separate_depth_reads_the_same_everywhere(tmp_path, codec, kind):
    write(tmp_path / "p.exr", header("piz", pixelAspectRatio=2.0), picture("RGB", np.float16))
    out = make(tmp_path / "p.exr", "separate", codec, kind, "mask=1")
    part, = exr_file.parse(out)
    assert part.codec == codec and not part.tiled and part.order == 0
    assert part.data == (X0, Y0, X0 + WIDTH - 1, Y0 + HEIGHT - 1) and part.display == (0, 0, 99, 59)
    assert part.value("pixelAspectRatio", "f") == 2
    assert [(n, t.kind + str(t.itemsize)) for n, t, _, _ in part.channels] == \
        [("Z", "f2" if kind == "half" else "f4"), ("mask", "f2" if kind == "half" else "f4")]
    want, mask = expected(kind == "half"), np.indices((HEIGHT, WIDTH)).sum(0) % 2
    for got in readings(out):
        assert np.array_equal(got["mask"], mask)
        if codec == "pxr24" and kind == "float":
            assert np.max(np.abs(got["Z"] / want - 1)) < 3.1e-5
        else:
            assert same_bits(got["Z"], want)
    text = exrinfo(out)
    assert text is None or f"'Z': {kind} samp 1 1" in text and f"compression '{codec}'" in text


WINDOWS = [(0, 0, 1, 1), (7, -300, 3, 5), (-20000, 100, 33, 17), (12345, 23456, 64, 32)]


@pytest.mark.parametrize("mode", ["separate", "part", "channel"])
@pytest.mark.parametrize("x, y, width, height", WINDOWS)
def test_windows_and_aspect_are_the_plates(tmp_path, x, y, width, height, mode):
    window = ((x, y), (x + width - 1, y + height - 1))
    write(tmp_path / "p.exr", header("zip", window, pixelAspectRatio=1.5), picture("RGB", np.float16, height, width))
    out = make(tmp_path / "p.exr", mode)
    for index, part in enumerate(exr_file.parse(out)):
        assert part.data == sum(window, ()) and part.display == (0, 0, 99, 59)
        assert part.value("pixelAspectRatio", "f") == 1.5
        seen, got = exr_file.through_oiiotool(out, index)
        assert seen.data == part.data and seen.display == part.display
        assert "Z" not in got or same_bits(got["Z"], expected(False, height, width))


def test_no_infinity_is_made_of_far_depth(tmp_path):
    """1 + 2^22 / 64 is beyond half's 65504."""
    exr_file.write_plain(tmp_path / "p.exr", {n: (np.zeros((32, 32), np.float16), 1, 1) for n in "RGB"}, (0, 0, 31, 31),
                         (0, 0, 31, 31))
    assert np.isfinite(by_package(make(tmp_path / "p.exr", "separate", "none", "half"))["Z"]).all()


# ---- attributes --------------------------------------------------------------

def pack(fmt, *values):
    return struct.pack("<" + fmt, *values)


ATTRS = [
    ("timeCode", "timecode", pack("II", 0x01234567, 0x89abcdef)), ("framesPerSecond", "rational", pack("iI", 24000, 1001)),
    ("keyCode", "keycode", pack("7i", 1, 2, 3, 4, 5, 6, 60)), ("colorInteropID", "string", b"lin_ap0_scene"),
    ("chromaticities", "chromaticities", pack("8f", .7347, .2653, 0, 1, .0001, -.077, .32168, .33767)),
    ("owner", "string", b"a studio"), ("comments", "string", b"first\nsecond"), ("capDate", "string", b"2026:05:04 03:02:01"),
    ("expTime", "float", pack("f", 0.02)), ("originalDataWindow", "box2i", pack("4i", 1, 2, 30, 40)),
    ("area", "box2f", pack("4f", 0, 0.5, 1, 1.5)), ("worldToCamera", "m44f", pack("16f", *range(16))),
    ("worldToNDC", "m44d", pack("16d", *range(16))), ("turn", "m33f", pack("9f", *range(9))),
    ("turnd", "m33d", pack("9d", *range(9))), ("point", "v3f", pack("3f", 1, 2, 3)), ("pointd", "v3d", pack("3d", 1, 2, 3)),
    ("pointi", "v3i", pack("3i", 1, 2, 3)), ("pair", "v2d", pack("2d", 1, 2)), ("pairi", "v2i", pack("2i", 1, 2)),
    ("adoptedNeutral", "v2f", pack("2f", .3127, .329)), ("count", "int", pack("i", -7)), ("exact", "double", pack("d", 1 / 3)),
    ("weights", "floatvector", pack("3f", .25, .5, .25)), ("reels", "stringvector", pack("i3si3s", 3, b"one", 3, b"two")),
    ("envmap", "envmap", b"\1"), ("studioThing", "ourOwnType", b"\1\2\0\xff\x7f"), ("empty", "string", b""),
    ("screenWindowWidth", "float", pack("f", 1.25)), ("screenWindowCenter", "v2f", pack("2f", .5, -.25)),
    ("depthq/model", "string", b"of an older run"),
]


def decorated(path, *more):
    """A plate whose header was written byte by byte."""
    planes = {n: (p, 1, 1) for n, p in picture("RGB", np.float16).items()}
    exr_file.write_plain(path, planes, sum(WINDOW, ()), (0, 0, 99, 59), more=[*ATTRS, *more])


@pytest.mark.parametrize("mode, index", [("separate", 0), ("part", 0), ("part", 1), ("channel", 0)])
def test_attributes_are_kept_byte_for_byte(tmp_path, mode, index):
    decorated(tmp_path / "p.exr", ("preview", "preview", pack("II", 2, 2) + bytes(16)))
    out = make(tmp_path / "p.exr", mode)
    attrs = exr_file.parse(out)[index].attrs
    copied = (mode, index) == ("part", 0)
    for name, kind, value in ATTRS:
        if name == "depthq/model" and not copied:
            assert attrs[name] == ("string", b"demo-depth")
        else:
            assert attrs[name] == (kind, value), name
    assert "preview" not in attrs
    assert (LONG in attrs) == (not copied)


@pytest.mark.parametrize("mode", ["separate", "part", "channel"])
def test_others_see_the_attributes_and_the_provenance(tmp_path, mode):
    decorated(tmp_path / "p.exr")
    out = make(tmp_path / "p.exr", mode)
    text = exrinfo(out)
    assert text is None or "depthq/model" in text and "demo-depth" in text and LONG in text
    said = must(debian_tool("oiiotool"), "--info", "-v", "-a", out)
    assert f'{LONG}: "long"' in said and 'depthq/model: "demo-depth"' in said
    assert "24000/1001" in said and 'owner: "a studio"' in said.replace("Copyright", "owner")
    head = OpenEXR.File(str(out), header_only=True).parts[-1].header
    assert head["depthq/model"] == "demo-depth" and head[LONG] == "long"
    assert head["framesPerSecond"] == Fraction(24000, 1001)


# ---- the plate's parts, and one more -----------------------------------------

def kept(part):
    return {name: value for name, value in part.attrs.items() if name not in STORAGE}


def assert_copied(plate, out, names):
    """Every part's chunks and attributes as they were; chunks in the same places."""
    before, after = exr_file.parse(plate), exr_file.parse(out)
    assert len(after) == len(before) + 1
    for old, new, name in zip(before, after, names):
        assert new.name == name and new.codec == old.codec and new.attrs["channels"] == old.attrs["channels"]
        assert new.data == old.data and new.display == old.display
        assert new.attrs.get("tiles") == old.attrs.get("tiles")
        assert new.chunks == old.chunks if new.order == old.order else dict(new.chunks) == dict(old.chunks)
        assert kept(new) == kept(old)
    assert after[-1].name == "depth" and [c[0] for c in after[-1].channels] == ["Z"]
    return after


@pytest.mark.parametrize("tile", [0, 16], ids=["lines", "tiles"])
@pytest.mark.parametrize("codec", exr_file.CODECS)
def test_the_plates_chunks_are_copied_byte_for_byte(tmp_path, codec, tile):
    write(tmp_path / "p.exr", header(codec, tile=tile), picture("RGBA", np.float16))
    out = make(tmp_path / "p.exr", "part")
    assert_copied(tmp_path / "p.exr", out, ["rgba"])
    assert same_bits(exr_file.pixels(exr_file.parse(out)[1])["Z"], expected(False))
    for name, plane in by_package(out).items():
        assert same_bits(plane, by_package(tmp_path / "p.exr")[name])
    exrinfo(out)
    if codec not in NEW and not tile:
        assert same_bits(exr_file.through_oiiotool(out, 1)[1]["Z"], expected(False))


def test_all_sizes_of_a_mipmap_are_copied(tmp_path):
    write(tmp_path / "lines.exr", header("none"), picture("RGB", np.float16))
    must(debian_tool("exrmaketiled"), "-m", "-t", 24, 16, "-z", "piz", tmp_path / "lines.exr", tmp_path / "p.exr")
    after = assert_copied(tmp_path / "p.exr", make(tmp_path / "p.exr", "part"), ["rgba"])
    assert {place[2] for place, _ in after[0].chunks} == set(range(7))


def test_lines_from_the_bottom_up_are_copied(tmp_path):
    exr_file.write_plain(tmp_path / "p.exr", {n: (p, 1, 1) for n, p in picture("RGB", np.float16).items()},
                         sum(WINDOW, ()), (0, 0, 99, 59), bottom_up=True)
    out = make(tmp_path / "p.exr", "part")
    assert_copied(tmp_path / "p.exr", out, ["rgba"])
    for got in readings(out):
        assert same_bits(got["G"], picture("RGB", np.float16)["G"])


@pytest.mark.parametrize("view", ["left", "right"])
def test_depth_of_a_view_stands_beside_the_parts_of_both(tmp_path, view):
    parts = []
    for i, (name, its) in enumerate([("l.rgb", "left"), ("r.rgb", "right"), ("r.extra", "right")]):
        window = ((i, -i), (i + WIDTH - 1, HEIGHT - 1 - i))
        parts.append(OpenEXR.Part(header(["dwaa", "b44", "rle"][i], window, [0, 16, 0][i], view=its),
                                  picture("XY" if i == 2 else "RGB", np.float16, seed=i), name))
    OpenEXR.File(parts).write(str(tmp_path / "p.exr"))
    out = make(tmp_path / "p.exr", "part", "zip", "half", f"view={view}")
    after = assert_copied(tmp_path / "p.exr", out, ["l.rgb", "r.rgb", "r.extra"])
    assert [p.view for p in after] == ["left", "right", "right", view]
    i = ["left", "right"].index(view)
    assert after[-1].data == (i, -i, i + WIDTH - 1, HEIGHT - 1 - i)
    for got in readings(out, 3):
        assert same_bits(got["Z"], expected(True))
    assert "a part named 'l.rgb' already" in refusal(tmp_path / "p.exr", "part", "part=l.rgb")


def test_deep_parts_are_copied_beside_flat_ones(tmp_path):
    flat = picture("RGB", np.float16)
    write(tmp_path / "flat.exr", header("zips"), {**flat, **picture("AZ", np.float32)})
    write(tmp_path / "rgb.exr", header("zips"), flat)
    must(debian_tool("oiiotool"), tmp_path / "flat.exr", "--deepen", "-o", tmp_path / "deep.exr")
    must(debian_tool("exrmultipart"), "-combine", "-i", tmp_path / "rgb.exr", tmp_path / "deep.exr", "-o",
         tmp_path / "p.exr", "-override", "1")
    names = [p.name for p in exr_file.parse(tmp_path / "p.exr")]
    out = make(tmp_path / "p.exr", "part")
    assert_copied(tmp_path / "p.exr", out, names)
    assert "subimages" in must(debian_tool("oiiotool"), "--stats", "-a", out)


# ---- one more channel --------------------------------------------------------

@pytest.mark.parametrize("tile", [0, 16], ids=["lines", "tiles"])
@pytest.mark.parametrize("codec", exr_file.CODECS)
def test_a_channel_is_added_and_the_others_stay(tmp_path, codec, tile):
    planes = {**picture("RGB", np.float16), **picture(["A", "id"], np.float32)}
    write(tmp_path / "p.exr", header(codec, tile=tile), planes)
    out = make(tmp_path / "p.exr", "channel")
    part, = exr_file.parse(out)
    assert part.codec == codec and part.tiled == bool(tile)
    assert [c[0] for c in part.channels] == sorted([*planes, "Z"])
    assert dict((c[0], c[1:]) for c in part.channels if c[0] != "Z") == \
        dict((c[0], c[1:]) for c in exr_file.parse(tmp_path / "p.exr")[0].channels)
    before = by_package(tmp_path / "p.exr")
    for got in readings(out):
        if codec == "pxr24":
            assert np.max(np.abs(got["Z"] / expected(False) - 1)) < 3.1e-5
        elif codec != "lj2k":
            assert same_bits(got["Z"], expected(False))
        for name, plane in before.items():
            if codec in LOSSY:
                bound = 0.1 * (np.abs(plane.astype(np.float32)) + 1)
                assert (np.abs(got[name].astype(np.float32) - plane) < bound).all()
            else:
                assert same_bits(got[name], plane)


def test_an_existing_channel_is_replaced_only_when_told(tmp_path):
    planes = {**picture("RGB", np.float16), **picture(["Z"], np.float16)}
    write(tmp_path / "p.exr", header("zip"), planes)
    said = refusal(tmp_path / "p.exr", "channel")
    assert "a channel 'Z' already" in said and "output.replace_channel" in said
    out = make(tmp_path / "p.exr", "channel", "zip", "float", "replace=1")
    for got in readings(out):
        assert sorted(got) == ["B", "G", "R", "Z"]
        assert same_bits(got["Z"], expected(False)) and same_bits(got["R"], planes["R"])
    assert "is what depth is made from" in refusal(tmp_path / "p.exr", "channel", "channel=G", "replace=1")


@pytest.mark.parametrize("view, name", [(None, "Z"), ("right", "Z"), ("left", "left.Z")])
def test_of_two_views_in_one_part_depth_goes_to_its_own(tmp_path, view, name):
    for i, its in enumerate(["right", "left"]):
        write(tmp_path / f"{its}.exr", header("zip"), picture("RGB", np.float16, seed=i))
    must(debian_tool("exrmultiview"), "right", tmp_path / "right.exr", "left", tmp_path / "left.exr", tmp_path / "p.exr")
    keys = [f"view={view}"] if view else []
    out = make(tmp_path / "p.exr", "channel", "zip", "float", *keys)
    part, = exr_file.parse(out)
    assert part.attrs["multiView"] == exr_file.parse(tmp_path / "p.exr")[0].attrs["multiView"]
    for got in readings(out):
        assert same_bits(got[name], expected(False)) and ("Z" in got) == (name == "Z")
        assert same_bits(got["left.B"], picture("RGB", np.float16, seed=1)["B"])
    assert "2 views in one part" in refusal(tmp_path / "p.exr", "part", *keys)
    only, = exr_file.parse(make(tmp_path / "p.exr", "separate", "zip", "float", *keys))
    assert "multiView" not in only.attrs and only.view == view


def test_of_several_parts_one_gets_the_channel_and_the_rest_is_copied(tmp_path):
    parts = [OpenEXR.Part(header(codec), picture("RGB", np.float16, seed=i), name)
             for i, (codec, name) in enumerate([("dwab", "a"), ("piz", "b"), ("b44a", "c")])]
    OpenEXR.File(parts).write(str(tmp_path / "p.exr"))
    out = make(tmp_path / "p.exr", "channel", "zip", "float", "from=b")
    before, after = exr_file.parse(tmp_path / "p.exr"), exr_file.parse(out)
    assert [p.name for p in after] == ["a", "b", "c"]
    for i in (0, 2):
        assert after[i].chunks == before[i].chunks and kept(after[i]) == kept(before[i])
    for got in readings(out, 1):
        assert same_bits(got["Z"], expected(False))
        assert same_bits(got["G"], picture("RGB", np.float16, seed=1)["G"])


def test_luminance_and_chroma_cannot_take_a_channel(tmp_path):
    y = picture("Y", np.float16, 64, 64)["Y"]
    exr_file.write_plain(tmp_path / "p.exr", {"Y": (y, 1, 1), "RY": (y[::2, ::2] * 0, 2, 2), "BY": (y[::2, ::2] * 0, 2, 2)},
                         (0, 0, 63, 63), (0, 0, 63, 63))
    assert "sampled 2 x 2" in refusal(tmp_path / "p.exr", "channel")
    assert_copied(tmp_path / "p.exr", make(tmp_path / "p.exr", "part"), ["rgba"])
