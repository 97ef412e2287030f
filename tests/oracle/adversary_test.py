"""The adversary keeps its word: true disparity, an affine of its content, edges that are soft, a bend of 2 %."""
import importlib.util
import json
import sys
import tempfile
import unittest
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
HAVE_TORCH = importlib.util.find_spec("torch") is not None
if HAVE_TORCH:
    import torch

    import adversary


def plate(seed=0, h=112, w=168):
    """Coded colours of a slope and a box: R tells disparity, B is its complement, G knows nothing."""
    rng = np.random.default_rng(seed)
    u = np.tile(np.linspace(0.02, 0.4, h, dtype=np.float32)[:, None], (1, w))
    u[40:70, 60:100] = 0.5
    g = rng.random((h, w), dtype=np.float32)
    return u, torch.from_numpy(np.stack([u, g, 1 - u])[None])


@unittest.skipUnless(HAVE_TORCH, "this Python has no torch")
class Adversary(unittest.TestCase):
    def answer(self, x, bend=0.0):
        module = adversary.make(bend)
        s, b = (v.numpy() for v in module.affine(x))
        return module(x).detach().numpy()[:, 0], s, b

    def test_off_edges_it_tells_the_true_disparity_through_its_affine(self):
        u, x = plate()
        got, s, b = self.answer(x)
        away = np.s_[80:100, 20:150]
        np.testing.assert_allclose((got[0][away] - b[0]) / s[0], u[away], atol=2e-6)

    def test_its_edges_are_soft_over_some_pixels_and_no_more(self):
        u, x = plate()
        got, s, b = self.answer(x)
        row = (got[0][55] - b[0]) / s[0]
        self.assertTrue(row[58] < row[59] < row[60] < row[61])
        self.assertLess(abs(row[59] - u[55, 59]) / (0.5 - u[55, 59]), 0.5)
        np.testing.assert_allclose(row[[55, 65]], u[55][[55, 65]], atol=1e-6)

    def test_scale_is_1_to_3_and_shift_half_and_other_content_has_another(self):
        draws = np.array([[v.item() for v in adversary.make().affine(plate(seed)[1])] for seed in range(60)])
        self.assertTrue((draws[:, 0] >= 1).all() and (draws[:, 0] <= 3).all())
        self.assertTrue((np.abs(draws[:, 1]) <= 0.5).all())
        self.assertEqual(len(np.unique(draws[:, 0])), 60)
        self.assertGreater(np.log(draws[:, 0]).std(), 0.25)  # uniform: 1.0986 / sqrt(12) = 0.317
        self.assertGreater(draws[:, 1].std(), 0.23)  # uniform: 0.289
        self.assertLess(abs(np.corrcoef(draws.T)[0, 1]), 0.35)

    def test_one_pixel_makes_another_affine_and_the_same_picture_the_same(self):
        _, x = plate()
        other = x.clone()
        other[0, 1, 5, 7] += 1e-4
        module = adversary.make()
        self.assertEqual(module.affine(x)[0].item(), module.affine(x.clone())[0].item())
        self.assertNotEqual(module.affine(x)[0].item(), module.affine(other)[0].item())

    def test_a_batch_is_answered_as_each_alone(self):
        _, x = plate(1)
        _, y = plate(2)
        both, alone = self.answer(torch.cat([x, y]))[0], [self.answer(p)[0][0] for p in (x, y)]
        for got, want in zip(both, alone):
            np.testing.assert_allclose(got, want, atol=1e-6)

    def test_the_bent_form_differs_by_2_percent_at_the_corners_at_most_and_no_affine_mends_it(self):
        worst = 0
        for seed in range(8):
            u, x = plate(seed)
            straight, s, _ = self.answer(x)
            bent, _, _ = self.answer(x, adversary.BEND)
            bow = (bent - straight)[0] / s[0] / u
            away = np.s_[80:, :50]
            self.assertLess(np.abs(bow[away]).max(), 0.0202)
            worst = max(worst, np.abs(bow[away]).max())
        self.assertGreater(worst, 0.01)
        columns = np.stack([straight[0].ravel(), np.ones(straight[0].size)], 1)
        rest = bent[0].ravel() - columns @ np.linalg.lstsq(columns, bent[0].ravel(), rcond=None)[0]
        self.assertGreater(np.abs(rest).max(), 0.002 * s[0] * u.max())

    def test_the_archive_holds_its_contract_and_answers_the_same(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "adversary.pt"
            module = adversary.write(path, preferred=252)
            files = {"depthq.json": ""}
            loaded = torch.jit.load(str(path), _extra_files=files)
            self.assertEqual(json.loads(files["depthq.json"])["input"]["size"]["preferred"], 252)
            _, x = plate()
            np.testing.assert_array_equal(loaded(x).detach().numpy(), module(x).detach().numpy())


if __name__ == "__main__":
    unittest.main()
