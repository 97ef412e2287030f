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

sys.dont_write_bytecode = True
sys.path[:0] = [str(ROOT / "scripts"), str(Path(__file__).resolve().parent)]
import export_test  # noqa: E402

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
        torch.jit.save(torch.jit.script(torch.nn.Sequential(torch.nn.Conv2d(3, 1, 1))), self.folder / "n.pt")
        status = self.call("--archive", self.folder / "n.pt", "--contract", self.folder / "net.json", "--format", "aoti")
        self.assertEqual(status, USAGE)
        self.assertIn("compiles from the source", self.erred)


if __name__ == "__main__":
    unittest.main()
