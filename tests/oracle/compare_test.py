"""depthq compare against numpy: two passes written by hand (exr_file), every
figure worked out again.
"""
import json
import os
import struct
import subprocess
import tempfile
import unittest
from pathlib import Path

import numpy as np

import exr_file

BUILD = exr_file.BUILD
W, H = 40, 30
SKY = -1.0


def scene(frame, noise, seed):
    """A slope with a step that moves, and noise; some pixels are sky."""
    rng = np.random.default_rng(seed + frame)
    y, x = np.mgrid[0:H, 0:W].astype(np.float32)
    depth = 1 + x / W + 2 * (y / H) + (x > 3 * (frame % 5)) + noise * rng.standard_normal((H, W))
    depth[:4, :frame % 3 + 1] = SKY
    return depth.astype(np.float32)


def write(path, depth, window=(0, 0, W - 1, H - 1)):
    sky = str(SKY).encode()
    exr_file.write_plain(path, {"Z": (depth, 1, 1)}, window, (0, 0, W - 1, H - 1), more=[("depthq/sky", "string", sky)])


class Compare(unittest.TestCase):
    def setUp(self):
        temporary = tempfile.TemporaryDirectory()
        self.addCleanup(temporary.cleanup)
        self.folder = Path(temporary.name)
        self.frames = list(range(1, 7))
        self.old = {f: scene(f, 0.01, 100) for f in self.frames}
        self.new = {f: np.where(self.old[f] == SKY, SKY, (scene(f, 0.05, 200) - 0.3) / 2.5).astype(np.float32) for f in self.frames}
        for name, planes in (("old", self.old), ("new", self.new)):
            (self.folder / name).mkdir()
            for f, plane in planes.items():
                write(self.folder / name / f"d.{f:04d}.exr", plane)

    def call(self, *more):
        return subprocess.run([BUILD / "bin/depthq", "compare", "old/d.####.exr", "new/d.####.exr", *more], cwd=self.folder,
                              capture_output=True, text=True, timeout=120, env=dict(os.environ, TZ="UTC"), check=False)

    def told(self, *more, status=0):
        done = self.call("--json", *more)
        self.assertEqual(done.returncode, status, done.stderr)
        return json.loads(done.stdout)

    def expected(self):
        """What numpy makes of it, frame by frame, with one fit over all."""
        real = {f: self.old[f] != SKY for f in self.frames}
        x = np.concatenate([self.new[f][real[f]] for f in self.frames]).astype(np.float64)
        y = np.concatenate([self.old[f][real[f]] for f in self.frames]).astype(np.float64)
        scale, shift = np.polyfit(x, y, 1)
        low, high = np.quantile(y, [0.01, 0.99])
        own = {"flicker_old": (self.old, high - low), "flicker_new": (self.new, np.subtract(*np.quantile(x, [0.99, 0.01])))}
        rows = {}
        for f in self.frames:
            a, b = (planes[f][real[f]].astype(np.float64) for planes in (self.old, self.new))
            apart = np.abs(a - (scale * b + shift)) / (high - low)
            rows[f] = {"mean": apart.mean(), "p95": np.quantile(apart, 0.95), "worst": apart.max(), "correlation": np.corrcoef(a, b)[0, 1],
                       "pixels": int(real[f].sum())}
            if f - 1 in real:
                both = real[f] & real[f - 1]
                for name, (planes, span) in own.items():
                    rows[f][name] = np.abs(planes[f].astype(float) - planes[f - 1])[both].mean() / span
        return scale, shift, low, high, rows

    def test_every_figure_is_numpys(self):
        told = self.told()
        scale, shift, low, high, rows = self.expected()
        self.assertAlmostEqual(told["scale"], scale, delta=1e-6 * abs(scale))
        self.assertAlmostEqual(told["shift"], shift, delta=1e-6)
        self.assertAlmostEqual(told["low"], low, delta=0.01)  # nearest rank, not between
        self.assertAlmostEqual(told["high"], high, delta=0.01)
        stretch = (high - low) / (told["high"] - told["low"])
        self.assertIsNone(told["frames"][0]["flicker_old"])
        for row in told["frames"]:
            want = rows[row["frame"]]
            for key in ("mean", "worst"):
                self.assertAlmostEqual(row[key], want[key] * stretch, delta=1e-5, msg=f"{row['frame']} {key}")
            for key in ("flicker_old", "flicker_new"):
                if key in want:
                    self.assertAlmostEqual(row[key], want[key], delta=0.01 * want[key], msg=f"{row['frame']} {key}")
            self.assertAlmostEqual(row["p95"], want["p95"] * stretch, delta=2e-3)
            self.assertAlmostEqual(row["correlation"], want["correlation"], delta=1e-6)
            self.assertEqual(row["pixels"], want["pixels"])
        self.assertGreater(told["flicker_new"], told["flicker_old"])

    def test_a_pass_through_a_scale_and_a_shift_is_the_same(self):
        for f, plane in self.old.items():
            write(self.folder / f"new/d.{f:04d}.exr", np.where(plane == SKY, SKY, plane * 8 - 4).astype(np.float32))
        told = self.told()
        self.assertAlmostEqual(told["scale"], 1 / 8, delta=1e-9)
        self.assertAlmostEqual(told["shift"], 0.5, delta=1e-8)
        self.assertLess(told["mean"], 1e-6)

    def test_frames_that_are_missing_damaged_or_cut_fail_alone(self):
        (self.folder / "new/d.0002.exr").unlink()
        (self.folder / "new/d.0003.exr").write_bytes(b"no picture")
        write(self.folder / "new/d.0004.exr", self.new[4][1:], (0, 1, W - 1, H - 1))
        told = self.told(status=1)
        self.assertEqual([(f["frame"], "error" in f) for f in told["frames"]], [(1, False), (3, True), (4, True), (5, False), (6, False)])
        self.assertIn("the data windows differ", self.call().stderr)
        self.assertIsNone(told["frames"][3]["flicker_new"])  # the frame before is not there
        self.assertIsNotNone(told["frames"][4]["flicker_new"])

    def test_what_cannot_be_compared_has_its_status(self):
        self.assertEqual(self.call("--frames", "99").returncode, 66)
        self.assertEqual(self.call("--frames", "1-").returncode, 2)
        self.assertEqual(self.call("old").returncode, 2)
        for f in self.frames:
            write(self.folder / f"new/d.{f:04d}.exr", np.full((H, W), 0.5, np.float32))
        done = self.call()
        self.assertEqual(done.returncode, 65)
        self.assertIn("a pass is flat", done.stderr)

    @unittest.skipIf("nooiio" in BUILD.name, "this build cannot draw")
    def test_the_sheet_is_a_picture(self):
        self.assertEqual(self.call("-o", "sheet.png", "--width", "40").returncode, 0)
        data = (self.folder / "sheet.png").read_bytes()
        self.assertEqual(data[:8], b"\x89PNG\r\n\x1a\n")
        width, height = struct.unpack(">II", data[16:24])
        self.assertEqual(width, 32 + 4 * (40 + 12) - 12)
        self.assertGreater(height, 2 * (2 * H))


if __name__ == "__main__":
    unittest.main()
