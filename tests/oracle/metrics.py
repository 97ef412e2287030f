"""What the quality bench measures: depth pictures against exact truth, as numbers.

numpy only, no code in common with depthq. Pictures are [H,W], rows first. T is true disparity (1/z), D a disparity
that knows neither scale nor shift (D ~ s T + b), d a distance, z true distance. RANGE of a picture is P95 - P5 over
its scored pixels. Definitions and their reasons: each function's comment.
"""
import numpy as np

FAR = 100.0  # metres: what lies beyond is not scored, and no fitted distance is longer
PIECE, LEAST_CLEAR, STRIP, ASIDE = 128, 32, 16, 16  # px of a seam: piece, clear pixels in it, strips, reference lines


# ---- what is scored, and in which units ----

def scored(z, sky):
    """Pixels that count: not sky, and nearer than FAR metres."""
    return (np.asarray(sky) < 0.5) & (np.asarray(z) < FAR)


def span(picture, mask):
    """RANGE: P95 - P5 over the mask; 0 of a flat picture."""
    low, high = np.percentile(np.asarray(picture)[mask], [5, 95])
    return float(high - low)


def fit(D, T, mask):
    """(s, b) of least squares T = s D + b over the mask. A shot: pass its frames stacked, and it is one fit.

    About the means and in float64: a level much larger than the spread must not cost digits."""
    d, t = np.asarray(D, np.float64)[mask], np.asarray(T, np.float64)[mask]
    about = d - d.mean()
    spread = (about * about).mean()
    s = (about * (t - t.mean())).mean() / spread if spread > 0 else 0.0
    return float(s), float(t.mean() - s * d.mean())


def distance(disparity):
    """1 / disparity, at most FAR."""
    return 1 / np.maximum(disparity, 1 / FAR)


# ---- right numbers ----

def abs_rel(d, z, mask):
    """Mean |d - z| / z."""
    d, z = np.asarray(d, np.float64)[mask], np.asarray(z, np.float64)[mask]
    return float((np.abs(d - z) / z).mean())


def delta1(d, z, mask):
    """Share of pixels with max(d/z, z/d) < 1.25."""
    d, z = np.asarray(d, np.float64)[mask], np.asarray(z, np.float64)[mask]
    return float((np.maximum(d / z, z / d) < 1.25).mean())


def _order(d, t):
    """Where the right, left, lower, upper one of two neighbours is farther by more than t times."""
    right, below = d[:, 1:] / d[:, :-1], d[1:] / d[:-1]
    return right > t, right < 1 / t, below > t, below < 1 / t


def boundary_f1(d, z, low=1.05, high=1.25, steps=10):
    """Scale-invariant F1 of depth edges: neighbours whose distances differ by more than t times, on the same side, in
    both pictures. t in `steps` values, each weighing t. d and z are cut at FAR. After ml-depth-pro's boundary_metrics."""
    d, z = np.minimum(d, FAR), np.minimum(z, FAR)
    thresholds, total = np.linspace(low, high, steps), 0.0
    for t in thresholds:
        pairs = [(np.count_nonzero(a & b), np.count_nonzero(a), np.count_nonzero(b))
                 for a, b in zip(_order(d, t), _order(z, t))]
        precision = np.mean([both / max(mine, 1) for both, mine, _ in pairs])
        recall = np.mean([both / max(true, 1) for both, _, true in pairs])
        if precision + recall > 0:
            total += t * 2 * precision * recall / (precision + recall)
    return float(total / thresholds.sum())


# ---- seams ----

def clear_of_edges(T, mask, reach=8, edge=0.01):
    """Pixels of the mask with no true depth edge (a step of more than `edge` RANGE) within `reach` px, along either
    axis and so in the square: a network's soft edge is no seam."""
    step = edge * span(T, mask)
    near = ~mask
    for axis in (0, 1):
        jump = np.abs(np.diff(T, axis=axis)) > step
        front = [slice(None)] * 2
        back = [slice(None)] * 2
        front[axis], back[axis] = slice(1, None), slice(None, -1)
        near[tuple(front)] |= jump
        near[tuple(back)] |= jump
    for axis in (0, 1):
        count = np.cumsum(near, axis=axis, dtype=np.int64)
        count = np.insert(count, 0, 0, axis=axis)
        n = near.shape[axis]
        at = np.arange(n)
        high, low = np.minimum(at + reach + 1, n), np.maximum(at - reach, 0)
        near = np.take(count, high, axis=axis) > np.take(count, low, axis=axis)
    return ~near


