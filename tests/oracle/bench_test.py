"""The bench's arithmetic: no timing here, only numbers whose answer is known."""
import importlib
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.dont_write_bytecode = True
sys.path.insert(0, str(ROOT / "tests/bench"))

import figures  # noqa: E402
import process  # noqa: E402
import turns  # noqa: E402
from figures import MET, MISSED, TOLD, Figure  # noqa: E402


class Verdicts(unittest.TestCase):
    def test_a_value_on_its_bound_meets_it(self):
        self.assertEqual(Figure("f", 1.10, at_most=1.10).verdict, MET)
        self.assertEqual(Figure("f", 50, at_least=50).verdict, MET)

    def test_a_value_beyond_its_bound_misses_it(self):
        self.assertEqual(Figure("f", 1.1001, at_most=1.10).verdict, MISSED)
        self.assertEqual(Figure("f", 49.9, at_least=50).verdict, MISSED)

    def test_a_band_is_missed_on_either_side(self):
        band = {"at_least": 0.95, "at_most": 1.05}
        self.assertEqual([Figure("f", v, **band).verdict for v in (0.94, 0.95, 1.0, 1.05, 1.06)],
                         [MISSED, MET, MET, MET, MISSED])

    def test_what_was_not_measured_is_missed(self):
        self.assertEqual(Figure("f", None, at_most=1).verdict, MISSED)
        self.assertEqual(Figure("f", float("nan"), at_most=1).verdict, MISSED)

    def test_a_figure_without_a_goal_is_only_told(self):
        self.assertEqual(Figure("f", 3.0).verdict, TOLD)

    def test_one_miss_decides_the_exit_status_and_is_named(self):
        line, status = figures.closing([Figure("good", 1, at_most=1), Figure("bad", 2, at_most=1), Figure("told", 9)])
        self.assertEqual((line, status), ("1 goals met, 1 missed: bad", 1))
        self.assertEqual(figures.closing([Figure("good", 1, at_most=1)])[1], 0)


class Ratios(unittest.TestCase):
    def test_ratio_is_of_medians(self):
        self.assertEqual(figures.ratio([1, 2, 90], [4, 1, 100]), 0.5)

    def test_paired_ratio_compares_neighbours(self):
        # the machine is ten times slower in the second round: both ways see it
        self.assertAlmostEqual(figures.paired_ratio([1, 10, 1], [2, 20, 2]), 0.5)
        with self.assertRaises(ValueError):
            figures.paired_ratio([1], [1, 2])

    def test_ways_take_turns(self):
        told = []
        answers = figures.alternate(2, a=lambda: told.append("a") or len(told), b=lambda: told.append("b") or len(told))
        self.assertEqual(told, ["a", "b", "a", "b"])
        self.assertEqual(answers, {"a": [1, 3], "b": [2, 4]})

    def test_the_steady_state_leaves_out_the_first_frame(self):
        # the first settles after a long load, then one every two seconds at three CPU seconds
        done = process.Done(0, 0, 0, "", settled=[(100, 50), (102, 53), (104, 56)])
        self.assertEqual(process.steady(done), (2, 3))


class Quantiles(unittest.TestCase):
    def test_a_quantile_is_a_value_that_was_measured_and_so_many_are_not_above_it(self):
        quantile = importlib.import_module("measure_queue").quantile
        self.assertEqual([quantile(range(100, 0, -1), q) for q in (0, 0.5, 0.99, 1)], [1, 50, 99, 100])
        self.assertEqual([quantile([3, 1, 2], q) for q in (0.5, 0.99)], [2, 3])


class Tables(unittest.TestCase):
    def test_a_miss_stands_in_the_table_and_in_the_json(self):
        bad = Figure("bad", 2, at_most=1, note="why")
        self.assertRegex(figures.table([bad]), r"bad +2 +ratio +<= 1 +MISS")
        self.assertIn("bad: why", figures.table([bad]))
        self.assertEqual(json.loads(json.dumps(bad.as_json()))["verdict"], MISSED)

    def test_what_was_not_measured_says_so(self):
        self.assertIn("not measured", figures.table([Figure("f", None, at_most=1)]))


