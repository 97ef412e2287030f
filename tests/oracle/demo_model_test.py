"""The demonstration network that ships is as good as its card says."""
import importlib.util
import json
import os
import re
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name


def manifest():
    (found,) = (ROOT / "models").glob("demo-depth@*.json")
    return json.loads(found.read_text())


class DemoModel(unittest.TestCase):
    def test_artefact_is_small(self):
        said = manifest()
        self.assertEqual((ROOT / "models" / said["file"]).stat().st_size, said["bytes"])
        self.assertLessEqual(said["bytes"], 3_000_000)

    @unittest.skipUnless(HAVE_TORCH, "needs a Python with torch")
    def test_held_out_worlds_come_out_as_the_card_says(self):
        said = subprocess.run([sys.executable, ROOT / "scripts/train_demo_model.py", "--scene", BUILD / "bin/depthq-scene",
                               "--evaluate", ROOT / "models" / manifest()["file"]],
                              check=True, capture_output=True, text=True).stdout
        worlds, ours, ramp = re.search(r"(\d+) held-out worlds at 518x518: AbsRel ([0-9.]+) .*ramp ([0-9.]+),", said).groups()
        card = (ROOT / "models/demo-depth.md").read_text()
        card_ours = re.search(r"\| demo-depth \| ([0-9.]+)", card)[1]
        card_ramp = re.search(r"\| best vertical ramp.*\| ([0-9.]+) \|", card)[1]
        self.assertEqual(int(worlds), 20)
        self.assertLessEqual(float(ours), float(ramp) / 3)
        self.assertAlmostEqual(float(ours), float(card_ours), delta=0.002)
        self.assertAlmostEqual(float(ramp), float(card_ramp), delta=0.002)


if __name__ == "__main__":
    unittest.main()
