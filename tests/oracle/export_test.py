"""scripts/export_model.py: a network and its weights become a version, or an
error in words; whatever happens, a library that is there stays as it was.
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
import textwrap
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
HAVE_TORCH = importlib.util.find_spec("torch") is not None
HAVE_TRANSFORMERS = HAVE_TORCH and importlib.util.find_spec("transformers") is not None
USAGE, DATA, MISSING, UNAVAILABLE, CREATE = 2, 65, 66, 69, 73

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
if HAVE_TORCH:
    import export_model
    import torch
    from modelkit import artifact, golden, health, steady
    from modelkit.errors import ModelError
    steady.go_on = lambda: None  # this process is the exporter; those that it starts see to themselves

CONTRACT = {
    "depthq_model": 1, "name": "tiny", "version": "1.0.0",
    "input": {"transfer": "srgb", "mean": [0.4, 0.5, 0.6], "std": [0.2, 0.25, 0.3], "multiple": 8,
              "size": {"preferred": 32, "min": 16, "max": 256}},
    "output": {"quantity": "disparity", "scale": "affine"},
}
HEAD = """
import torch
import torch.nn as nn

class Base(nn.Module):
    def __init__(self):
        super().__init__()
        self.one = nn.Conv2d(3, 8, 3, padding=1)
        self.two = nn.Conv2d(8, 1, 3, padding=1)

    def depth(self, x):
        return self.two(torch.relu(self.one(x)))

"""


def network(forward, before=""):
    """The source of a module whose forward is these lines."""
    return f"{HEAD}{before}\nclass Net(Base):\n    def forward(self, x):\n" + textwrap.indent(textwrap.dedent(forward), "        ")


GOOD = network("return self.depth(x)")


def state(seed=0):
    """Weights of Base, the same for a seed."""
    rng = np.random.default_rng(seed)
    shapes = {"one.weight": (8, 3, 3, 3), "one.bias": (8,), "two.weight": (1, 8, 3, 3), "two.bias": (1,)}
    return {key: torch.from_numpy(rng.normal(0, 0.3, shape).astype(np.float32)) for key, shape in shapes.items()}


@unittest.skipUnless(HAVE_TORCH, "this Python has no torch")
class Exporting(unittest.TestCase):
    def setUp(self):
        torch.set_num_threads(1)
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.library = self.folder / "library"
        self.said = self.erred = ""

    def write(self, source=GOOD, contract=CONTRACT, weights=None, name="w.pth"):
        (self.folder / "net.py").write_text(source)
        (self.folder / "net.json").write_text(json.dumps(contract))
        torch.save(state() if weights is None else weights, self.folder / name)

    def call(self, *more):
        """main()'s exit status; what it said in self.said and self.erred."""
        said, erred = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(erred):
            status = export_model.main([*map(str, more), "--to", str(self.library)])
        self.said, self.erred = said.getvalue(), erred.getvalue()
        return status

    def export(self, *more, weights="w.pth"):
        return self.call("--module", f"{self.folder / 'net.py'}:Net", "--weights", self.folder / weights,
                         "--contract", self.folder / "net.json", *more)

    def exported(self, name="tiny@1.0.0", **how):
        """Export what must work -> (manifest, path of the artefact)."""
        self.assertEqual(self.export(*how.pop("more", ()), **how), 0, self.erred)
        return self.found(name)

    def found(self, name):
        manifest = json.loads((self.library / f"{name}.json").read_text())
        return manifest, self.library / manifest["file"]

    def refused(self, *words, status=DATA, more=(), **how):
        """The export fails, says all words, and the library is as it was: with one model in it."""
        if not self.library.exists():
            self.library.mkdir()
            (self.library / "old@1.json").write_text("{}")
        before = sorted((f.name, f.read_bytes()) for f in self.library.iterdir())
        self.assertEqual(self.export(*more, **how), status, self.said + self.erred)
        for word in words:
            self.assertIn(word, self.erred)
        self.assertNotIn("Traceback", self.erred)
        self.assertEqual(before, sorted((f.name, f.read_bytes()) for f in self.library.iterdir()))