def error(D, T, mask):
    """E = D / RANGE(D) - T / RANGE(T), each with its own: a fit to a bad picture would shrink it and hide its seams."""
    return np.asarray(D, np.float64) / span(D, mask) - np.asarray(T, np.float64) / span(T, mask)


def overlaps(starts, tile):
    """[(first, end)] of the overlaps along one axis, from the tiles' starts."""
    return [(b, a + tile) for a, b in zip(starts, starts[1:])]


def _pieces(rows):
    return [slice(r, r + PIECE) for r in range(0, max(rows - PIECE + 1, 1), PIECE)]


def _line_steps(E, T, clear, x, unit):
    """One vertical line between columns x - 1 and x -> [(step, median |dT|)] by pieces.

    The step is taken against either side and the larger counts: the mean of both sides would be blind to the kink with
    which a linear ramp begins, whose slope is there exactly half of 0 and the ramp's (an unaligned blend would pass)."""
    found = []
    for piece in _pieces(E.shape[0]):
        def step(at):
            if not 1 <= at < E.shape[1]:
                return None
            good = clear[piece, at] & clear[piece, at - 1]
            if good.sum() < LEAST_CLEAR:
                return None
            return np.median((E[piece, at] - E[piece, at - 1])[good]), good
        here = step(x)
        if here is None:
            continue
        beside = [s[0] for s in (step(x - ASIDE), step(x + ASIDE)) if s is not None]
        if not beside:
            continue
        slope = np.median(np.abs(T[piece, x] - T[piece, x - 1])[here[1]]) / unit
        found.append((max(abs(here[0] - b) for b in beside), slope))
    return found


def seam_ratio(D, T, mask, columns, rows, clear=None):
    """1 + |step| / (median |dT| + 1e-3) for every piece of 128 px of every seam line, in RANGE units -> array.

    columns, rows: where tiles begin or end (x between pixels x - 1 and x). step: median of E(right) - E(left) over the
    piece's pixels clear of true edges, less the same 16 px to the left or to the right, whichever leaves more."""
    clear = clear_of_edges(T, mask) if clear is None else clear
    E, unit, ratios = error(D, T, mask), span(T, mask), []
    for e, t, c, lines in ((E, T, clear, columns), (E.T, T.T, clear.T, rows)):
        for x in lines:
            ratios += [1 + step / (slope + 1e-3) for step, slope in _line_steps(e, t, c, x, unit)]
    return np.array(ratios)


def tile_step(D, T, mask, columns, rows, clear=None):
    """|difference of the medians of E in strips of 16 px just outside either side of an overlap| by pieces -> array,
    in RANGE units. columns, rows: overlaps as (first, end). Blending makes ramps of a misfit, which the seam ratio
    cannot see; this can."""
    clear = clear_of_edges(T, mask) if clear is None else clear
    E, steps = error(D, T, mask), []
    for e, c, laps in ((E, clear, columns), (E.T, clear.T, rows)):
        for first, end in laps:
            for piece in _pieces(e.shape[0]):
                sides = [(piece, slice(max(first - STRIP, 0), first)), (piece, slice(end, end + STRIP))]
                if min(c[s].sum() for s in sides) < LEAST_CLEAR:
                    continue
                left, right = [np.median(e[s][c[s]]) for s in sides]
                steps.append(abs(right - left))
    return np.array(steps)


# ---- tiles ----

def is_determined(blocks, smooth, whole):
    """Whether the guide can tell a tile's scale: its blocks off depth edges have std >= 2 % of RANGE (`whole`)."""
    return bool(smooth.sum() > 3 and np.std(blocks[smooth]) >= 0.02 * whole)


def misfit(tiles, found, true, whole):
    """RMS over all tiles' pixels of (s t + b) - (s* t + b*), by RANGE. found, true: (s, b) a tile."""
    squares, count = 0.0, 0
    for t, (s, b), (s_true, b_true) in zip(tiles, found, true):
        t = np.asarray(t, np.float64)
        squares += (((s - s_true) * t + (b - b_true)) ** 2).sum()
        count += t.size
    return float(np.sqrt(squares / max(count, 1)) / whole)


