"""The quality bench's judgement: what misses a bound is told, and so is a measure that no baseline misses."""
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "tests/bench"), str(ROOT / "tests/oracle")]
import quality as q  # noqa: E402


def shot(camera="static", ours=None, **others):
    """A row whose methods have one drift and one static noise each; what is not told is steady."""
    def of(drift, noise):
        return {"drift": drift, "static noise": noise}
    methods = {"ours": of(*(ours or (0.0005, 0.010))), "best affine by frame": of(0, 0.010),
               "normalised by frame": of(0.05, 0.012), "whole frame as it comes": of(0.4, 0.2)}
    methods.update({k.replace("_", " "): of(*v) for k, v in others.items()})
    return {"camera": camera, "seed": 7, "methods": methods}


class Shots(unittest.TestCase):
    def judged(self, row):
        return [m[2] for m in q.judge_shot(row, q.SHOT_BOUNDS)]

    def test_a_steady_shot_beside_others_that_pulse_misses_nothing(self):
        self.assertEqual(self.judged(shot()), [])

    def test_what_is_beyond_its_bound_is_told_with_value_and_bound(self):
        self.assertEqual(q.judge_shot(shot(ours=(0.002, 0.010)), q.SHOT_BOUNDS), [("static", 7, "drift", 0.002, 0.001)])

    def test_noise_is_judged_by_that_of_the_best_affine(self):
        self.assertEqual(self.judged(shot(ours=(0.0005, 0.0109))), [])
        self.assertEqual(self.judged(shot(ours=(0.0005, 0.0112))), ["static noise / best"])

    def test_a_value_that_is_no_number_is_a_miss(self):
        self.assertEqual(self.judged(shot(ours=(float("nan"), 0.010))), ["drift"])

    def test_a_measure_that_every_baseline_meets_is_blind(self):
        row = shot(normalised_by_frame=(0.0001, 0.010), whole_frame_as_it_comes=(0.0001, 0.010))
        self.assertEqual([name.split(":")[1] for name in self.judged(row)], [" blind, baselines meet it too"] * 2)

    def test_where_something_enters_normalising_itself_must_miss(self):
        self.assertEqual(self.judged(shot("static entering")), [])
        told = self.judged(shot("static entering", normalised_by_frame=(0.0001, 0.012)))
        self.assertEqual(told, ["drift: blind, baselines meet it too"])

    def test_a_real_network_needs_no_baseline_that_pulses(self):
        row = shot(normalised_by_frame=(0.0001, 0.010))
        del row["methods"]["whole frame as it comes"]
        self.assertEqual(q.judge_shot(row, q.DEMO_SHOT_BOUNDS), [])


class Frames(unittest.TestCase):
    def row(self, size="4096x2160", **changed):
        good = {"seam median": 1.01, "seam p99": 1.1, "step median": 0.001, "step p99": 0.005, "scale error": 0.001,
                "misfit": 0.001, "absrel / whole": 0.3, "f1 / whole": 6}
        bad = dict(good, **{n: 9 for n in q.SEAMS})
        return {"seed": 7, "size": size, "ours": dict(good, **changed), "methods": {"tiles as they come": bad}}

    def test_a_good_frame_misses_nothing(self):
        self.assertEqual(q.judge_frame("straight", self.row()), [])

    def test_at_least_means_not_below(self):
        self.assertEqual(q.judge_frame("straight", self.row(**{"f1 / whole": 4.9})),
                         [("straight", 7, "f1 / whole at least", 4.9, 5)])

    def test_edges_are_judged_at_4k_alone(self):
        self.assertEqual(q.judge_frame("straight", self.row(size="2048x1080", **{"f1 / whole": 1.5})), [])

    def test_a_seam_measure_that_an_unaligned_blend_meets_is_blind(self):
        row = self.row()
        row["methods"]["tiles as they come"]["seam p99"] = 1.0
        self.assertEqual([m[2] for m in q.judge_frame("straight", row)], ["seam p99: blind, an unaligned blend meets it"])


class Forms(unittest.TestCase):
    def test_an_option_changes_one_number_of_the_form(self):
        args = type("Args", (), dict(form="quick", parts=None, size=None, forms=None, cameras="pan", frames=9))
        form = q.form_of(args)
        self.assertEqual((form.cameras, form.guide_frames, form.shot_frames), ("pan", 9, 9))
        self.assertEqual(form.parts, q.FORMS["quick"].parts)


if __name__ == "__main__":
    unittest.main()