class Engines(Exporting):
    @unittest.skipIf(HAVE_TORCH and torch.cuda.is_available() and importlib.util.find_spec("torch_tensorrt"), "they can be made here")
    def test_without_torch_tensorrt_or_a_gpu_it_is_said_that_none_can_be_made(self):
        self.write()
        self.refused("--format trt cannot compile here, for want of ", "nothing was written", status=UNAVAILABLE, more=("--format", "trt"))
        for there, words in ((importlib.util.find_spec("torch_tensorrt"), "pip install torch-tensorrt"), (torch.cuda.is_available(), "a GPU")):
            self.assertEqual(words in self.erred, not there)


class AVersion(Exporting):
    def test_the_artefact_answers_what_the_formula_does_and_carries_contract_and_digest(self):
        self.write()
        manifest, path = self.exported()
        self.assertEqual(hashlib.sha256(path.read_bytes()).hexdigest(), manifest["sha256"])
        self.assertEqual(artifact.read_contract(path), manifest["contract"])
        weights = state()
        for shape in ((1, 3, 32, 32), (3, 3, 16, 48)):
            x = torch.randn(shape, generator=torch.Generator().manual_seed(1))
            want = torch.relu(torch.conv2d(x, weights["one.weight"], weights["one.bias"], padding=1))
            want = torch.conv2d(want, weights["two.weight"], weights["two.bias"], padding=1)
            got = torch.jit.load(str(path))(x)
            self.assertLess(float((want - got).abs().max() / (want.max() - want.min())), 1e-5)
        self.assertIn("scripted", self.said)
        self.assertRegex(self.said, r"sizes 32x32, 32x56, 56x32, 16x24; batches 1, 4: .* within [0-9.e-]+ of the range")
        self.assertIn("w.pth of SHA-256 " + hashlib.sha256((self.folder / "w.pth").read_bytes()).hexdigest(),
                      manifest["contract"]["source"])

    def test_safetensors_and_a_state_dict_give_the_same_bytes(self):
        from safetensors.torch import save_file
        self.write(contract=dict(CONTRACT, source="here"))
        save_file(state(), str(self.folder / "w.safetensors"))
        for file in ("w.pth", "w.safetensors"):  # processes of their own: torch numbers the types that it has seen
            done = subprocess.run([sys.executable, ROOT / "scripts/export_model.py", "--module", "net.py:Net", "--weights", file,
                                   "--contract", "net.json", "--to", self.library], cwd=self.folder, capture_output=True,
                                  text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)  # the second finds its version there, with the same bytes
        self.assertEqual(len(list(self.library.glob("*.pt"))), 1)

    def test_the_golden_tile_is_the_network_in_float64(self):
        self.write()
        _, path = self.exported()
        reader = torch._C.PyTorchFileReader(str(path))
        given, answer, bound = golden.read(reader.get_record("extra/" + golden.EXTRA))
        self.assertEqual((given.shape, answer.shape), ((1, 3, 96, 128), (1, 1, 96, 128)))
        w = {key: value.double() for key, value in state().items()}
        want = torch.conv2d(torch.relu(torch.conv2d(torch.from_numpy(given).double(), w["one.weight"], w["one.bias"], padding=1)),
                            w["two.weight"], w["two.bias"], padding=1).numpy()
        np.testing.assert_allclose(answer, want, rtol=1e-6, atol=1e-6)
        self.assertTrue(1e-6 < bound <= 1e-4, bound)
        self.assertGreater(given.std(), 0.1)

    def test_float16_is_a_version_of_its_own_and_near_the_float32_one(self):
        self.write()
        self.exported()
        manifest, path = self.exported("tiny@1.0.0-half", more=("--dtype", "float16", "--version", "1.0.0-half"))
        self.assertEqual(manifest["contract"]["input"]["dtype"], "float16")
        x = torch.rand(1, 3, 32, 32)
        full, half = (torch.jit.load(str(p))(v) for p, v in ((self.found("tiny@1.0.0")[1], x), (path, x.half())))
        self.assertEqual(half.dtype, torch.float16)
        self.assertLess(artifact.difference(full.detach().numpy(), half.detach().float().numpy()), 5e-3)

    def test_a_version_never_changes_its_bytes(self):
        self.write()
        self.exported()
        self.write(weights=state(seed=1))
        self.refused("exists with other bytes", "raise the version", status=CREATE)

    def test_demo_depth_by_name_is_the_shipped_one(self):
        self.assertEqual(self.call("--network", "demo-depth", "--size", "64x96", "--name", "small", "--version", "1"), 0, self.erred)
        manifest, path = self.found("small@1")
        self.assertEqual(manifest["contract"]["input"]["size"], {"fixed": [64, 96]})
        shipped = json.loads(next((ROOT / "models").glob("demo-depth@*.json")).read_text())["file"]
        x = torch.rand(1, 3, 64, 96, generator=torch.Generator().manual_seed(3))
        want, got = (torch.jit.load(str(p))(x).numpy() for p in (ROOT / "models" / shipped, path))
        self.assertLess(artifact.difference(want, got), 1e-5)

    def test_fastdepth_by_name(self):
        import fastdepth_test
        file = self.folder / "published.onnx"
        file.write_bytes(fastdepth_test.published_file())
        self.assertEqual(self.call("--network", "fastdepth", "--weights", file, "--size", "64x64"), 0, self.erred)
        manifest, path = self.found("fastdepth@1.0.0")
        picture = fastdepth_test.scene(224, 224)[..., :64, :64]
        want = fastdepth_test.onnx_runtime(file.read_bytes(), fastdepth_test.scene(224, 224))
        self.assertEqual(torch.jit.load(str(path))(torch.from_numpy(np.ascontiguousarray(picture))).shape, (1, 1, 64, 64))
        got = torch.jit.load(str(path))(torch.from_numpy(fastdepth_test.scene(224, 224))).detach().numpy()
        self.assertLess(artifact.difference(want, got), 1e-5)

    def test_an_archive_of_somebody_else_gets_a_contract(self):
        self.write()
        net = torch.jit.script(torch.nn.Conv2d(3, 1, 3, padding=1))
        torch.jit.save(net, str(self.folder / "theirs.pt"))
        self.assertEqual(self.call("--archive", self.folder / "theirs.pt", "--contract", self.folder / "net.json"), 0, self.erred)
        _, path = self.found("tiny@1.0.0")
        x = torch.rand(2, 3, 24, 40)
        self.assertTrue(torch.equal(net(x), torch.jit.load(str(path))(x)))
        self.assertIn("theirs.pt is somebody else's program, and is run now", self.erred)

    def test_an_archive_is_warned_of_before_it_is_run(self):
        self.write()
        (self.folder / "theirs.py").write_text(network(
            f"torch.save(x, '{self.folder}/x.pt')\nif bool(x.sum() > -1e30):\n    raise RuntimeError('it ran')\nreturn self.depth(x)"))
        net = torch.jit.script(export_model._class_of(f"{self.folder / 'theirs.py'}:Net")())
        torch.jit.save(net, str(self.folder / "theirs.pt"))
        self.assertEqual(self.call("--archive", self.folder / "theirs.pt", "--contract", self.folder / "net.json"), DATA)
        warned, ran = self.erred.index("uses aten::save"), self.erred.index("it ran")
        self.assertLess(warned, ran)


