"""infer's alignment against fields whose answer is known, and against numpy.

A true field is cut into tiles, each tile goes through an affine map of its own
(what a network does to a crop), the guide is the field's area mean. The maps
are what align_frame must undo; where the answer is noisy it must be no worse
than numpy's own line, tile by tile. Nothing here is taken from infer/: only
the plan (which pixels a tile has) comes from the program.
"""
import json

import numpy as np
import pytest
from exr_file import BUILD, must, run

TOOL = BUILD / "tools/align_frame"
H, W = 216, 384
SKIPPED, ALIGNED, SHIFT_ONLY, GUIDE_ONLY = range(4)


def area(size, to):
    """The matrix that takes `size` samples to `to` means over equal lengths."""
    edge = np.arange(to + 1) * size / to
    low, high = np.maximum(edge[:-1, None], np.arange(size)), np.minimum(edge[1:, None], np.arange(size) + 1)
    return np.maximum(high - low, 0) * to / size


class Frame:
    """One frame's plan, and a run of align_frame over fields of its size."""

    def __init__(self, folder, scale):
        self.model = folder / "net.fake"
        quantity = "disparity" if scale == "affine" else "distance"
        self.model.write_text(json.dumps({"depthq_fake": 1, "net": "flat", "contract": {
            "depthq_model": 1, "name": "n", "version": "1", "runtime": "fake",
            "input": {"transfer": "srgb", "multiple": 8, "size": {"preferred": 112, "min": 8, "max": 1024}},
            "output": {"quantity": quantity, "scale": scale, "unit": "m" if scale == "metric" else ""}}}))
        self.plan = json.loads(must(TOOL, self.model, W, H, "plan"))
        self.tile_h, self.tile_w = self.plan["tile"]
        self.rows, self.cols = self.plan["content"]
        self.places = self.plan["tiles"]
        assert len(self.places) >= 8

    def guide(self, field):
        return area(H, self.rows) @ field @ area(W, self.cols).T

    def cut(self, field):
        """All tiles; beyond the picture its rim goes on."""
        y = [np.clip(np.arange(self.tile_h) + p[0], 0, H - 1) for p in self.places]
        x = [np.clip(np.arange(self.tile_w) + p[1], 0, W - 1) for p in self.places]
        return np.array([field[np.ix_(a, b)] for a, b in zip(y, x)])

    def align(self, guide, tiles):
        given = np.concatenate([guide.ravel(), tiles.ravel()]).astype("<f4").tobytes()
        done = run(TOOL, self.model, W, H, "align", input=given)
        assert done.returncode == 0, done.stderr.decode()
        out = np.frombuffer(done.stdout, "<f4")
        n = len(self.places)
        told = out[:3 * n].reshape(n, 3)
        blend, depth = out[3 * n:].reshape(2, H, W).astype(np.float64)
        return told[:, 0].astype(float), told[:, 1].astype(float), told[:, 2].astype(int), blend, depth


def scene(rng):
    """Ground, waves, and boxes with hard edges; 0.2 to 1."""
    y, x = np.mgrid[:H, :W]
    field = 0.25 + 0.35 * y / H + 0.08 * np.sin(x / 23 + rng.uniform(0, 6)) * np.cos(y / 17 + rng.uniform(0, 6))
    for _ in range(12):
        top, left = rng.integers(0, H - 30), rng.integers(0, W - 40)
        field[top:top + rng.integers(12, 60), left:left + rng.integers(12, 80)] += rng.uniform(0.05, 0.3)
    return field


def maps(rng, n):
    return np.exp(rng.uniform(np.log(0.5), np.log(2), n)), rng.uniform(-0.5, 0.5, n)


def through(tiles, scale, shift):
    """What the network says: to be undone by scale and shift."""
    return (tiles - shift[:, None, None]) / scale[:, None, None]


def off(got, field):
    return np.abs(got - field).mean() / np.ptp(field)


@pytest.fixture(scope="module")
def affine(tmp_path_factory):
    return Frame(tmp_path_factory.mktemp("affine"), "affine")


@pytest.fixture(scope="module")
def metric(tmp_path_factory):
    return Frame(tmp_path_factory.mktemp("metric"), "metric")


@pytest.mark.parametrize("seed", range(4))
def test_exact_maps_are_undone(affine, seed):
    """To 0.5 % of the scale, and the picture to 0.1 % of its range."""
    rng = np.random.default_rng(seed)
    field = scene(rng)
    scale, shift = maps(rng, len(affine.places))
    s, b, fate, blend, depth = affine.align(affine.guide(field), through(affine.cut(field), scale, shift))
    assert (fate == ALIGNED).all()
    assert np.max(np.abs(s / scale - 1)) < 5e-3
    assert np.max(np.abs(b - shift)) < 5e-3
    assert off(blend, field) < 1e-3 and off(depth, field) < 2e-3


