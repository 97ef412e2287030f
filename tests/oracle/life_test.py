"""The life of a model, end to end with nothing faked: exported, taken in,
verified, promoted, used by the queue, pulled by an artist; then a new version
comes, is compared and promoted, and exactly what the old one made is made again.
"""
import importlib.util
import json
import os
import subprocess
import sys
import time
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name

sys.dont_write_bytecode = True
sys.path.insert(0, str(Path(__file__).resolve().parent))
import export_test  # noqa: E402

JOB = "depthq: 1\nname: sh010\nplate: plate/plate.####.exr\nmodel: {}\noutput: {{path: {}/d.####.exr}}\n"


@unittest.skipUnless(HAVE_TORCH, "needs a build with TORCH=1 and a Python with torch")
class Life(export_test.Exporting):
    def setUp(self):
        super().setUp()
        self.env = os.environ | {"DEPTHQ_MODELS": str(self.folder / "farm"), "DEPTHQ_STATE": str(self.folder / "state"),
                                 "XDG_DATA_HOME": str(self.folder / "data")}
        for name in ("DEPTHQ_SOCKET", "DEPTHQ_SERVER", "XDG_RUNTIME_DIR"):
            self.env.pop(name, None)
        subprocess.run([BUILD / "bin/depthq-scene", self.folder / "plate", "--frames", "1001-1003", "--size", "96x64", "--seed", "7"],
                       check=True)
        for plate in (self.folder / "plate").iterdir():
            os.utime(plate, (1.7e9, 1.7e9))  # old enough not to be taken for still growing
        (self.folder / "shot.yaml").write_text(JOB.format("tiny@prod", "depth"))

    def depthq(self, *words, status=0):
        done = subprocess.run([BUILD / "bin/depthq", *map(str, words)], cwd=self.folder, env=self.env, capture_output=True, text=True,
                              timeout=300, check=False)
        self.assertEqual(done.returncode, status, f"{words}: {done.stdout}{done.stderr}")
        return done.stdout

    def start_daemon(self):
        daemon = subprocess.Popen([BUILD / "bin/depthqd", "-q", "--device", "cpu", "--threads", "1"], cwd=self.folder, env=self.env)
        self.addCleanup(daemon.wait)
        self.addCleanup(daemon.kill)
        for _ in range(600):
            if subprocess.run([BUILD / "bin/depthq", "workers"], env=self.env, capture_output=True, check=False).returncode == 0:
                return
            time.sleep(0.1)
        self.fail("depthqd does not answer")

    def take_in(self, version, weights):
        """A version from weights to verified, as a model maker does it."""
        self.write(weights=weights)
        self.assertEqual(self.export("--version", version), 0, self.erred)
        self.depthq("models", "add", "--from-export", self.library)
        self.depthq("models", "verify", f"tiny@{version}")

    def digests(self, folder):
        return {path.name: path.read_bytes() for path in sorted((self.folder / folder).glob("*.exr"))}

    def versions(self):
        """{version: frames made, as the daemon counts}"""
        return {m["version"]: m["frames"] for m in json.loads(self.depthq("models", "list", "tiny", "--json"))}

    def test_from_the_checkpoint_to_the_frame_and_back(self):
        self.start_daemon()
        self.take_in("1.0.0", export_test.state(1))
        self.depthq("models", "alias", "tiny@prod=1.0.0")
        self.depthq("submit", "shot.yaml", "--watch")
        self.depthq("pull", "shot.yaml", "--to", "artist")
        self.assertEqual(self.digests("artist"), self.digests("depth"))
        self.assertEqual(len(self.digests("depth")), 3)
        self.assertIn("first 1001", (self.folder / "artist/d.nk").read_text())
        self.assertIn("tiny", self.depthq("inspect", "artist/d.1001.exr"))
        self.assertIn("0 of 3 frames are stale", self.depthq("stale", "shot.yaml"))

        self.take_in("2.0.0", export_test.state(2))
        self.assertIn("0 of 3 frames are stale", self.depthq("stale", "shot.yaml"))  # prod has not moved yet
        (self.folder / "new.yaml").write_text(JOB.format("tiny@2.0.0", "new"))
        self.depthq("run", "new.yaml", "--device", "cpu", "--threads", "1")
        compared = json.loads(self.depthq("compare", "shot.yaml", "new.yaml", "--json"))
        self.assertEqual(len(compared["frames"]), 3)
        self.depthq("models", "alias", "tiny@prod=2.0.0")

        old = self.digests("depth")
        stale = self.depthq("stale", "shot.yaml")
        self.assertIn("model changed: 1001-1003 (made by tiny@1.0.0, now tiny@2.0.0)", stale)
        self.depthq("reprocess", "shot.yaml", "--wait")
        self.assertIn("0 of 3 frames are stale", self.depthq("stale", "shot.yaml"))
        self.depthq("pull", "shot.yaml", "--to", "artist")
        self.assertEqual(self.digests("artist"), self.digests("depth"))
        self.assertFalse(set(old.values()) & set(self.digests("artist").values()), "a frame of the old version is left")
        history = self.depthq("history", "depth/d.1001.exr")
        self.assertLess(history.index("tiny@2.0.0"), history.index("tiny@1.0.0"))
        self.assertEqual(self.versions(), {"1.0.0": 3, "2.0.0": 3})


if __name__ == "__main__":
    unittest.main()
