"""scripts/export_model.py --wrapper nuke: linear pictures of any size in, one
channel out, against the same written with numpy.
"""
import copy
import sys
import unittest
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import export_test  # noqa: E402
from export_test import CONTRACT, HAVE_TORCH, USAGE, network  # noqa: E402

if HAVE_TORCH:
    import torch


def convolved(x, weight, bias):
    """3x3, zeros around: written out, so that nothing of torch is in the expectation."""
    out = np.zeros((weight.shape[0], *x.shape[1:])) + bias[:, None, None]
    padded = np.pad(x, ((0, 0), (1, 1), (1, 1)))
    for dy in range(3):
        for dx in range(3):
            out += np.einsum("oc,chw->ohw", weight[:, :, dy, dx], padded[:, dy:dy + x.shape[1], dx:dx + x.shape[2]])
    return out


def expected(x, state, multiple, least):
    """What the tiny network of export_test answers to a linear picture 3xHxW."""
    w = {key: value.numpy().astype(np.float64) for key, value in state.items()}
    given = CONTRACT["input"]
    x = np.clip(x, 0, 1)
    x = np.where(x <= 0.0031308, 12.92 * x, 1.055 * np.maximum(x, 0.0031308) ** (1 / 2.4) - 0.055)
    x = (x - np.reshape(given["mean"], (3, 1, 1))) / np.reshape(given["std"], (3, 1, 1))
    height, width = x.shape[1:]
    more = [-(-max(side, least) // multiple) * multiple - side for side in (height, width)]
    x = np.pad(x, ((0, 0), (0, more[0]), (0, more[1])), mode="edge")
    x = np.maximum(convolved(x, w["one.weight"], w["one.bias"]), 0)
    return convolved(x, w["two.weight"], w["two.bias"])[0, :height, :width]


@unittest.skipUnless(HAVE_TORCH, "this Python has no torch")
class TheFormForNuke(export_test.Exporting):
    def form(self, *more):
        self.assertEqual(self.export("--wrapper", "nuke", *more), 0, self.erred)
        self.assertEqual([f.name for f in self.library.iterdir()], ["tiny-1.0.0.nuke.pt"])
        form = torch.jit.load(str(self.library / "tiny-1.0.0.nuke.pt"))
        return torch.inference_mode()(lambda x: form(x))

    def test_any_size_is_padded_inside_and_cut_again(self):
        self.write()
        form = self.form()
        for height, width in ((32, 32), (37, 50), (9, 70), (16, 17)):
            x = torch.rand((1, 4, height, width), generator=torch.Generator().manual_seed(height)) * 1.4 - 0.2
            got = form(x)
            self.assertEqual(tuple(got.shape), (1, 1, height, width))
            want = expected(x[0, :3].numpy().astype(np.float64), export_test.state(), 8, 16)
            self.assertLess(np.abs(got[0, 0].numpy() - want).max(), 1e-5 * np.ptp(want))

    def test_holes_and_half_floats(self):
        self.write()
        form = self.form()
        x = torch.full((1, 3, 20, 20), float("nan"))
        self.assertTrue(torch.equal(form(x), form(torch.zeros_like(x))))
        x = torch.rand((1, 3, 20, 20), generator=torch.Generator().manual_seed(1)).half()
        got = form(x)
        self.assertEqual(got.dtype, torch.float16)
        self.assertLess((got.float() - form(x.float())).abs().max(), 2e-3 * np.ptp(got.float().numpy()))

    def test_a_network_of_one_size_sees_the_whole_picture(self):
        self.write(network("return self.depth(x).reshape(-1, 32, 48)"),
                   copy.deepcopy(CONTRACT) | {"output": CONTRACT["output"] | {"layout": "NHW"}})
        form = self.form("--size", "32x48")
        ramp = torch.linspace(0, 1, 96).expand(1, 3, 64, 96).contiguous()
        whole = form(ramp)
        self.assertEqual(tuple(whole.shape), (1, 1, 64, 96))
        small = form(torch.nn.functional.interpolate(ramp, [32, 48], mode="bilinear", antialias=True))
        again = torch.nn.functional.interpolate(small, [64, 96], mode="bilinear")
        self.assertLess((whole - again).abs().max(), 0.02 * np.ptp(whole.numpy()))

    def test_bgr_and_a_chosen_plane(self):
        contract = copy.deepcopy(CONTRACT)
        contract["input"] |= {"channels": "BGR", "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "transfer": "linear"}
        contract["output"] |= {"channels": 2, "depth": 1}
        self.write(network("return torch.cat([x[:, 1:2], x[:, 0:1] + 0 * self.depth(x)], 1)"), contract)
        x = torch.rand((1, 3, 16, 24), generator=torch.Generator().manual_seed(2))
        self.assertTrue(torch.equal(self.form()(x)[0, 0], x[0, 2]))

    def test_it_is_no_version_and_takes_no_other_format(self):
        self.write()
        self.refused("leave --format out", status=USAGE, more=("--wrapper", "nuke", "--format", "aoti"))


if __name__ == "__main__":
    unittest.main()