@pytest.mark.parametrize("seed", range(3))
def test_exact_factors_of_a_metric_network_are_undone(metric, seed):
    rng = np.random.default_rng(seed)
    field = 1 / scene(rng)
    factor = maps(rng, len(metric.places))[0]
    tiles = metric.cut(field) / factor[:, None, None]
    # a guide in the same space: means of the logarithm
    s, b, fate, blend, _ = metric.align(np.exp(metric.guide(np.log(field))), tiles)
    assert (fate == ALIGNED).all() and not b.any()
    assert np.max(np.abs(s / factor - 1)) < 5e-3
    assert off(blend, field) < 1e-3


@pytest.mark.parametrize("seed", range(3))
def test_flat_sky_takes_the_guides_level_and_spoils_nobody(affine, seed):
    """The upper half is exactly 0: tiles of it alone have no scale to find."""
    rng = np.random.default_rng(seed)
    field = scene(rng)
    field[:H * 55 // 100] = 0
    tiles = affine.cut(field)
    flat = np.ptp(tiles, axis=(1, 2)) == 0
    assert 0 < flat.sum() < len(flat)
    scale, shift = maps(rng, len(flat))
    s, b, fate, blend, _ = affine.align(affine.guide(field), through(tiles, scale, shift))
    assert (fate[~flat] == ALIGNED).all() and (fate[flat] != ALIGNED).all()
    assert np.max(np.abs(s / scale - 1)[~flat]) < 1e-2
    level = s * (0 - shift) / scale + b  # what the flat tiles are mapped to
    level[fate == GUIDE_ONLY] = 0
    assert np.max(np.abs(level[flat])) < 5e-3
    assert off(blend, field) < 2e-3


@pytest.mark.parametrize("seed", range(3))
def test_what_the_guide_does_not_show_does_not_pull_the_line(affine, seed):
    """A patch of every third tile, a twentieth of it, is off by half the range."""
    rng = np.random.default_rng(seed)
    field = scene(rng)
    scale, shift = maps(rng, len(affine.places))
    tiles = affine.cut(field)
    for t in tiles[::3]:
        y, x = rng.integers(0, affine.tile_h - 24), rng.integers(0, affine.tile_w - 26)
        t[y:y + 24, x:x + 26] += np.ptp(field) / 2
    tiles = through(tiles, scale, shift)
    s, _, fate, _, _ = affine.align(affine.guide(field), tiles)
    ours = np.abs(s / scale - 1)
    plain = np.abs(lines(affine, affine.guide(field), tiles)[0] / scale - 1)[::3]
    assert (np.delete(fate, np.s_[::3]) == ALIGNED).all()
    assert np.max(ours) < 0.1 and np.median(ours) < 0.02
    assert np.median(plain) > 3 * np.median(ours[::3])


def lines(frame, guide, tiles):
    """numpy's least-squares line of each tile, at the guide's own pixels."""
    s, b = [], []
    for (top, left), tile in zip(frame.places, tiles):
        rows = [r for r in range(frame.rows) if r * H / frame.rows >= max(top, 0)
                and (r + 1) * H / frame.rows <= min(top + frame.tile_h, H)]
        cols = [c for c in range(frame.cols) if c * W / frame.cols >= max(left, 0)
                and (c + 1) * W / frame.cols <= min(left + frame.tile_w, W)]
        whole = np.zeros((H, W))
        y0, x0 = max(top, 0), max(left, 0)
        part = tile[y0 - top:min(H - top, frame.tile_h), x0 - left:min(W - left, frame.tile_w)]
        whole[y0:y0 + part.shape[0], x0:x0 + part.shape[1]] = part
        means = frame.guide(whole)[np.ix_(rows, cols)]
        line = np.polyfit(means.ravel(), guide[np.ix_(rows, cols)].ravel(), 1)
        s.append(line[0])
        b.append(line[1])
    return np.array(s), np.array(b)


@pytest.mark.parametrize("seed", range(3))
def test_with_noise_it_is_no_worse_than_a_line_of_numpy(affine, seed):
    """Grain of 0.2 % in the tiles, and a guide that is soft and noisy by 2 % of range."""
    rng = np.random.default_rng(seed)
    field = scene(rng)
    scale, shift = maps(rng, len(affine.places))
    guide = affine.guide(field)
    guide += rng.normal(0, 0.02 * np.ptp(field), guide.shape)
    tiles = affine.cut(field)
    tiles = through(tiles + rng.normal(0, 0.002 * np.ptp(field), tiles.shape), scale, shift)
    s, b, fate, _, _ = affine.align(guide, tiles)
    ls, lb = lines(affine, guide, tiles)
    truth = affine.cut(field)

    def error(s, b):
        return np.abs(tiles * s[:, None, None] + b[:, None, None] - truth).mean(axis=(1, 2))
    assert (fate == ALIGNED).all()
    assert np.max(np.abs(s / scale - 1)) < 0.01
    assert error(s, b).mean() <= 1.02 * error(ls, lb).mean()
    assert np.max(np.abs(s - ls) / scale) < 0.03
