"""scripts/export_model.py --format aoti: native code answers what the network
does, in torch and in depthq, and says what it is for.
"""
import hashlib
import importlib.util
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
HAVE_TORCH = importlib.util.find_spec("torch") is not None and "notorch" not in BUILD.name
COMPILER = shutil.which(os.environ.get("CXX", "g++"))
USAGE, DATA = 2, 65
SAME = 1e-5  # of the range; 2.8e-7 is the most that was seen

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
import exr_file  # noqa: E402
import export_test  # noqa: E402
import numpy as np  # noqa: E402
from fastdepth_test import net_run  # noqa: E402

if HAVE_TORCH:
    import torch
    from modelkit import artifact


def changed(data, ending, change):
    """The package with the member whose path ends so put through change(bytes)."""
    reader = torch._C.PyTorchFileReader(io.BytesIO(data))
    out = io.BytesIO()
    writer = torch._C.PyTorchFileWriter(out)
    hits = 0
    for name in sorted(reader.get_all_records(), key=lambda n: (not n.startswith("extra/"), n)):
        if name not in ("version", ".data/serialization_id"):
            record = reader.get_record(name)
            if name.endswith(ending):
                record, hits = change(record), hits + 1
            writer.write_record(name, record, len(record))
    writer.write_end_of_file()
    if hits != 1:
        raise AssertionError(f"{hits} members end in {ending}")
    return out.getvalue()


def with_key(**more):
    """A JSON member with other values."""
    return lambda record: json.dumps(json.loads(record) | more).encode()


