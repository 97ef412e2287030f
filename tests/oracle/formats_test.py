"""DPX, TIFF, PNG and JPEG plates, and colour, against other readers and numpy.

exr_dump shows what depthq reads, colour_dump what a network is shown of it.
PNG and plain TIFF are written here by hand; DPX and JPEG by the system's
oiiotool. The colour formulas stand here a second time, in double.
"""
import os
import struct
import zlib

import exr_file
import numpy as np
import pytest
from exr_file import BUILD, debian_tool, must, run
from exr_read_test import dump, picture

COLOUR = BUILD / "tools/colour_dump"
H, W = 41, 67
if not COLOUR.exists() or run("sh", "-c", f"nm -C '{BUILD}/tools/exr_dump' | grep -q dq_oiio_open").returncode:
    pytest.skip("this build has no OpenImageIO", allow_module_level=True)


def integers(channels, dtype, seed=3):
    top = np.iinfo(dtype).max
    y, x = np.mgrid[:H, :W]
    grain = np.random.default_rng(seed).random((H, W, channels)) * 0.05
    slope = np.stack([0.5 + 0.45 * np.sin(0.03 * x + 0.02 * y + c) for c in range(channels)], -1)
    return np.clip((slope + grain) * top, 0, top).astype(dtype)


def png(path, pixels):
    kind = {1: 0, 2: 4, 3: 2, 4: 6}[pixels.shape[2]]
    rows = b"".join(b"\0" + row.astype(row.dtype.newbyteorder(">")).tobytes() for row in pixels)

    def chunk(name, data):
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", W, H, 8 * pixels.itemsize, kind, 0, 0, 0))
                     + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def tiff(path, pixels, order="<"):
    """One strip, no compression."""
    fmt = {"u": 1, "f": 3}[pixels.dtype.kind]
    n, c = 8 + 2 + 10 * 12 + 4, pixels.shape[2]
    fields = [(256, 4, 1, W), (257, 4, 1, H), (258, 3, c, n), (259, 3, 1, 1), (262, 3, 1, 2 if c > 2 else 1),
              (273, 4, 1, n + 4 * c), (277, 3, 1, c), (278, 4, 1, H), (279, 4, 1, pixels.nbytes), (339, 3, c, n + 2 * c)]
    out = (b"II" if order == "<" else b"MM") + struct.pack(order + "HIH", 42, 8, len(fields))
    for tag, kind, count, value in fields:
        if count == 1:
            out += struct.pack(order + "HHI", tag, kind, 1) + \
                (struct.pack(order + "HH", value, 0) if kind == 3 else struct.pack(order + "I", value))
        else:
            out += struct.pack(order + "HHII", tag, kind, count, value)
    out += struct.pack(order + "I", 0) + struct.pack(f"{order}{c}H", *[8 * pixels.itemsize] * c)
    out += struct.pack(f"{order}{c}H", *[fmt] * c)
    path.write_bytes(out + pixels.astype(pixels.dtype.newbyteorder(order)).tobytes())


def assert_reads(path, pixels, format_name, bound=1e-6):
    facts, got = dump(path)
    assert facts["format"] == format_name and facts["type"] == "float"
    assert facts["data"] == facts["display"] == [0, 0, W - 1, H - 1]
    names = {1: "Y", 2: "YA", 3: "RGB", 4: "RGBA"}[pixels.shape[2]]
    top = np.iinfo(pixels.dtype).max if pixels.dtype.kind == "u" else 1
    assert sorted(got) == sorted(names)
    want = pixels.astype(np.float64) / top
    if "A" in names:  # frames hold colours multiplied by alpha
        want[..., :-1] *= want[..., -1:]
    for c, name in enumerate(names):
        assert np.max(np.abs(got[name] - want[..., c])) <= bound, name


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("channels", [3, 4])
def test_png_reads_as_it_was_written(tmp_path, channels, dtype):
    pixels = integers(channels, dtype)
    png(tmp_path / "p.png", pixels)
    assert_reads(tmp_path / "p.png", pixels, "png")


