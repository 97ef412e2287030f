"""The metrics themselves: each against a closed formula, and each shown to fail on the defect that it is for."""
import sys
import unittest
from pathlib import Path

import numpy as np

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).parent))
import metrics as m  # noqa: E402

H, W, TILE, STARTS = 384, 512, 192, (0, 160, 320)


def slope(h=H, w=W):
    """Disparity of a ground that rises to the horizon, with one box before it."""
    T = np.tile(np.linspace(0.02, 0.3, h)[:, None], (1, w))
    T[100:180, 40:90] = 0.35
    return T


def everywhere(T):
    return np.ones(T.shape, bool)


def blended(tiles):
    """Tiles of TILE columns at STARTS over the whole height, mixed by linear ramps over their overlaps of 32 px."""
    total, weight = np.zeros((H, W)), np.zeros((H, W))
    for tile, x in zip(tiles, STARTS):
        i = np.arange(TILE)
        ramp = np.minimum(1, (np.minimum(i, i[::-1]) + 0.5) / 32)
        if x == STARTS[0]:
            ramp[:TILE // 2] = 1
        if x == STARTS[-1]:
            ramp[TILE // 2:] = 1
        total[:, x:x + TILE] += ramp * tile
        weight[:, x:x + TILE] += ramp
    return total / weight


def cut(T, affines):
    return [s * T[:, x:x + TILE] + b for x, (s, b) in zip(STARTS, affines)]


class Numbers(unittest.TestCase):
    def test_a_fit_finds_scale_and_shift_and_nothing_outside_the_mask_counts(self):
        T = slope()
        D = (T - 0.3) / 2.5
        mask = everywhere(T)
        D[:50], mask[:50] = 99, False
        np.testing.assert_allclose(m.fit(D, T, mask), (2.5, 0.3), rtol=1e-12)

    def test_a_fit_keeps_its_digits_far_from_zero(self):
        T = slope()
        s, _ = m.fit(T / 4 + 1e5, T, everywhere(T))
        self.assertAlmostEqual(s, 4, places=4)

    def test_range_is_from_the_5th_to_the_95th_percentile(self):
        ramp = np.linspace(0, 1, 1001).reshape(1, -1)
        ramp[0, -1] = 1000  # one firefly
        self.assertAlmostEqual(m.span(ramp, everywhere(ramp)), 0.9, places=6)

    def test_sky_and_what_is_beyond_100_m_are_not_scored(self):
        z, sky = np.array([[5.0, 99, 101, 1e6]]), np.array([[0.0, 0, 0, 1]])
        self.assertEqual(m.scored(z, sky).tolist(), [[True, True, False, False]])
        self.assertEqual(m.distance(np.array([0.5, 0.0, -3.0])).tolist(), [2, 100, 100])

    def test_abs_rel_and_delta1_of_distances_ten_and_thirty_percent_off(self):
        z = 1 / slope()
        self.assertAlmostEqual(m.abs_rel(1.1 * z, z, everywhere(z)), 0.1, places=12)
        self.assertEqual(m.delta1(1.1 * z, z, everywhere(z)), 1)
        half = z.copy()
        half[:H // 2] *= 1.3
        self.assertEqual(m.delta1(half, z, everywhere(z)), 0.5)
        self.assertEqual(m.abs_rel(z, z, everywhere(z)), 0)


class Edges(unittest.TestCase):
    def square(self):
        z = np.full((100, 100), 10.0)
        z[30:70, 30:70] = 5
        return z

    def test_the_truth_scores_one_in_any_scale(self):
        self.assertAlmostEqual(m.boundary_f1(3 * self.square(), self.square()), 1)

    def test_soft_edges_score_low_and_no_edges_nothing(self):
        soft = self.square()
        for _ in range(12):
            soft = (soft + np.roll(soft, 1, 0) + np.roll(soft, 1, 1)) / 3
        self.assertLess(m.boundary_f1(soft, self.square()), 0.2)
        self.assertEqual(m.boundary_f1(np.full((100, 100), 7.0), self.square()), 0)

    def test_precision_and_recall_one_half_give_one_half(self):
        z, d = np.full((4, 40), 10.0), np.full((4, 40), 10.0)
        for true, said in zip((5, 15), (5, 25)):  # two edges each, one of them in common
            z[:, true:] *= 2
            d[:, said:] *= 2
        # one direction of four has edges; the others are 0 of at least 1
        self.assertAlmostEqual(m.boundary_f1(d, z), 0.5 / 4)


class Seams(unittest.TestCase):
    def setUp(self):
        self.T = slope()
        self.mask = everywhere(self.T)
        self.lines = [160, 192, 320, 352]

    def measure(self, D):
        laps = m.overlaps(STARTS, TILE)
        return (m.seam_ratio(D, self.T, self.mask, self.lines, []), m.tile_step(D, self.T, self.mask, laps, []))

    def test_overlaps_lie_between_a_tiles_start_and_its_neighbours_end(self):
        self.assertEqual(m.overlaps(STARTS, TILE), [(160, 192), (320, 352)])

    def test_the_truth_in_any_affine_has_no_seam_and_no_step(self):
        seam, step = self.measure(7 * self.T - 3)
        self.assertEqual(len(seam), 3 * 4)
        self.assertEqual(len(step), 3 * 2)
        np.testing.assert_allclose(seam, 1, atol=1e-9)
        np.testing.assert_allclose(step, 0, atol=1e-12)

    def test_a_hard_step_is_told_by_its_height(self):
        D = self.T.copy()
        unit = m.span(self.T, self.mask)
        D[:, 192:] += 0.003 * unit
        seam = m.seam_ratio(D, self.T, self.mask, [192], [])
        # flat across: median |dT| = 0, so the ratio is 1 + 0.003 / 0.001, but for D's own RANGE
        np.testing.assert_allclose(seam, 4, rtol=0.02)
        np.testing.assert_allclose(m.seam_ratio(D.T, self.T.T, self.mask.T, [], [192]), seam)

    def test_an_unaligned_blend_fails_both(self):
        seam, step = self.measure(blended(cut(self.T, [(1, 0), (1.5, 0.1), (0.8, -0.1)])))
        self.assertGreater(np.median(seam), 1.2)
        self.assertGreater(np.median(step), 0.05)

    def test_a_long_ramp_hides_from_the_seam_ratio_and_not_from_the_tile_step(self):
        D, unit = self.T.copy(), m.span(self.T, self.mask)
        D += 0.01 * unit * np.clip((np.arange(W) - 160) / 32, 0, 1)
        smooth = np.full(9, 1 / 9)
        D = np.apply_along_axis(lambda r: np.convolve(np.pad(r, 4, mode="edge"), smooth, "valid"), 1, D)
        seam, step = self.measure(D)
        self.assertLess(np.median(seam), 1.2)
        self.assertAlmostEqual(step.max(), 0.01, delta=0.001)

    def test_a_steady_slope_across_the_line_is_no_seam(self):
        D = self.T + 1e-3 * np.arange(W)
        seam = m.seam_ratio(D, self.T, self.mask, self.lines, [])
        np.testing.assert_allclose(seam, 1, atol=1e-6)

    def test_a_soft_true_edge_on_the_line_is_no_seam(self):
        T = self.T.copy()
        T[:, 192:] += 0.2
        D = T.copy()
        D[:, 189:195] = np.linspace(0, 1, 6) * 0.2 + self.T[:, 189:195]
        self.assertEqual(len(m.seam_ratio(D, T, everywhere(T), [192], [])), 0)
        self.assertEqual(len(m.seam_ratio(D, T, everywhere(T), [320], [])), 3)

    def test_a_smaller_range_does_not_hide_a_step(self):
        D = blended(cut(self.T, [(1, 0), (1, 0.05), (1, 0)]))
        np.testing.assert_allclose(self.measure(D / 100)[1], self.measure(D)[1], rtol=1e-9)


class Tiles(unittest.TestCase):
    def test_a_tile_is_determined_when_its_blocks_vary_by_2_percent(self):
        blocks = np.tile([0.0, 1.0], (8, 4))  # std 0.5
        self.assertTrue(m.is_determined(blocks, everywhere(blocks), 24.9))
        self.assertFalse(m.is_determined(blocks, everywhere(blocks), 25.1))
        self.assertFalse(m.is_determined(blocks, np.tile([True, False], (8, 4)), 1))

    def test_misfit_is_the_rms_of_what_the_affines_make_wrong(self):
        tiles = [np.array([[1.0, -1]]), np.array([[1.0, -1]])]
        true = [(2.0, 1.0), (2.0, 1.0)]
        self.assertEqual(m.misfit(tiles, true, true, 1), 0)
        self.assertAlmostEqual(m.misfit(tiles, [(2.3, 1.0), (2.0, 1.4)], true, 10), np.sqrt((0.09 + 0.16) / 2) / 10)


class Shot(unittest.TestCase):
    N = 20

    def shot(self, scales, shifts):
        Ts = [slope(48, 64) for _ in range(self.N)]
        return [s * T + b for T, s, b in zip(Ts, scales, shifts)], Ts, [everywhere(T) for T in Ts]

    def test_drift_is_the_std_of_log_scale_and_its_slope(self):
        true = np.exp(0.002 * np.arange(self.N))
        Ds, Ts, masks = self.shot(true, np.zeros(self.N))
        std, per_100 = m.drift(m.frame_fits(Ds, Ts, masks))
        self.assertAlmostEqual(std, np.std(0.002 * np.arange(self.N)), places=9)
        self.assertAlmostEqual(per_100, -0.2, places=9)

    def test_a_steady_shot_has_no_drift_whatever_its_affine(self):
        Ds, Ts, masks = self.shot(np.full(self.N, 3.0), np.full(self.N, -1.0))
        self.assertLess(m.drift(m.frame_fits(Ds, Ts, masks))[0], 1e-12)

    def test_drift_of_shift_tells_a_level_that_pulses(self):
        pulse = 0.01 * (-1.0) ** np.arange(self.N)
        Ds, Ts, masks = self.shot(np.ones(self.N), pulse)
        fits, one = m.frame_fits(Ds, Ts, masks), m.fit(np.stack(Ds), np.stack(Ts), np.stack(masks))
        self.assertLess(m.drift(fits)[0], 1e-12)
        wide = m.span(Ts[0], masks[0])
        self.assertAlmostEqual(m.drift_of_shift(fits, one, Ts, masks), 0.01 / wide, delta=2e-4)

    def test_one_fit_a_shot_tells_flicker_that_a_fit_a_frame_hides(self):
        rng = np.random.default_rng(1)
        Ds, Ts, masks = self.shot(np.exp(rng.normal(0, 0.2, self.N)), rng.normal(0, 0.05, self.N))
        s, b = m.fit(np.stack(Ds), np.stack(Ts), np.stack(masks))
        z = 1 / np.stack(Ts)
        self.assertGreater(m.abs_rel(m.distance(s * np.stack(Ds) + b), z, np.stack(masks)), 0.05)
        own = np.stack([s * D + b for D, (s, b) in zip(Ds, m.frame_fits(Ds, Ts, masks))])
        self.assertLess(m.abs_rel(m.distance(own), z, np.stack(masks)), 1e-9)

    def test_static_noise_is_the_std_over_time_by_range(self):
        Ds, _, masks = self.shot(np.ones(self.N), 0.01 * (-1.0) ** np.arange(self.N))
        low, high = np.percentile(np.stack(Ds), [5, 95])
        self.assertAlmostEqual(m.static_noise(Ds, masks), 0.01 / (high - low), places=9)
        self.assertEqual(m.static_noise([Ds[0]] * 3, masks[:3]), 0)


class Motion(unittest.TestCase):
    """A camera that goes 0.5 m towards a wall 10 m away, 2 px to the right."""
    SIDE = 64

    def setUp(self):
        n = self.SIDE
        self.cameras = [dict(eye=[0.1 * t, 0.0, 0.5 * t], right=[1.0, 0, 0], up=[0, 1.0, 0], forward=[0, 0, 1.0],
                             fx=80.0, fy=80.0, cx=n / 2, cy=n / 2) for t in range(3)]
        self.zs = [np.full((n, n), 10 - 0.5 * t) for t in range(3)]
        y, x = np.mgrid[:n, :n] + 0.5
        self.motions = []
        for t in range(2):
            right = (x - n / 2) / 80 * (10 - 0.5 * t) - 0.1
            down = (y - n / 2) / 80 * (10 - 0.5 * t)
            ahead = 10 - 0.5 * (t + 1)
            self.motions.append((right / ahead * 80 + n / 2 - x, down / ahead * 80 + n / 2 - y))
        self.masks = [everywhere(z) for z in self.zs]

    def tae(self, ds):
        return m.tae(ds, self.zs, self.motions, self.masks, self.cameras)

    def test_the_truth_has_none(self):
        self.assertLess(self.tae(self.zs), 1e-9)

    def test_a_frame_that_jumps_by_ten_percent_is_told_by_formula(self):
        ds = [self.zs[0], 1.1 * self.zs[1], self.zs[2]]
        forth = abs(9.5 - 1.1 * 9.5) / (1.1 * 9.5) + abs(1.1 * 9.5 - 0.5 - 9) / 9
        back = abs(1.1 * 9.5 + 0.5 - 10) / 10 + abs(9.5 - 1.1 * 9.5) / (1.1 * 9.5)
        self.assertAlmostEqual(self.tae(ds), 100 / 4 * (forth + back), places=9)

    def test_a_steady_wrong_scale_shows_only_where_the_camera_advances(self):
        still = [dict(c, eye=[0.0, 0, 0]) for c in self.cameras]
        zero = [(np.zeros_like(z), np.zeros_like(z)) for z in self.zs]
        ds = [1.2 * self.zs[0]] * 3
        self.assertLess(m.tae(ds, [self.zs[0]] * 3, zero, self.masks, still), 1e-9)
        self.assertGreater(self.tae([1.2 * z for z in self.zs]), 0.5)

    def test_what_is_hidden_in_the_next_frame_is_left_out(self):
        ds = [z.copy() for z in self.zs]
        self.zs[1][:, :20] = ds[1][:, :20] = 3  # something near came in
        self.assertLess(self.tae(ds), 1e-9)


if __name__ == "__main__":
    unittest.main()