@unittest.skipUnless(HAVE_TORCH and COMPILER, "needs a build with TORCH=1, a Python with torch, and a C++ compiler")
class Packages(export_test.Exporting):
    """One is compiled, which takes half a minute; each test looks at it, or at what it becomes."""
    made = None

    def setUp(self):
        super().setUp()
        self.write()
        if Packages.made is None:
            manifest, path = self.exported(more=("--format", "aoti", "--size", "32x48", "--batch", "2"))
            Packages.made = manifest, path.name, path.read_bytes(), self.said
        self.manifest, self.file, self.data, self.told = Packages.made

    def models(self, *words):
        return subprocess.run([BUILD / "bin/depthq", "models", *words, "--library", self.folder / "farm"], cwd=self.folder,
                              capture_output=True, text=True, timeout=600, check=False)

    def verify(self, data):
        """Bytes become a version of the farm's, which is verified -> (exit status, report)."""
        (self.folder / "net.pt2").write_bytes(data)
        added = self.models("add", "net.pt2")
        self.assertEqual(added.returncode, 0, added.stderr)
        done = self.models("verify", "tiny", "--json")
        self.assertTrue(done.stdout, done.stderr)
        return done.returncode, json.loads(done.stdout)[0]

    def fails(self, data, *words):
        status, report = self.verify(data)
        self.assertEqual((status, report["passed"]), (DATA, False), report)
        for word in words:
            self.assertIn(word, report["text"])

    def test_the_contract_declares_what_was_compiled_in(self):
        self.assertEqual(self.file, f"{hashlib.sha256(self.data).hexdigest()}.pt2")
        says = self.manifest["contract"]
        self.assertEqual((says["runtime"], says["input"]["size"], says["input"]["batch"]), ("aoti", {"fixed": [32, 48]}, 2))
        self.assertIn("compiled for 32x48 in batches of 2", self.told)
        self.assertIn("sizes 32x48; batches 2", self.told)

    def test_depthq_answers_as_the_eager_network_did(self):
        status, report = self.verify(self.data)
        self.assertEqual((status, report["passed"]), (0, True), report)
        self.assertLess(report["golden_apart"], 1e-5)

    # ---- the same network as TorchScript ------------------------------------------

    def both(self):
        """Paths of net.pt and net.pt2: one network, one set of weights, two kinds of artefact."""
        _, script = self.exported("tiny@2.0.0", more=("--size", "32x48", "--version", "2.0.0"))  # the first test has tiny@1.0.0
        paths = self.folder / "net.pt", self.folder / "net.pt2"
        paths[0].write_bytes(script.read_bytes())
        paths[1].write_bytes(self.data)
        return paths

    def apart(self, one, other):
        """The greatest difference, as a share of the first one's range."""
        self.assertGreater(np.ptp(one), 0)
        return np.abs(one - other).max() / np.ptp(one)

    def test_it_answers_number_for_number_what_the_torchscript_does(self):
        script, package = self.both()
        rng = np.random.default_rng(5)
        for seed in range(3):
            given = rng.normal(0, 1 + seed, (2, 3, 32, 48)).astype(np.float32)
            want, got = net_run(script, given), net_run(package, given)
            self.assertLess(self.apart(want, got), SAME)
            self.assertGreater(self.apart(want[:1], got[1:]), 100 * SAME, "pictures that look alike prove nothing")

    def test_a_job_gets_the_depth_that_the_torchscript_makes(self):
        subprocess.run([BUILD / "bin/depthq-scene", self.folder / "plate", "--frames", "1001-1002", "--size", "80x48", "--seed", "7"],
                       check=True)
        planes = []
        for path in self.both():
            (self.folder / "shot.yaml").write_text(
                f"depthq: 1\nplate: plate/plate.####.exr\nmodel: ./{path.name}\nretries: 0\ntiles: {{batch: 2}}\n"
                f"output: {{path: {path.suffix[1:]}/d.####.exr}}\n")
            done = subprocess.run([BUILD / "bin/depthq", "run", "shot.yaml", "--device", "cpu", "--progress", "plain"], cwd=self.folder,
                                  capture_output=True, text=True, timeout=300, check=False)
            self.assertEqual(done.returncode, 0, done.stderr)
            planes.append([exr_file.pixels(exr_file.parse(self.folder / f"{path.suffix[1:]}/d.{frame}.exr")[0])["Z"] for frame in (1001, 1002)])
        for want, got in zip(*planes):
            self.assertLess(self.apart(want, got), SAME)
        self.assertGreater(self.apart(planes[0][0], planes[1][1]), 100 * SAME)

    def test_another_golden_answer_is_seen(self):
        self.fails(changed(self.data, "depthq-golden.bin", lambda tile: tile[:-1] + bytes([tile[-1] ^ 1])), "golden tile")

    def test_a_contract_of_another_size_reads_nothing_beyond_the_picture(self):
        says = self.manifest["contract"]
        for given in ({"size": {"fixed": [16, 16]}}, {"batch": 1}):
            with self.subTest(given):
                shutil.rmtree(self.folder / "farm", ignore_errors=True)
                self.fails(changed(self.data, "depthq.json", with_key(input=says["input"] | given)), "input")

    @unittest.skipUnless(platform.machine() == "x86_64", "the table of instruction sets is x86-64's")
    def test_code_for_a_machine_that_is_not_here_is_refused_before_it_runs(self):
        self.fails(changed(self.data, "wrapper_metadata.json", with_key(AOTI_DEVICE_KEY="cuda")), "compiled for cuda, not for cpu")
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            if "avx512f" in file.read():
                self.skipTest("this processor has all instruction sets that are known")
        shutil.rmtree(self.folder / "farm")
        self.fails(changed(self.data, "wrapper_metadata.json", with_key(AOTI_CPU_ISA="AVX512")), "AVX512, which this one has not")

    def test_what_is_no_package_is_told(self):
        says = self.manifest["contract"]
        net = torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1)))
        self.fails(artifact.archive_bytes(net, says), "no whole package of torch.export")

    def test_options_that_do_not_go_together(self):
        for more, words in ((("--batch", "2"), "--batch and --march"), (("--march", "x86-64-v4"), "--batch and --march")):
            self.refused(words, status=USAGE, more=more)
        self.refused("--march is for --format aoti", status=USAGE, more=("--format", "trt", "--march", "x86-64-v4"))
        torch.jit.save(torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1))), self.folder / "n.pt")
        status = self.call("--archive", self.folder / "n.pt", "--contract", self.folder / "net.json", "--format", "aoti")
        self.assertEqual(status, USAGE)
        self.assertIn("compiles from the source", self.erred)


if __name__ == "__main__":
    unittest.main()
