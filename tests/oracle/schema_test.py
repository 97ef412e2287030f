"""The JSON Schema of job files against Python's jsonschema, and against what
`depthq validate` says of the same files.

The schema is for editors. It must accept every job that depthq accepts, and
what it refuses depthq must refuse too; rules that bind several keys are
depthq's alone. YAML is read as editors read it: 1.2, core schema.

DEPTHQ_BUILD is the build to test (make sets it).
"""
import json
import os
import re
import subprocess
import tempfile
import unittest
from pathlib import Path

import jsonschema
import yaml

ROOT = Path(__file__).resolve().parents[2]
BUILD = Path(os.environ.get("DEPTHQ_BUILD", ROOT / "build/release"))
DEPTHQ = str(BUILD / "bin/depthq")

LEAST = """\
depthq: 1
plate: plate/a.####.exr
model: demo
output:
  path: out/a.####.exr
"""

# More lines below LEAST; depthq and the schema accept each.
GOOD = """
name: sh010_depth.v2
name: 010
name: "010"
frames: 1001
frames: 1001-1240x2,1300
frames: -5--1
  mode: separate
  mode: part
  mode: "channel"
  channel: depth.Z
  type: half
  compression: htj2k
  compression: zstd
  existing: fail
  mask: true
depth: {kind: distance, near: 0.5, far: 1e3}
depth: {near: 1, far: 2.5}
depth: {}
input: {part: beauty, view: left, layer: diffuse}
input: {colorspace: ACES - ACEScg}
input: {exposure: auto}
input: {exposure: -1.5}
input: {exposure: 0, tonemap: clip}
tiles: {size: auto}
tiles: {size: whole}
tiles: {size: 518, overlap: 0, batch: 4}
tiles: {overlap: 0.5, batch: auto, align: off}
stabilize: off
priority: 0
priority: 100
retries: 20
""".strip("\n").split("\n")

# One key wrong by itself; depthq and the schema refuse each.
BAD = """
fraems: 1001
depthq: [1]
name: a b
name: ""
name: {a: 1}
frames: [1, 2]
frames: true
frames: ""
  frames: 1
  mode: sperate
  mode: 1
  mask: yes
  mask: 1
  mask: "true"
  channel: ""
  channel: [Z]
  type: double
  compression: b44
  existing: skip
depth: auto
depth: {kind: disparity}
depth: {near: 0, far: 1}
depth: {near: -1, far: 1}
depth: {near: "1", far: 2}
depth: {near: 1, far: 1e10}
depth: {nera: 1, far: 2}
input: [part]
input: {exposure: bright}
input: {exposure: 33}
input: {exposure: "1"}
input: {tonemap: filmic}
input: {part: ""}
tiles: {size: 8}
tiles: {size: 0}
tiles: {size: -1}
tiles: {size: 518.5}
tiles: {size: half}
tiles: {overlap: 0.51}
tiles: {overlap: -0.1}
tiles: {overlap: auto}
tiles: {batch: 0}
tiles: {batch: whole}
tiles: {align: on}
stabilize: frame
priority: 101
priority: -1
priority: 0.5
priority: high
retries: 21
retries: null
retries: ~
retries:
""".strip("\n").split("\n")


class Core(yaml.SafeLoader):
    """YAML 1.2's core schema."""

    yaml_implicit_resolvers = {}


for tag, pattern, first in (
    ("null", r"~|null|Null|NULL|", "~nN\0"),
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?"
     r"|[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)", "-+.0123456789"),
):
    Core.add_implicit_resolver(
        f"tag:yaml.org,2002:{tag}", re.compile(f"^(?:{pattern})$"),
        [c if c != "\0" else "" for c in first])


def construct_number(loader, node):
    text = loader.construct_scalar(node)
    return int(text, 0 if text[:2] in ("0o", "0x") else 10)


def construct_real(loader, node):
    return float(loader.construct_scalar(node).replace(".inf", "inf")
                 .replace(".nan", "nan"))


Core.add_constructor("tag:yaml.org,2002:int", construct_number)
Core.add_constructor("tag:yaml.org,2002:float", construct_real)


def printed_schema():
    return subprocess.run([DEPTHQ, "schema"], check=True,
                          capture_output=True, text=True).stdout


def depthq_accepts(text):
    run = subprocess.run([DEPTHQ, "validate", "--json", "-"], input=text,
                         capture_output=True, text=True)
    verdict = json.loads(run.stdout)
    assert run.returncode == (0 if verdict["ok"] else 65), run
    return verdict["ok"], verdict["problems"]


class Schema(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = json.loads(printed_schema())
        cls.validator = jsonschema.Draft7Validator(cls.schema)

    def schema_accepts(self, text):
        return self.validator.is_valid(yaml.load(text, Core))

    def test_it_is_a_draft_07_schema(self):
        self.assertEqual(self.schema["$schema"],
                         "http://json-schema.org/draft-07/schema#")
        jsonschema.Draft7Validator.check_schema(self.schema)

    def test_the_committed_one_is_the_same(self):
        committed = (ROOT / "schemas/job.schema.json").read_text()
        self.assertEqual(committed, printed_schema())

    def test_both_accept_what_is_right(self):
        for more in [""] + GOOD:
            text = LEAST + more + "\n"
            with self.subTest(more):
                self.assertEqual(depthq_accepts(text), (True, []))
                self.assertTrue(self.schema_accepts(text))

    def test_both_refuse_what_is_wrong_in_one_key(self):
        for more in BAD:
            text = LEAST + more + "\n"
            with self.subTest(more):
                self.assertFalse(depthq_accepts(text)[0])
                self.assertFalse(self.schema_accepts(text))

    def test_both_want_the_needed_keys(self):
        output = "output:\n  path: out/a.####.exr\n"
        lines = [line + "\n" for line in LEAST.splitlines()[:3]] + [output]
        for line in lines:
            text = LEAST.replace(line, "")
            with self.subTest(line):
                self.assertNotEqual(text, LEAST)
                self.assertFalse(depthq_accepts(text)[0])
                self.assertFalse(self.schema_accepts(text))

    def test_every_default_may_be_written_out(self):
        job = yaml.load(LEAST, Core)
        written = 0
        for key, value in self.schema["properties"].items():
            if "default" in value:
                job[key] = value["default"]
            for inner, described in value.get("properties", {}).items():
                if "default" in described:
                    job.setdefault(key, {})[inner] = described["default"]
                    written += 1
        self.assertGreater(written, 10)
        self.validator.validate(job)
        self.assertEqual(depthq_accepts(json.dumps(job, indent=1)),
                         (True, []))

    def test_every_key_is_in_the_manual(self):
        manual = (ROOT / "docs/job-file.md").read_text()
        for key, value in self.schema["properties"].items():
            for inner in value.get("properties", {key: None}):
                self.assertIn(f"\n| `{inner}` | ", manual)

    def test_a_job_written_as_json_is_a_job(self):
        job = {"depthq": 1, "plate": "a.####.exr", "model": "m",
               "output": {"path": "b.####.exr", "mask": False},
               "tiles": {"size": "whole", "overlap": 0.25}, "retries": 3}
        self.validator.validate(job)
        self.assertTrue(depthq_accepts(json.dumps(job))[0])

    def test_a_file_is_judged_as_standard_input_is(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "shot.yaml"
            path.write_text(LEAST)
            run = subprocess.run([DEPTHQ, "validate", "--quiet", str(path)])
            self.assertEqual(run.returncode, 0)


if __name__ == "__main__":
    unittest.main()