class Weights(Exporting):
    def test_every_missing_unexpected_and_misshaped_key_is_told_at_once(self):
        wrong = state()
        del wrong["one.bias"], wrong["two.bias"]
        wrong |= {"ema.decay": torch.zeros(1), "two.weight": torch.zeros(1, 4, 3, 3)}
        self.write(weights=wrong)
        self.refused("2 missing: one.bias, two.bias", "1 unexpected: ema.decay", "two.weight (1, 4, 3, 3), not (1, 8, 3, 3)")

    def test_only_keys_that_are_named_are_dropped(self):
        self.write(weights=state() | {"ema.decay": torch.zeros(1), "ema.steps": torch.zeros(1)})
        self.refused("2 unexpected", "--drop")
        self.refused("1 unexpected: ema.steps", more=("--drop", "ema.decay"))
        self.refused("did you mean 'ema.steps'", more=("--drop", "ema.step", "--drop", "ema.decay"))
        self.exported(more=("--drop", "ema.decay", "--drop", "ema.steps"))

    def test_a_needed_key_cannot_be_dropped(self):
        self.write()
        self.refused("1 missing: two.bias", more=("--drop", "two.bias"))

    def test_a_prefix_on_every_key_is_recognised(self):
        self.write(weights={f"module.{key}": value for key, value in state().items()})
        self.refused("give --strip module.")
        self.exported(more=("--strip", "module."))

    def test_weights_inside_a_checkpoint_are_found(self):
        self.write(weights={"epoch": 3, "model": state()})
        self.refused("give --key model")
        self.refused("no entry 'modle'", more=("--key", "modle"))
        self.exported(more=("--key", "model"))

    def test_a_pickle_that_would_run_code_is_refused_and_does_not_run(self):
        class Run:
            def __reduce__(self):
                return (os.mkdir, (str(Path(tempfile.gettempdir()) / f"depthq-ran-{os.getpid()}"),))
        self.write(weights={"one.weight": Run()})
        self.refused("would run code", "mkdir")
        self.assertFalse((Path(tempfile.gettempdir()) / f"depthq-ran-{os.getpid()}").exists())

    def test_a_damaged_file_of_weights(self):
        self.write()
        whole = (self.folder / "w.pth").read_bytes()
        for count in (0, 10, len(whole) // 2):
            (self.folder / "w.pth").write_bytes(whole[:count])
            self.refused("w.pth")
        (self.folder / "w.safetensors").write_bytes(b"\x10\0\0\0\0\0\0\0{}")
        self.refused("no safetensors file", weights="w.safetensors")
        self.refused("there is no such file", weights="none.pth", status=MISSING)


class Comparison(Exporting):
    def test_one_changed_weight_in_the_archive_fails_it(self):
        self.write()
        contract = json.loads(json.dumps(CONTRACT))
        eager = export_model._class_of(f"{self.folder / 'net.py'}:Net")().eval()
        eager.load_state_dict(state())
        good = artifact.archive_bytes(torch.jit.script(eager), contract)
        self.assertLess(artifact.prove(eager, good, contract), 1e-5)
        other = export_model._class_of(f"{self.folder / 'net.py'}:Net")().eval()
        other.load_state_dict(state())
        with torch.no_grad():
            other.one.weight[0, 0, 0, 0] += 0.001
        bad = artifact.archive_bytes(torch.jit.script(other), contract)
        with self.assertRaisesRegex(ModelError, "away from the eager one"):
            artifact.prove(eager, bad, contract)

    def test_a_head_of_zeros_proves_nothing_and_is_refused(self):
        self.write(weights=state() | {"two.weight": torch.zeros(1, 8, 3, 3)})
        self.refused("proves nothing")

    def test_a_range_that_is_lost_in_rounding_is_refused(self):
        self.write(weights=state() | {"two.bias": torch.full((1,), 1e5)})
        self.refused("rounding alone moves the answer")

    def test_a_size_that_a_trace_keeps_is_found_and_declared(self):
        self.write(network("""
            side = int(x.shape[2])
            return nn.functional.interpolate(self.depth(x), size=(side, side * 1))
            """))
        manifest, path = self.exported(more=("--compile", "trace"))
        self.assertEqual(manifest["contract"]["input"]["size"], {"fixed": [32, 32]})
        self.assertIn("size 32x32 is baked in", self.said)
        self.assertEqual(torch.jit.load(str(path))(torch.rand(1, 3, 40, 64)).shape, (1, 1, 32, 32))  # why it had to be

    def test_a_batch_that_a_trace_keeps_is_found_and_declared(self):
        self.write(network("return torch.cat([self.depth(x[i:i + 1]) for i in range(x.shape[0])])"))
        manifest, _ = self.exported(more=("--compile", "trace"))
        self.assertEqual(manifest["contract"]["input"]["batch"], 1)
        self.assertIn("batch 1 is baked in", self.said)
        self.assertNotIn("fixed", manifest["contract"]["input"]["size"])

    def test_a_device_that_a_trace_keeps_follows_the_picture_again(self):
        self.write(network("return self.depth(x) + torch.arange(x.shape[3], device=x.device)"))
        _, path = self.exported(more=("--compile", "trace"))
        self.assertIn("devices follow the picture", self.said)
        there = torch.jit.load(str(path), map_location="meta")(torch.rand(1, 3, 32, 32, device="meta"))
        self.assertEqual(there.device.type, "meta")

    def test_what_cannot_be_scripted_is_traced_and_says_why(self):
        self.write(network("return self.depth(x) * scale(**{'by': 2.0})", "def scale(**words):\n    return words['by']\n"))
        self.exported()
        self.assertIn("traced (scripting fails", self.said)
        self.refused("cannot be scripted", more=("--compile", "script"))


class BadNetworks(Exporting):
    def test_a_device_in_the_code(self):
        self.write(network("return self.depth(x) + torch.ones(1, device='cpu')"))
        self.refused("device cpu written into it", "x.device")

    def test_a_random_operator(self):
        self.write(network("return self.depth(x) + torch.rand_like(x[:, :1])"))
        self.refused("answers otherwise when it is asked again")
        torch.jit.save(torch.jit.script(export_model._class_of(f"{self.folder / 'net.py'}:Net")()), self.folder / "n.pt")
        self.assertEqual(self.call("--archive", self.folder / "n.pt", "--contract", self.folder / "net.json"), DATA)
        self.assertIn("aten::rand_like", self.erred)

    def test_nan_for_a_black_picture(self):
        self.write(network("return self.depth(x) * 0 + self.depth(x) / (x - x.mean()).std()"))
        self.refused("NaN or Inf for a black picture")

    def test_two_answers(self):
        self.write(network("return self.depth(x), x"))
        self.refused("answers 2 things (tuple)", "returns the depth tensor alone")

    def test_a_dict(self):
        self.write(network("return {'depth': self.depth(x), 'sky': x}"))
        self.refused("a dict of depth, sky")

    def test_another_layout_and_half_the_size(self):
        self.write(network("return self.depth(x)[:, 0]"))
        self.refused("answers (1, 32, 32)", "promises (1, 1, 32, 32)", "layout")
        self.write(network("return self.depth(x)[:, :, ::2, ::2]"))
        self.refused("answers (1, 1, 16, 16)", "promises (1, 1, 32, 32)")

    def test_a_network_that_throws_is_quoted(self):
        self.write(network("raise ValueError('only on Sundays')"))
        self.refused("only on Sundays")

    def test_a_baked_size_in_an_archive_that_claims_free_ones(self):
        self.write()
        traced = torch.jit.trace(lambda x: x.mean(1, keepdim=True).reshape(1, 1, 32, 32), torch.rand(1, 3, 32, 32))
        torch.jit.save(traced, str(self.folder / "n.pt"))
        self.assertEqual(self.call("--archive", self.folder / "n.pt", "--contract", self.folder / "net.json"), DATA)
        self.assertRegex(self.erred, "for .*3x.* the .*network")
        self.assertFalse(self.library.exists())

    def test_contracts_that_lie(self):
        lies = {"transfer": "rec2020", "multiple": 0, "batch": "some", "dtype": "int8", "range": [1, 0], "mean": [1], "size": {}}
        for key, value in lies.items():
            with self.subTest(key):
                self.write(contract=dict(CONTRACT, input=dict(CONTRACT["input"], **{key: value})))
                self.refused(key)

    def test_operators_that_reach_outside_are_warned_of(self):
        net = torch.jit.script(torch.nn.Identity())
        net.define("def keep(self, x: Tensor):\n    torch.save(x, 'x.pt')\n    return x\n")
        found = health.warnings_of(net._c._get_method("keep"))
        self.assertEqual(len(found), 1)
        self.assertIn("aten::save", found[0])

    def test_wrong_usage(self):
        self.write()
        self.assertEqual(self.call("--module", "net.py:Net"), USAGE)
        self.assertEqual(self.call("--module", "net.py", "--weights", "w", "--contract", "c"), USAGE)
        self.assertEqual(self.call("--archive", self.folder / "none.pt"), MISSING)

    def test_wrong_arguments_of_the_class_end_in_one_line(self):
        self.write(network("return self.depth(x)", "def made(width):\n    raise RuntimeError(f'no width\\n{width}')\n").replace(
            "class Net(Base):\n", "class Net(Base):\n    def __init__(self, width=0):\n        super().__init__()\n        width and made(width)\n\n"))
        for given, status, words in (("{", USAGE, "is no JSON"), ("[1]", USAGE, "write a JSON object"),
                                     ('{"depth": 3}', DATA, "TypeError: "), ('{"width": 64}', DATA, "RuntimeError: no width 64")):
            with self.subTest(given):
                self.refused("--arguments", words, status=status, more=("--arguments", given))
                self.assertEqual(len(self.erred.splitlines()), 1, self.erred)
        self.exported(more=("--arguments", '{"width": 0}'))

    def test_a_module_that_cannot_be_imported_ends_in_one_line(self):
        self.write("import nothing_of_that_name\n")
        self.refused("net.py: cannot be imported: ModuleNotFoundError: ", "nothing_of_that_name")
        self.write("def broken(:\n")
        self.refused("net.py: cannot be imported: SyntaxError: ")
        self.assertEqual(len(self.erred.splitlines()), 1, self.erred)


def tiny_depth_anything():
    from transformers import DepthAnythingConfig, DepthAnythingForDepthEstimation, Dinov2Config
    dino = Dinov2Config(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, mlp_ratio=2, image_size=70, patch_size=14,
                        out_features=["stage1", "stage2", "stage3", "stage4"], reshape_hidden_states=False)
    return DepthAnythingForDepthEstimation(DepthAnythingConfig(
        backbone_config=dino, patch_size=14, reassemble_hidden_size=32, neck_hidden_sizes=[8, 16, 24, 24],
        fusion_hidden_size=16, head_hidden_size=8)), 70


def tiny_dpt():
    from transformers import DPTConfig, DPTForDepthEstimation
    return DPTForDepthEstimation(DPTConfig(
        hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64, image_size=64, patch_size=16,
        backbone_out_indices=[0, 1, 2, 3], neck_hidden_sizes=[8, 16, 24, 24], fusion_hidden_size=16, is_hybrid=False)), 64


def tiny_glpn():
    from transformers import GLPNConfig, GLPNForDepthEstimation
    return GLPNForDepthEstimation(GLPNConfig(
        depths=[1, 1, 1, 1], hidden_sizes=[8, 16, 16, 32], num_attention_heads=[1, 1, 2, 2], decoder_hidden_size=16,
        mlp_ratios=[2, 2, 2, 2])), 64


def tiny_zoedepth():
    from transformers import BeitConfig, ZoeDepthConfig, ZoeDepthForDepthEstimation
    beit = BeitConfig(hidden_size=32, num_hidden_layers=4, num_attention_heads=2, intermediate_size=64, image_size=64,
                      patch_size=16, out_indices=[1, 2, 3, 4], reshape_hidden_states=False, use_relative_position_bias=True,
                      use_absolute_position_embeddings=False, layer_scale_init_value=0.1)
    return ZoeDepthForDepthEstimation(ZoeDepthConfig(
        backbone_config=beit, neck_hidden_sizes=[8, 16, 24, 24], fusion_hidden_size=16, bottleneck_features=16,
        num_relative_features=8, num_attractors=[4, 2, 2, 1], bin_embedding_dim=8,
        bin_configurations=[{"n_bins": 8, "min_depth": 0.001, "max_depth": 10.0, "name": "nyu"}])), 64


def tiny_depth_pro():
    from transformers import DepthProConfig, DepthProForDepthEstimation, Dinov2Config

    def dino():
        return Dinov2Config(hidden_size=16, num_hidden_layers=3, num_attention_heads=2, mlp_ratio=2, image_size=64, patch_size=16,
                            use_mask_token=False)
    return DepthProForDepthEstimation(DepthProConfig(
        image_model_config=dino(), patch_model_config=dino(), fov_model_config=dino(), patch_size=64, fusion_hidden_size=16,
        intermediate_hook_ids=[2, 1], intermediate_feature_dims=[8, 8], scaled_images_feature_dims=[16, 16, 8],
        merge_padding_value=1, use_fov_model=False)), 256


@unittest.skipUnless(HAVE_TRANSFORMERS, "this Python has no transformers package")
class HuggingFace(Exporting):
    def save(self, make):
        """A folder as it is published: random weights, spread so that answers are not all zero."""
        torch.manual_seed(3)
        net, side = make()
        with torch.no_grad():
            for name, value in net.named_parameters():
                if value.ndim >= 2:
                    value.normal_(0, 1.5 / value[0].numel() ** 0.5)
                elif name.endswith("bias") and "head" in name:
                    value.fill_(0.5)
        folder = self.folder / "Tiny-Model"
        net.eval().save_pretrained(folder)
        (folder / "preprocessor_config.json").write_text(json.dumps({"size": {"height": side, "width": side}}))
        return folder, net

    def check(self, make, quantity, sides):
        folder, net = self.save(make)
        self.assertEqual(self.call("--huggingface", folder), 0, self.erred)
        manifest, path = self.found("tiny-model@1.0.0")
        self.assertEqual(manifest["contract"]["output"]["quantity"], quantity)
        self.assertRegex(self.said, "within [0-9.e-]+ of the range")
        batch = manifest["contract"]["input"]["batch"]
        for side in sides:
            x = torch.rand(2 if batch == "any" else batch, 3, *side)
            with torch.inference_mode():
                want, got = net(x).predicted_depth.numpy(), torch.jit.load(str(path))(x)[:, 0].numpy()
            self.assertLess(artifact.difference(want, got), 1e-5)
        return manifest["contract"]

    def test_depth_anything_keeps_its_size_and_says_so(self):
        contract = self.check(tiny_depth_anything, "disparity", [(70, 70)])
        self.assertEqual((contract["input"]["size"], contract["input"]["multiple"]), ({"fixed": [70, 70]}, 14))
        self.assertEqual(contract["input"]["mean"], [0.485, 0.456, 0.406])

    def test_dpt_keeps_its_size_and_says_so(self):
        contract = self.check(tiny_dpt, "disparity", [(64, 64)])
        self.assertEqual((contract["input"]["size"], contract["input"]["mean"]), ({"fixed": [64, 64]}, [0.5, 0.5, 0.5]))

    def test_glpn_is_metric_and_free_in_size(self):
        contract = self.check(tiny_glpn, "distance", [(64, 64), (32, 96), (128, 64), (160, 192)])
        self.assertEqual((contract["output"]["scale"], contract["output"]["unit"]), ("metric", "m"))
        self.assertNotIn("fixed", contract["input"]["size"])

    def test_zoedepth_is_metric(self):
        contract = self.check(tiny_zoedepth, "distance", [(64, 64), (32, 96)])
        self.assertEqual((contract["output"]["scale"], contract["output"]["unit"]), ("metric", "m"))
        self.assertEqual((contract["input"]["batch"], contract["input"]["mean"]), (1, [0.5, 0.5, 0.5]))
        self.assertNotIn("fixed", contract["input"]["size"])

    def test_zoedepth_that_chooses_a_head_by_the_picture_is_refused(self):
        folder = self.folder / "zoedepth-nyu-kitti"
        folder.mkdir()
        (folder / "config.json").write_text(json.dumps({"model_type": "zoedepth", "bin_configurations": [{}, {}]}))
        self.assertEqual(self.call("--huggingface", folder), DATA)
        self.assertIn("chooses one of several heads by the picture", self.erred)

    def test_depth_pro_knows_no_scale_without_its_focal_length(self):
        contract = self.check(tiny_depth_pro, "disparity", [(256, 256)])
        self.assertEqual((contract["output"]["scale"], contract["input"]["size"]), ("scale", {"fixed": [256, 256]}))

    def test_weights_that_are_not_the_networks_are_told(self):
        from safetensors.torch import load_file, save_file
        folder, _ = self.save(tiny_glpn)
        weights = load_file(folder / "model.safetensors")
        gone = next(iter(weights))
        shorter = dict(weights, extra=torch.zeros(1))
        del shorter[gone]
        save_file(shorter, folder / "model.safetensors", {"format": "pt"})
        self.assertEqual(self.call("--huggingface", folder), DATA)
        self.assertIn(f"1 missing: net.{gone}"[:10], self.erred)
        self.assertIn(gone.split(".")[-2], self.erred)
        self.assertIn("1 unexpected: extra", self.erred)
        self.assertFalse(self.library.exists())
        save_file(dict(weights, extra=torch.zeros(1)), folder / "model.safetensors", {"format": "pt"})
        self.assertEqual(self.call("--huggingface", folder), DATA)
        self.assertEqual(self.call("--huggingface", folder, "--drop", "extra"), 0, self.erred)

    def test_a_folder_that_is_none_or_of_another_kind(self):
        self.assertEqual(self.call("--huggingface", self.folder), MISSING)
        (self.folder / "config.json").write_text('{"model_type": "bert"}')
        self.assertEqual(self.call("--huggingface", self.folder), DATA)
        self.assertIn("depth_anything", self.erred)


if __name__ == "__main__":
    unittest.main()
