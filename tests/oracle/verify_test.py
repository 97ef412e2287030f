"""`depthq models verify` on TorchScript: what scripts/export_model.py proved
is right here too, and an archive that is not what it claims is found out,
whoever made it.
"""
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
DATA = 65
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
if HAVE_TORCH:
    import numpy as np
    import torch
    from modelkit import artifact, golden
    from models_test import contract, forward, good


@unittest.skipUnless(HAVE_TORCH, "needs a build with TORCH=1 and a Python with torch")
class Verify(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def models(self, *words):
        return subprocess.run([BUILD / "bin/depthq", "models", *words, "--library", self.folder / "library"], cwd=self.folder,
                              capture_output=True, text=True, timeout=600, check=False)

    def verify(self, net, says=None, tile=None):
        """Add an archive and verify it -> (exit status, the report)."""
        says = says or contract()
        (self.folder / "net.pt").write_bytes(artifact.archive_bytes(net, says, tile=tile))
        added = self.models("add", "net.pt")
        self.assertEqual(added.returncode, 0, added.stderr)
        done = self.models("verify", says["name"], "--json")
        self.assertTrue(done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)[0]

    def failed(self, *words, **how):
        status, report = self.verify(**how)
        self.assertEqual((status, report["passed"]), (DATA, False), report)
        for word in words:
            self.assertIn(word, report["text"])

    def tile(self, net, says, off=0.0):
        picture = artifact.picture(says, *golden.shape(says))
        return golden.make(net, says, picture, lambda given: artifact.answer(net, says, given) + np.float32(off))

    def test_a_good_one_is_right_with_its_golden_tile(self):
        says = contract()
        status, report = self.verify(good(), says, self.tile(good(), says))
        self.assertEqual((status, report["passed"]), (0, True), report)
        self.assertLess(report["golden_apart"], 1e-5)
        self.assertEqual(len(report["measures"]), 8)
        self.assertGreater(report["peak_bytes"], 1 << 20)
        self.assertEqual(report["outside"], "")

    def test_a_stored_answer_that_is_another_is_seen(self):
        says = contract()
        data = bytearray(self.tile(good(), says))
        data[-1] ^= 1  # the exponent of the last pixel
        self.failed("golden tile", net=good(), says=says, tile=bytes(data))

    def test_a_damaged_golden_tile_is_told(self):
        says = contract()
        whole = self.tile(good(), says)
        self.failed("the golden tile: is cut short", net=good(), says=says, tile=whole[:-1])

    def test_a_size_that_is_baked_in(self):
        net = torch.jit.trace(lambda x: x.mean(1, keepdim=True).reshape(-1, 1, 64, 64), torch.rand(1, 3, 64, 64), check_trace=False)
        self.failed("1x3x64x", net=net)
        status, report = self.verify(net, contract(name="honest", input__size={"fixed": [64, 64]}))
        self.assertEqual(status, 0, report)

    def test_a_batch_that_is_baked_in(self):
        net = forward(["return x[:1].mean(dim=1, keepdim=True)"])
        self.failed("4x3x64x64", net=net)
        mixed = forward(["y = x.mean(dim=1, keepdim=True)", "return y + 0.01 * y.mean(dim=[0], keepdim=True)"])
        self.failed("away from its answer alone", net=mixed, says=contract(name="mixed"))

    def test_a_device_that_is_baked_in(self):
        self.failed("device", net=forward(["return x.mean(dim=1, keepdim=True) + torch.ones([1], device='cuda')"]))

    def test_a_random_operator(self):
        self.failed("asked again", net=forward(["return x.mean(dim=1, keepdim=True) + torch.rand([1])"]))

    def test_nan_for_black(self):
        self.failed("black", net=forward(["y = x.mean(dim=1, keepdim=True)", "return y + 0 / y.max()"]))

    def test_code_that_reaches_outside_is_warned_of(self):
        net = forward(["if bool(x.sum() > 1e30):", "    torch.save(x, 'out.pt')", "return x.mean(dim=1, keepdim=True)"])
        (self.folder / "net.pt").write_bytes(artifact.archive_bytes(net, contract()))
        self.models("add", "net.pt")
        done = self.models("verify", "tried")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("reaches outside the network: aten::save", done.stdout)

    def test_the_shipped_demo_model(self):
        shipped = json.loads(next((ROOT / "models").glob("demo-depth@*.json")).read_text())["file"]
        added = self.models("add", ROOT / "models" / shipped)
        self.assertEqual(added.returncode, 0, added.stderr)
        done = self.models("verify", "demo-depth", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)[0]
        self.assertTrue(report["passed"])
        self.assertIsNotNone(report["golden_apart"], "the network that ships has no golden tile")
        self.assertLess(report["golden_apart"], 1e-4)


if __name__ == "__main__":
    unittest.main()
