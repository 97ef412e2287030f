"""Networks that are not what their contract says, made with torch and run by
depthq: each is refused by name, and nothing half-written stays.
"""
import importlib.util
import itertools
import json
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
DATA, MODEL_MISSING = 65, 66
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name
if HAVE_TORCH:
    import torch

sys.dont_write_bytecode = True

NUMBERS = itertools.count()
CONTRACT = {
    "depthq_model": 1, "name": "tried", "version": "1.0.0",
    "input": {"transfer": "srgb", "multiple": 32, "size": {"preferred": 64, "min": 32, "max": 512}},
    "output": {"quantity": "disparity", "scale": "affine"},
}


def contract(**changes):
    """The contract with keys changed: input__batch=2 is input.batch."""
    made = json.loads(json.dumps(CONTRACT))
    for path, value in changes.items():
        *groups, key = path.split("__")
        place = made
        for group in groups:
            place = place[group]
        place[key] = value
    return made


def forward(body, takes="x: Tensor"):
    """A scripted module whose forward is body."""
    kind = type(f"Net{next(NUMBERS)}", (torch.nn.Module,), {})  # a type is scripted once
    scripted = torch.jit.script(kind())
    scripted.define(f"def forward(self, {takes}):\n" + "".join(f"    {line}\n" for line in body))
    return scripted


def good():
    return forward(["return x.mean(dim=1, keepdim=True)"])


@unittest.skipUnless(HAVE_TORCH, "needs a build with TORCH=1 and a Python with torch")
class BadModels(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.shared = tempfile.TemporaryDirectory()
        subprocess.run([BUILD / "bin/depthq-scene", Path(cls.shared.name) / "plate", "--frames", "1001-1002", "--size", "96x64",
                        "--seed", "7"], check=True)

    @classmethod
    def tearDownClass(cls):
        cls.shared.cleanup()

    def setUp(self):
        temporary = tempfile.TemporaryDirectory(dir=self.shared.name)
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)

    def save(self, module, says=CONTRACT):
        extra = {"depthq.json": says if isinstance(says, str) else json.dumps(says)} if says is not None else {}
        torch.jit.save(module, str(self.folder / "net.pt"), _extra_files=extra)

    def run_job(self):
        (self.folder / "shot.yaml").write_text("depthq: 1\nplate: ../plate/plate.####.exr\nmodel: ./net.pt\nretries: 0\n"
                                               "output: {path: depth/d.####.exr}\n")
        return subprocess.run([BUILD / "bin/depthq", "run", "shot.yaml", "--progress", "plain", "--device", "cpu"], cwd=self.folder,
                              capture_output=True, text=True, timeout=300, check=False)

    def written(self):
        return [path for path in self.folder.rglob("*") if path.suffix in (".exr", ".tmp") and path.is_file()]

    def refused(self, *words, statuses=(DATA,)):
        done = self.run_job()
        said = done.stdout + done.stderr
        self.assertIn(done.returncode, statuses, said)
        for word in words:
            self.assertIn(word, said)
        self.assertEqual(self.written(), [])

    def test_a_good_one_is_run_or_these_tests_prove_nothing(self):
        self.save(good())
        done = self.run_job()
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(len(self.written()), 2)

    # ---- files that are no networks -----------------------------------------

    def test_missing(self):
        self.refused("net.pt", statuses=(MODEL_MISSING,))

    def test_truncated_anywhere(self):
        self.save(good())
        whole = (self.folder / "net.pt").read_bytes()
        for share in (0, 0.01, 0.5, 0.99):
            (self.folder / "net.pt").write_bytes(whole[:int(len(whole) * share)])
            self.refused("net.pt")

    def test_a_checkpoint_of_weights(self):
        torch.save({"w": torch.zeros(3)}, self.folder / "net.pt")
        self.refused("net.pt", "contract")
        (self.folder / "net.json").write_text(json.dumps(CONTRACT))
        self.refused("checkpoint", "torch.jit.save")

    # ---- contracts ------------------------------------------------------------

    def test_without_a_contract(self):
        self.save(good(), None)
        self.refused("net.pt", "depthq.json")

    def test_a_contract_that_is_no_json(self):
        self.save(good(), '{"depthq_model": 1,')
        self.refused("net.pt: contract: line 1, column 19")

    def test_every_field_that_lies_is_named(self):
        lies = {"input__transfer": "rec2020", "input__multiple": 0, "input__batch": "some", "input__dtype": "int8",
                "input__range": [1, 0], "input__channels": "RGBA", "output__quantity": "height", "output__scale": "some",
                "output__layout": "NHWC", "output__channels": 0, "output__depth": 3, "output__sky": 0,
                "depthq_model": 9, "name": "", "version": "a b"}
        for path, value in lies.items():
            with self.subTest(path):
                self.save(good(), contract(**{path: value}))
                self.refused(path.replace("__", ".").split(".")[-1])

    # ---- networks that answer otherwise ----------------------------------------

    def test_a_baked_size_behind_a_free_one(self):
        self.save(forward(["return torch.zeros([x.size(0), 1, 64, 64]) + x.mean()"]),
                  contract(input__size={"preferred": 96, "min": 32, "max": 512}))
        self.refused("64", "96")

    # The guide of these plates, 96 x 64, is what a network is asked first.

    def test_planes_that_the_contract_does_not_have(self):
        self.save(good(), contract(output__channels=2))
        self.refused("answered 1x1x64x96", "promises 1x2x64x96")

    def test_another_layout(self):
        self.save(forward(["return x.mean(dim=1)"]))
        self.refused("answered 1x64x96", "correct the contract's layout")

    def test_half_a_size(self):
        self.save(forward(["return x.mean(dim=1, keepdim=True)[:, :, ::2, ::2]"]))
        self.refused("answered 1x1x32x48", "promises 1x1x64x96", "input.size.fixed")

    def test_two_answers(self):
        self.save(forward(["return x, x"]))
        self.refused("forward answers", "wrap it")

    def test_a_dict(self):
        self.save(forward(["return {'depth': x}"]))
        self.refused("forward answers", "wrap it")

    def test_two_questions(self):
        self.save(forward(["return x + y"], "x: Tensor, y: Tensor"))
        self.refused("takes 2 arguments")

    def test_nan(self):
        self.save(forward(["return x.mean(dim=1, keepdim=True) * float('nan')"]))
        self.refused("not finite", statuses=(1, DATA))

    def test_what_it_throws_is_told(self):
        self.save(forward(["assert x.sum() > 1e9, 'only bright pictures'", "return x"]))
        self.refused("only bright pictures", statuses=(1, DATA))

    def test_whole_numbers_are_no_depth(self):
        self.save(forward(["return (x.mean(dim=1, keepdim=True) * 1000).to(torch.int64)"]))
        self.refused("floating point is wanted")


if __name__ == "__main__":
    unittest.main()