@pytest.mark.parametrize("order", ["<", ">"], ids=["little", "big"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
def test_tiff_reads_as_it_was_written(tmp_path, dtype, order):
    pixels = np.stack(list(picture("RGB", np.float32, H, W).values()), -1) if dtype == np.float32 else integers(3, dtype)
    tiff(tmp_path / "p.tif", pixels, order)
    assert_reads(tmp_path / "p.tif", pixels, "tiff", 0 if dtype == np.float32 else 1e-6)


@pytest.mark.parametrize("name, bound", [("p.dpx", 1 / 1023), ("p.jpg", 0.1), ("p.tif", 1e-5)])
def test_what_oiiotool_writes_is_read_as_it_reads_it(tmp_path, name, bound):
    pixels = integers(3, np.uint16)
    tiff(tmp_path / "in.tif", pixels)
    depth = {"p.dpx": "uint10", "p.jpg": "uint8", "p.tif": "uint16"}[name]
    must(debian_tool("oiiotool"), tmp_path / "in.tif", "-d", depth, "-o", tmp_path / name)
    must(debian_tool("oiiotool"), tmp_path / name, "-d", "float", "-o", tmp_path / "seen.exr")
    facts, got = dump(tmp_path / name)
    assert facts["format"] == {"p.dpx": "dpx", "p.jpg": "jpeg", "p.tif": "tiff"}[name]
    seen = exr_file.through_oiiotool(tmp_path / "seen.exr")[1]
    for c, channel in enumerate("RGB"):
        assert np.max(np.abs(got[channel] - seen[channel])) < 1e-6
        assert np.mean(np.abs(got[channel] - pixels[..., c] / 65535)) < bound


def test_the_content_tells_the_format_not_the_name(tmp_path):
    pixels = integers(3, np.uint8)
    png(tmp_path / "p.exr", pixels)
    assert_reads(tmp_path / "p.exr", pixels, "png")


def encodings(folder):
    """The same picture in every form that Debian's oiiotool writes for us to read."""
    tiff(folder / "in.tif", integers(3, np.uint8))
    big = ["--attrib", "tiff:bigtiff", "1"]
    for name, options in {"strips.tif": ["--compression", "none"], "zip.tif": ["--compression", "zip"],
                          "tiles.tif": ["--tile", 16, 16], "big.tif": big, "lzw.tif": ["--compression", "lzw"],
                          "planes.tif": ["--planarconfig", "separate"], "p.png": [], "p.dpx": [],
                          "p10.dpx": ["-d", "uint10"], "p.jpg": [],
                          "progressive.jpg": ["--attrib", "jpeg:progressive", "1"]}.items():
        must(debian_tool("oiiotool"), folder / "in.tif", *options, "-o", folder / name)
        yield folder / name


def test_a_file_cut_short_is_refused(tmp_path):
    """Every form, whole first, then cut at nine places, the last byte among them."""
    for path in encodings(tmp_path):
        whole = path.read_bytes()
        dump(path)
        for length in [len(whole) * i // 8 for i in range(8)] + [len(whole) - 1]:
            path.write_bytes(whole[:length])
            done = run(BUILD / "tools/exr_dump", path, tmp_path / "out")  # the decoders speak up, too
            assert done.returncode == 65 and f"{path}: " in done.stderr.decode(), (path, length)
            assert length < 1000 or "cut short" in done.stderr.decode(), done.stderr


def test_big_tiffs_are_big(tmp_path):
    magic = {p.name: p.read_bytes()[:4] for p in encodings(tmp_path)}
    assert magic["big.tif"] in (b"II+\0", b"MM\0+") and magic["zip.tif"] == b"II*\0"


# ---- colour ------------------------------------------------------------------

REC709 = (.64, .33, .30, .60, .15, .06, .3127, .3290)
AP0 = (.7347, .2653, 0, 1, .0001, -.0770, .32168, .33767)
AP1 = (.713, .293, .165, .830, .128, .044, .32168, .33767)
REC2020 = (.708, .292, .170, .797, .131, .046, .3127, .3290)


def to_xyz(c):
    """SMPTE RP 177."""
    columns = np.array([[x / y, 1, (1 - x - y) / y] for x, y in np.reshape(c, (4, 2))]).T
    return columns[:, :3] * np.linalg.solve(columns[:, :3], columns[:, 3]), columns[:, 3]


def to_rec709(c):
    (matrix, white), (ours, d65) = to_xyz(c), to_xyz(REC709)
    bradford = np.array([[.8951, .2664, -.1614], [-.7502, 1.7135, .0367], [.0389, -.0685, 1.0296]])
    adapt = np.linalg.inv(bradford) @ np.diag((bradford @ d65) / (bradford @ white)) @ bradford
    return np.linalg.inv(ours) @ adapt @ matrix


def shown(linear, ev, tonemap, transfer):
    x = np.maximum(linear, 0) * 2.0 ** ev
    x = np.where(x <= .8, x, .8 + .2 * (1 - np.exp((.8 - x) / .2))) if tonemap == "shoulder" else np.minimum(x, 1)
    return np.where(x <= .0031308, 12.92 * x, 1.055 * x ** (1 / 2.4) - .055) if transfer == "srgb" else x


def colour(path, space="auto", ev=0, tonemap="shoulder", transfer="srgb", **environment):
    out = path.with_suffix(".rgb")
    must(COLOUR, path, out, space, ev, tonemap, transfer, env={**os.environ, **environment})
    return np.fromfile(out, "<f4").reshape(3, -1)


def plate(path, more=(), names="RGB", dtype=np.float32):
    planes = picture(names, dtype, H, W)
    exr_file.write_plain(path, {n: (p, 1, 1) for n, p in planes.items()}, (0, 0, W - 1, H - 1), (0, 0, W - 1, H - 1),
                         more=more)
    return np.stack([planes[n].ravel().astype(np.float64) for n in names])


@pytest.mark.parametrize("transfer", ["srgb", "linear"])
@pytest.mark.parametrize("tonemap", ["shoulder", "clip"])
@pytest.mark.parametrize("ev", [-1.5, 0, 2])
def test_exposure_shoulder_and_encoding_are_the_formulas(tmp_path, ev, tonemap, transfer):
    rgb = plate(tmp_path / "p.exr")
    want = shown(rgb, ev, tonemap, transfer)
    assert np.ptp(want) > 0.8
    assert np.max(np.abs(colour(tmp_path / "p.exr", "auto", ev, tonemap, transfer) - want)) < 2e-6


@pytest.mark.parametrize("space, primaries", [("lin_ap0", AP0), ("ACES2065-1", AP0), ("ACEScg", AP1),
                                              ("lin_rec2020", REC2020), ("lin_rec709", REC709)])
def test_gamuts_are_the_matrices(tmp_path, space, primaries):
    rgb = plate(tmp_path / "p.exr")
    want = shown(to_rec709(primaries) @ rgb, 0, "clip", "linear")
    assert np.max(np.abs(colour(tmp_path / "p.exr", space, 0, "clip", "linear") - want)) < 1e-5


def test_a_plate_says_its_gamut_itself(tmp_path):
    chromaticities = ("chromaticities", "chromaticities", struct.pack("<8f", *AP1))
    rgb = plate(tmp_path / "p.exr", [chromaticities])
    want = shown(to_rec709(AP1) @ rgb, 0, "clip", "linear")
    assert np.max(np.abs(colour(tmp_path / "p.exr", "auto", 0, "clip", "linear") - want)) < 1e-5
    rgb = plate(tmp_path / "q.exr", [chromaticities, ("colorInteropID", "string", b"lin_ap0_scene")])
    want = shown(to_rec709(AP0) @ rgb, 0, "clip", "linear")
    assert np.max(np.abs(colour(tmp_path / "q.exr", "auto", 0, "clip", "linear") - want)) < 1e-5


def test_edges_are_unpremultiplied(tmp_path):
    rgba = plate(tmp_path / "p.exr", names="RGBA")
    alpha = np.minimum(rgba[3], 1)
    want = shown(rgba[:3] / np.where((alpha > 0) & (alpha < 1), alpha, 1), 0, "shoulder", "srgb")
    assert ((alpha > 0) & (alpha < 1)).any()
    assert np.max(np.abs(colour(tmp_path / "p.exr") - want)) < 2e-6


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_integer_files_are_taken_as_srgb(tmp_path, dtype):
    pixels = integers(3, dtype)
    png(tmp_path / "p.png", pixels)
    v = (pixels.reshape(-1, 3).T / np.iinfo(dtype).max).astype(np.float64)
    linear = np.where(v <= .04045, v / 12.92, ((v + .055) / 1.055) ** 2.4)
    assert np.max(np.abs(colour(tmp_path / "p.png", "auto", 0, "clip", "linear") - linear)) < 2e-6
    assert np.max(np.abs(colour(tmp_path / "p.png", "auto", 0, "clip", "srgb") - v)) < 2e-6


def test_edges_of_a_png_keep_their_colour_down_to_the_last_bit(tmp_path):
    pixels = integers(4, np.uint8)
    pixels[..., 3] = np.arange(W) % 16 + 1
    png(tmp_path / "p.png", pixels)
    v = pixels[..., :3].reshape(-1, 3).T / 255
    assert np.max(np.abs(colour(tmp_path / "p.png", "auto", 0, "clip", "srgb") - v)) < 2e-6


SPACES = """strictparsing: true
roles: {default: lin_rec709, scene_linear: lin_rec709}
displays:
  none: [!<View> {name: raw, colorspace: lin_rec709}]
active_displays: [none]
active_views: [raw]
colorspaces:
  - !<ColorSpace> {name: lin_rec709, bitdepth: 32f}
  - !<ColorSpace>
    name: camera
    bitdepth: 32f
"""
OCIO = "ocio_profile_version: 1\n" + SPACES + """
    to_reference: !<GroupTransform>
      children:
        - !<LogTransform> {base: 2, direction: inverse}
        - !<MatrixTransform> {matrix: [0.9, 0.1, 0, 0, 0.2, 0.7, 0.1, 0, 0, 0.3, 0.7, 0, 0, 0, 0, 1]}
"""


def test_a_colour_space_of_ocio_is_what_its_configuration_says(tmp_path):
    (tmp_path / "config.ocio").write_text(OCIO)
    rgb = plate(tmp_path / "p.exr")
    got = colour(tmp_path / "p.exr", "ocio:camera", -3, "shoulder", "linear", OCIO=str(tmp_path / "config.ocio"))
    matrix = np.array([[.9, .1, 0], [.2, .7, .1], [0, .3, .7]])
    want = shown(matrix @ 2 ** np.minimum(rgb, 100), -3, "shoulder", "linear")
    assert np.max(np.abs(got - want)) < 1e-5


def test_a_colour_space_that_ocio_lacks_is_told_with_those_that_it_has(tmp_path):
    (tmp_path / "config.ocio").write_text(OCIO)
    plate(tmp_path / "p.exr")
    done = run(COLOUR, tmp_path / "p.exr", tmp_path / "o", "ocio:camra", 0, "clip", "linear",
               env={**os.environ, "OCIO": str(tmp_path / "config.ocio")})
    assert done.returncode == 65
    assert "has no 'camra'; it has lin_rec709, camera" in done.stderr.decode()


# ---- OCIO through the whole program ------------------------------------------

CAMERA = "ocio_profile_version: 2\nfile_rules: [!<Rule> {name: Default, colorspace: default}]\n" + SPACES + """
    to_scene_reference: !<GroupTransform>
      children:
        - !<LogAffineTransform> {base: 10, log_side_slope: 0.25, log_side_offset: 0.4, lin_side_slope: 5,
                                 lin_side_offset: 0.05, direction: inverse}
        - !<MatrixTransform> {matrix: [0.9, 0.1, 0, 0, 0.2, 0.7, 0.1, 0, 0, 0.3, 0.7, 0, 0, 0, 0, 1]}
"""
JOB = """depthq: 1
plate: p.####.exr
frames: 1
model: ./net.fake
output: {path: out/d.####.exr, compression: none}
input: {colorspace: camera, exposure: %g, tonemap: %s}
tiles: {size: whole, align: off}
depth: {kind: native}
"""


@pytest.mark.parametrize("transfer, tonemap, ev", [("linear", "clip", 0), ("srgb", "shoulder", -1)])
@pytest.mark.parametrize("net, plane", [("identity", lambda rgb: rgb[0]), ("luma", lambda rgb: rgb.mean(0))])
def test_a_run_shows_the_network_what_a_cameras_log_curve_says(tmp_path, net, plane, transfer, tonemap, ev):
    """Log code values from 0.2 to 0.95; the network answers what it is shown, and numpy has the formula."""
    (tmp_path / "config.ocio").write_text(CAMERA)
    (tmp_path / "shot.yaml").write_text(JOB % (ev, tonemap))
    (tmp_path / "net.fake").write_text("""{"depthq_fake": 1, "net": "%s", "contract": {"depthq_model": 1, "name": "n",
        "version": "1", "runtime": "fake", "input": {"transfer": "%s", "multiple": 1, "size": {"preferred": 64, "max": 512}},
        "output": {"quantity": "disparity", "scale": "affine"}}}""" % (net, transfer))
    y, x = np.mgrid[:H, :W]
    code = np.stack([0.2 + 0.75 * ((x * (3 + c) + y * (5 - c)) % 97) / 96 for c in range(3)]).astype(np.float32)
    exr_file.write_plain(tmp_path / "p.0001.exr", {n: (p, 1, 1) for n, p in zip("RGB", code)}, (0, 0, W - 1, H - 1),
                         (0, 0, W - 1, H - 1))
    must(BUILD / "bin/depthq", "run", tmp_path / "shot.yaml",
         env={**os.environ, "OCIO": str(tmp_path / "config.ocio")})
    part, = exr_file.parse(tmp_path / "out/d.0001.exr")
    linear = (10 ** ((code.reshape(3, -1).astype(np.float64) - 0.4) / 0.25) - 0.05) / 5
    matrix = np.array([[.9, .1, 0], [.2, .7, .1], [0, .3, .7]])
    want = plane(shown(matrix @ linear, ev, tonemap, transfer)).reshape(H, W)
    assert np.ptp(want) > 0.6
    assert np.max(np.abs(exr_file.pixels(part)["Z"] - want)) < 1e-4  # OCIO's own logarithm is a fast one
