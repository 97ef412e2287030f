"""What our own parts cost: tiles without a network beside the network's
forwards, and the scene renderer."""
import json
from statistics import median

import networks
from figures import Figure, alternate
from process import run
from measure_small import TILE, bare_command, tiles_of


def _own_part(setting, frames):
    """CPU seconds a 2K frame spends between picture and depth when the network costs nothing: gather, checks, align,
    blend."""
    model = networks.fake(setting, "affine", TILE)
    plates = setting.plates("small", frames, "2048x1080")
    job = setting.job("parts", plates, frames, model)
    told = json.loads(run([setting.depthq, "run", job, "--json", "--progress", "plain", "--device", "cpu"],
                          env=setting.env()).out)
    return median(f["infer_seconds"] for f in told["frames"])


def _scenes(setting):
    """Frames a second and core of the renderer at the demo network's training size."""
    count = 40
    done = run(["sh", "-c", f"'{setting.scene}' --raw --scenes {count} --size 256x144 --threads 1 >/dev/null"],
               env=setting.env())
    return count / done.cpu


def measure(setting):
    rounds = 1 if setting.quick else 3
    model = networks.small(setting)

    def bare():
        return json.loads(run(bare_command(setting, model, 4), env=setting.env()).out)["wall"]

    answers = alternate(rounds, own=lambda: _own_part(setting, 2 if setting.quick else 8),
                        bare=bare, scenes=lambda: _scenes(setting))
    forwards = tiles_of(setting, setting.work / "out/parts/depth.1001.exr")
    share = median(own / (forwards * wall) for own, wall in zip(answers["own"], answers["bare"]))
    return [
        Figure("2K: gather, align and blend / bare Small forwards", share, detail=answers,
               note=f"{1e3 * median(answers['own']):.0f} ms a frame on one core beside {forwards} forwards"),
        Figure("depthq-scene --raw 256x144, one core", median(answers["scenes"]), unit="frames/s", at_least=50,
               note="frames by CPU second"),
    ]