class Processes(unittest.TestCase):
    def test_cpu_and_memory_of_grandchildren_count(self):
        code = ("import subprocess, sys; subprocess.run([sys.executable, '-c', "
                "'x = bytearray(80 << 20); sum(range(3000000))'])")
        # from a process as large as the bench with its torch: a child inherits its parent's peak
        measure = ("import json, sys, process\n"
                   "large = bytearray(200 << 20)\n"
                   "told = [process.run([sys.executable, '-c', code]) for code in ('pass', sys.argv[1])]\n"
                   "print(json.dumps([[done.peak_mib, done.cpu] for done in told]))")
        out = subprocess.run([sys.executable, "-c", measure, code], capture_output=True, text=True, check=True,
                             env=os.environ | {"PYTHONPATH": str(Path(process.__file__).parent)}).stdout
        (alone, _), (peak, cpu) = json.loads(out)
        self.assertGreater(peak, 80)
        self.assertLess(alone, 80)
        self.assertGreater(cpu, 0)

    def test_a_failing_program_is_no_measurement(self):
        with self.assertRaisesRegex(RuntimeError, "out of ink"):
            process.run([sys.executable, "-c", "import sys; sys.exit('out of ink')"])

    def test_frames_that_settle_are_told_from_other_events(self):
        lines = [{"event": "survey", "state": "done"}, {"event": "frame", "state": "running"},
                 {"event": "frame", "state": "done"}, {"event": "frame", "state": "done"}]
        code = f"import sys; [print(l, file=sys.stderr) for l in {[json.dumps(l) for l in lines]!r}]"
        self.assertEqual(len(process.run([sys.executable, "-c", code]).settled), 2)


class Turns(unittest.TestCase):
    """Two programs that note when they run."""

    def take(self, folder, *codes):
        begin = "import sys, time\nlog = open(sys.argv[1], 'a')\n"
        return turns.take_turns(slice_s=0.5, **{f"p{i}": [sys.executable, "-c", begin + code, f"{folder}/log"]
                                                for i, code in enumerate(codes)})

    def test_one_stands_still_while_the_other_runs(self):
        code = "for i in range(100): print('{}', time.monotonic(), file=log, flush=True); time.sleep(0.02)"
        with tempfile.TemporaryDirectory() as folder:
            begun = time.monotonic()
            done = self.take(folder, code.format("a"), code.format("b"))
            took = time.monotonic() - begun
            order = [line.split()[0] for line in Path(folder, "log").read_text().splitlines()]
        self.assertEqual((order.count("a"), order.count("b")), (100, 100))
        changes = sum(x != y for x, y in zip(order, order[1:]))
        self.assertTrue(2 <= changes < 80, f"{changes} changes: not in turns")  # 150 side by side
        self.assertLessEqual(done["p0"].wall + done["p1"].wall, took, "a clock ran while its program stood still")

    def test_what_a_program_has_started_stands_still_with_it(self):
        child = "for i in range(80): print('child', file=log, flush=True); time.sleep(0.02)"
        parent = f"import subprocess\nsubprocess.run([sys.executable, '-c', \"import sys, time\\nlog = open(sys.argv[1], 'a')\\n{child}\", sys.argv[1]])"
        other = "for i in range(80): print('other', file=log, flush=True); time.sleep(0.02)"
        with tempfile.TemporaryDirectory() as folder:
            self.take(folder, parent, other)
            order = Path(folder, "log").read_text().split()
        self.assertLess(sum(x != y for x, y in zip(order, order[1:])), 45, "they ran side by side")  # some 100 then

    def test_one_that_fails_is_told_when_all_have_ended(self):
        with tempfile.TemporaryDirectory() as folder, self.assertRaisesRegex(RuntimeError, "out of ink"):
            self.take(folder, "sys.exit('out of ink')", "print('end', file=log)")


class WholeRun(unittest.TestCase):
    def run_bench(self, folder):
        """run.py with one measurement, of a build that has no programs."""
        return subprocess.run([sys.executable, ROOT / "tests/bench/run.py", folder, "--only", "start", "--work", folder],
                              capture_output=True, text=True, check=False, env=os.environ)

    def test_a_measurement_that_fails_is_a_miss_with_its_cause(self):
        with tempfile.TemporaryDirectory() as folder:
            done = self.run_bench(folder)
            results = json.loads(Path(folder, "results-start.json").read_text())
            self.assertFalse(Path(folder, "results.json").exists(), "a part would stand for the whole")
        self.assertEqual(done.returncode, 1)
        self.assertIn("0 goals met, 1 missed: start", done.stdout)
        self.assertEqual(results["figures"][0]["verdict"], MISSED)
        self.assertIn("FileNotFoundError", results["figures"][0]["note"])

    def test_every_measurement_can_be_loaded(self):
        run = importlib.import_module("run")
        for name in run.MEASUREMENTS:
            with self.subTest(name=name):
                self.assertTrue(callable(importlib.import_module(f"measure_{name}").measure))


if __name__ == "__main__":
    unittest.main()
