"""Networks that want a library of somebody else's: a TorchScript that calls an
operator which only such a library has (tests/runtime/foreign_runtime.cc, in the
place of Torch-TensorRT's) runs where the site names it, and nowhere else.
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
LIBRARY = BUILD.resolve() / "tools/foreign_runtime.so"
INSTALLATION, DATA = 78, 65
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name

sys.dont_write_bytecode = True
sys.path[:0] = [str(Path(__file__).resolve().parent)]
import exr_file  # noqa: E402
import numpy as np  # noqa: E402

if HAVE_TORCH:
    import torch
    from models_test import contract, good

NET = """
import sys, torch
torch.ops.load_library(sys.argv[1])

class Net(torch.nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.ops.foreign.luma(x)

torch.jit.script(Net()).save(sys.argv[2])
"""


@unittest.skipUnless(HAVE_TORCH, "needs a build with TORCH=1 and a Python with torch")
class ForeignRuntimes(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        (self.folder / "make.py").write_text(NET)
        subprocess.run([sys.executable, self.folder / "make.py", LIBRARY, self.folder / "theirs.ts"], check=True)
        self.says = contract(name="theirs", runtime="foreign")
        (self.folder / "hand.json").write_text(json.dumps(self.says))
        self.names(LIBRARY)

    def names(self, library):
        """The site's file says so, or is not there."""
        place = self.folder / "config/depthq/runtimes.yaml"
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"foreign: {library}\n")

    def depthq(self, *words):
        environment = os.environ | {"XDG_CONFIG_HOME": str(self.folder / "config"), "DEPTHQ_MODELS": str(self.folder / "library")}
        return subprocess.run([BUILD / "bin/depthq", *words], cwd=self.folder, env=environment, capture_output=True, text=True,
                              timeout=300, check=False)

    def add(self):
        done = self.depthq("models", "add", "theirs.ts", "--contract", "hand.json")
        self.assertEqual(done.returncode, 0, done.stderr)

    def shot(self, model):
        subprocess.run([BUILD / "bin/depthq-scene", self.folder / "plate", "--frames", "1001-1002", "--size", "96x64", "--seed", "7"],
                       check=True)
        (self.folder / "shot.yaml").write_text(f"depthq: 1\nplate: plate/plate.####.exr\nmodel: {model}\nretries: 0\n"
                                               f"output: {{path: {Path(model).stem}/d.####.exr}}\n")
        return self.depthq("run", "shot.yaml", "--device", "cpu", "--progress", "plain")

    def test_a_network_of_others_comes_in_with_a_contract_by_hand_and_is_verified(self):
        self.add()
        done = self.depthq("models", "verify", "theirs", "--json")
        self.assertEqual(done.returncode, 0, done.stderr)
        report = json.loads(done.stdout)[0]
        self.assertTrue(report["passed"], report)
        self.assertEqual(len(report["measures"]), 8)

    def test_a_job_makes_the_depth_that_its_operator_computes(self):
        self.add()
        done = self.shot("theirs")
        self.assertEqual(done.returncode, 0, done.stderr)
        torch.jit.save(good(), self.folder / "plain.pt")  # the same mean, in torch's own operators
        (self.folder / "plain.json").write_text(json.dumps(contract()))
        done = self.shot("./plain.pt")
        self.assertEqual(done.returncode, 0, done.stderr)
        for frame in ("1001", "1002"):
            theirs, plain = (exr_file.pixels(exr_file.parse(self.folder / f"{name}/d.{frame}.exr")[0])["Z"] for name in ("theirs", "plain"))
            self.assertGreater(np.ptp(theirs), 0.1)
            self.assertLess(np.abs(theirs - plain).max(), 1e-5)  # of 0 to 1, the shot's range

    def test_without_its_library_nothing_is_judged_and_nothing_made(self):
        self.add()
        (self.folder / "config/depthq/runtimes.yaml").unlink()
        for library, words in ((None, "say `foreign: /path/of/library.so` there"), ("/nowhere/lib.so", "cannot load /nowhere/lib.so")):
            if library:
                self.names(library)
            with self.subTest(words):
                done = self.depthq("models", "verify", "theirs")
                self.assertEqual(done.returncode, INSTALLATION, done.stderr)
                self.assertIn(words, done.stderr)
                shown = json.loads(self.depthq("models", "show", "theirs", "--json").stdout)
                self.assertIsNone(shown["verdict"])
                done = self.shot("theirs")
                self.assertEqual(done.returncode, INSTALLATION, done.stderr)
                self.assertIn(words, done.stdout + done.stderr)
                self.assertEqual(list(self.folder.glob("theirs/*.exr")), [])

    def test_a_contract_that_hides_the_runtime_is_a_wrong_model(self):
        (self.folder / "hand.json").write_text(json.dumps(contract(name="theirs")))
        self.add()
        done = self.depthq("models", "verify", "theirs")
        self.assertEqual(done.returncode, DATA, done.stderr)
        self.assertIn("foreign", done.stdout + done.stderr)


if __name__ == "__main__":
    unittest.main()
