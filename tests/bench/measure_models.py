"""Models: how long verify takes on the CPU, and stale over 100,000 frames of
which nothing changed."""
import json
import os
import shutil
import subprocess
from statistics import median

import networks
from figures import Figure
from process import run
from setting import ROOT

RECORD = "depth/.depthq/d.@@@@@@.exr/done/{}.json"
LINKS = 20000  # of one file: a file system may not take more than some 65,000
JOB = """depthq: 1
plate: plate/p.######.exr
frames: 1-{}
model: {}
output:
  path: depth/d.######.exr
"""


def _verify(setting, library):
    env = setting.env(DEPTHQ_MODELS=str(library))
    return run([setting.depthq, "models", "verify", "demo-depth", "--json"], env=env)


def verify(setting):
    library = setting.work / "verify"
    shutil.rmtree(library, ignore_errors=True)
    shutil.copytree(ROOT / "models", library)
    done = [_verify(setting, library) for _ in range(1 if setting.quick else 3)]
    report = json.loads(done[0].out)[0]
    detail = {"wall s": [d.wall for d in done], "cpu s": [d.cpu for d in done], "measures": report["measures"],
              **{key: report[key] for key in ("batch_apart", "place_apart", "golden_apart")}}
    return [Figure("verify demo-depth on the CPU", median(d.wall for d in done), unit="s", at_most=10, detail=detail,
                   note=f"whole command, {report['device']}, peak {report['peak_bytes'] / 2**20:.0f} MiB; "
                        f"in a batch {report['batch_apart']:.2g} of the range from alone, {report['place_apart']:.2g} beside others")]


def _shot(setting, frames):
    """A job all of whose frames are made and known -> its folder. A few are made by depthq; the others are links to
    these, with the records that they would have: plates of the same content have the same fingerprint."""
    folder = setting.work / f"known-{frames}"
    if (folder / "ready").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    (folder / "plate").mkdir(parents=True)
    (folder / "net.fake").write_bytes(networks.fake(setting, "identity", 56).read_bytes())
    setting.run_plain(setting.scene, folder / "made", "--seed", 7, "--frames", "1", "--size", "160x96")
    made = max(2, -(-frames // LINKS))
    for frame in range(1, made + 1):
        shutil.copy(folder / "made/plate.0001.exr", folder / f"plate/p.{frame:06}.exr")
        os.utime(folder / f"plate/p.{frame:06}.exr", (1.7e9, 1.7e9))  # old enough not to be taken for still growing
    for frame in range(made + 1, frames + 1):
        os.link(folder / f"plate/p.{frame % made + 1:06}.exr", folder / f"plate/p.{frame:06}.exr")
    (folder / "shot.yaml").write_text(JOB.format(frames, "./net.fake"))
    setting.run_plain(setting.depthq, "run", "shot.yaml", "--frames", f"1-{made}", cwd=folder, stderr=subprocess.DEVNULL)
    records = {f: (folder / RECORD.format(f)).read_text() for f in range(1, made + 1)}
    for frame in range(made + 1, frames + 1):
        like = frame % made + 1
        os.link(folder / f"depth/d.{like:06}.exr", folder / f"depth/d.{frame:06}.exr")
        record = json.loads(records[like].splitlines()[0]) | {"frame": frame}
        (folder / RECORD.format(frame)).write_text(json.dumps(record, separators=(",", ":")) + "\n")
    (folder / "ready").touch()
    return folder


def stale(setting):
    frames = 10000 if setting.quick else 100000
    fresh = f"shot.yaml: 0 of {frames} frames are stale"
    folder = _shot(setting, frames)
    ask = lambda: run([setting.depthq, "stale", "shot.yaml"], env=setting.env(), cwd=folder)
    if fresh not in ask().out:  # it was made by a depthq that made other pixels
        (folder / "ready").unlink()
        _shot(setting, frames)
    first = ask()
    if fresh not in first.out:
        raise RuntimeError(first.out[-300:])
    done = [ask() for _ in range(1 if setting.quick else 5)]
    detail = {"wall s": [d.wall for d in done], "cpu s": [d.cpu for d in done]}
    return [Figure(f"stale over {frames} frames, none changed", median(d.wall for d in done), unit="s",
                   at_most=None if setting.quick else 2, detail=detail,
                   note=f"CPU {median(d.cpu for d in done):.2f} s on {setting.cores} cores")]


def measure(setting):
    return verify(setting) + stale(setting)