# ---- over the shot ----

def frame_fits(Ds, Ts, masks):
    """(s, b) of every frame on its own, T = s D + b -> array [N,2]."""
    return np.array([fit(D, T, mask) for D, T, mask in zip(Ds, Ts, masks)])


def drift(fits):
    """(std, slope a 100 frames) of log s over the shot: how the picture's scale wanders."""
    logs = np.log(np.maximum(np.asarray(fits)[:, 0], 1e-30))
    slope = np.polyfit(np.arange(len(logs)), logs, 1)[0] * 100 if len(logs) > 1 else 0.0
    return float(logs.std()), float(slope)


def drift_of_shift(fits, one, Ts, masks):
    """Std over frames of where the shot's median disparity is put, by RANGE. one: (s, b) of the whole shot's fit."""
    pooled = np.concatenate([T[mask] for T, mask in zip(Ts, masks)])
    level = (np.median(pooled) - one[1]) / one[0]  # the value that stands for it, in the picture's units
    low, high = np.percentile(pooled, [5, 95])
    return float(np.std([s * level + b for s, b in fits]) / (high - low))


def static_noise(Ds, masks):
    """Locked-off camera: median over pixels of std over time, by RANGE of all (a median depth may be 0)."""
    always = np.logical_and.reduce(masks)
    stack = np.stack([np.asarray(D, np.float64)[always] for D in Ds])
    low, high = np.percentile(stack, [5, 95])
    return float(np.median(stack.std(0)) / (high - low))


def _ray(camera, x, y):
    """Direction [.., 3] through the point (x, y) of the picture, 1 along forward."""
    right, up, forward = [np.array(camera[k]) for k in ("right", "up", "forward")]
    across = ((x - camera["cx"]) / camera["fx"])[..., None]
    down = ((y - camera["cy"]) / camera["fy"])[..., None]
    return forward + across * right - down * up


def depth_from(camera, other, x, y, d):
    """Planar depth in `other` of what `camera` sees at (x, y) in distance d."""
    point = np.array(camera["eye"]) + _ray(camera, x, y) * d[..., None]
    return (point - np.array(other["eye"])) @ np.array(other["forward"])


def _pairs(z, z_next, motion, mask, mask_next, camera, after):
    """Pixels of a frame and where they are, to the nearest pixel, in the next, occluded ones and movers left out."""
    h, w = z.shape
    y, x = np.nonzero(mask)
    i = np.round(x + motion[0][y, x]).astype(int)
    j = np.round(y + motion[1][y, x]).astype(int)
    keep = (i >= 0) & (i < w) & (j >= 0) & (j < h)
    y, x, i, j = y[keep], x[keep], i[keep], j[keep]
    moved = depth_from(camera, after, x + 0.5, y + 0.5, z[y, x].astype(np.float64))
    keep = mask_next[j, i] & (np.abs(moved / z_next[j, i] - 1) < 0.02)
    return y[keep], x[keep], j[keep], i[keep]


def tae(ds, zs, motions, masks, cameras):
    """100 / (2 (N - 1)) sum of AbsRel(frame brought to the next, next) + AbsRel(next brought back, frame), in percent.

    Places by the renderer's exact motion, depth by true pose: 0 for the truth, but for the rounding to pixels. ds: fitted
    distances; motions: (u, v) to the next frame; cameras: the records of camera.json."""
    total = 0.0
    for i in range(len(ds) - 1):
        y, x, j, k = _pairs(zs[i], zs[i + 1], motions[i], masks[i], masks[i + 1], cameras[i], cameras[i + 1])
        if len(y) == 0:
            continue
        here, there = ds[i][y, x].astype(np.float64), ds[i + 1][j, k].astype(np.float64)
        brought = depth_from(cameras[i], cameras[i + 1], x + 0.5, y + 0.5, here)
        back = depth_from(cameras[i + 1], cameras[i], k + 0.5, j + 0.5, there)
        total += (np.abs(brought - there) / there).mean() + (np.abs(back - here) / here).mean()
    return float(100 * total / (2 * max(len(ds) - 1, 1)))
