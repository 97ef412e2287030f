"""The demonstration network that ships is as good as its card says."""
import importlib.util
import json
import os
import re
import sys
import unittest
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
import metrics as m  # noqa: E402


def manifest():
    (found,) = (ROOT / "models").glob("demo-depth@*.json")
    return json.loads(found.read_text())


def card(row):
    """The numbers of a row of the card's table: AbsRel, F1."""
    text = (ROOT / "models/demo-depth.md").read_text()
    absrel, f1 = re.search(rf"^\| {row} \| ([0-9.]+)[^|]*\| ([0-9.]+) \|$", text, re.M).groups()
    return float(absrel), float(f1)


class DemoModel(unittest.TestCase):
    def test_artefact_is_small(self):
        said = manifest()
        self.assertEqual((ROOT / "models" / said["file"]).stat().st_size, said["bytes"])
        self.assertLessEqual(said["bytes"], 3_000_000)


@unittest.skipUnless(HAVE_TORCH, "needs a Python with torch")
class HeldOutWorlds(unittest.TestCase):
    """The network's answers to 20 worlds, judged by metrics that share no code with its trainer."""

    @classmethod
    def setUpClass(cls):
        import torch
        import train_demo_model as trainer
        torch.set_num_threads(2)
        net = torch.jit.load(str(ROOT / "models" / manifest()["file"])).eval()
        cls.worlds = [(z, d, mask, trainer.answer(net, rgb))
                      for _, rgb, d, z, mask in trainer.held_out_worlds(BUILD / "bin/depthq-scene")]
        cls.ours = cls.scores(lambda answer: answer)
        cls.ramp = cls.scores(lambda answer: np.indices(answer.shape)[0])

    @classmethod
    def scores(cls, change):
        """Mean AbsRel and F1 of what change makes of the answers, each fitted to its world."""
        found = []
        for z, d, mask, answer in cls.worlds:
            answer = change(answer)
            s, b = m.fit(answer, d, mask)
            distance = m.distance(s * answer + b)
            found.append((m.abs_rel(distance, z, mask), m.boundary_f1(distance, z)))
        return np.mean(found, axis=0)

    def test_distances_are_those_of_the_card_and_a_third_of_the_ramp(self):
        self.assertEqual(len(self.worlds), 20)
        self.assertLessEqual(self.ours[0], self.ramp[0] / 3)
        self.assertAlmostEqual(self.ours[0], card("demo-depth")[0], delta=0.002)
        self.assertAlmostEqual(self.ramp[0], card("best vertical ramp.*")[0], delta=0.002)

    def test_edges_stand_where_the_objects_are(self):
        self.assertGreaterEqual(self.ours[1], 0.25)
        self.assertLessEqual(self.ramp[1], 0.01)
        self.assertAlmostEqual(self.ours[1], card("demo-depth")[1], delta=0.005)
        for pixels in (2, -2):
            for axis in (0, 1):
                with self.subTest(pixels=pixels, axis=axis):
                    moved = self.scores(lambda answer: np.roll(answer, pixels, axis))
                    self.assertLess(moved[1], 0.75 * self.ours[1])


if __name__ == "__main__":
    unittest.main()
