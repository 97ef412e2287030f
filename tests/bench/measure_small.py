"""Depth Anything V2 Small's architecture on 2K plates: what depthq costs above
bare forwards, and against a Python loop. The three take turns of seconds.
"""
import json
import re
import subprocess
import sys

import networks
from figures import Figure
from process import steady
from setting import ROOT
from turns import SLICE_S, take_turns

TILE, OVERLAP = networks.SMALL_SIZE, 126  # tiles.overlap 0.25 of 518, in whole patches


def tiles_of(setting, depth_file):
    """Tiles of a frame, as its header tells. Its guide is one forward more, at the only size that the network takes;
    in a shot as short as this the survey has asked for it, before the steady state."""
    inspected = subprocess.run([setting.depthq, "inspect", "--json", depth_file], capture_output=True, text=True,
                               check=True).stdout
    columns, rows, size, overlap = map(int, re.search(r"(\d+)x(\d+) of (\d+)x\d+ overlap (\d+)", inspected).groups())
    if (size, overlap) != (TILE, OVERLAP):
        raise AssertionError(f"tiles of {size} with overlap {overlap}: the loop would do other work")
    return columns * rows


def bare_command(setting, model, forwards):
    """One forward after the other in depthq's own thread, allocator and graph settings; tells its medians as JSON."""
    return [setting.tools / "net_time", model, "cpu", setting.cores, 1, TILE, TILE, forwards]


def measure(setting):
    frames, size, bare_forwards = (2, "1040x600", 6) if setting.quick else (8, "2048x1080", 100)
    model = networks.small(setting)
    plates = setting.plates("small", frames, size)
    job = setting.job("small", plates, frames, model)
    done = take_turns(
        setting.env(),
        depthq=[setting.depthq, "run", job, "--progress", "json", "--device", "cpu"],
        loop=[sys.executable, ROOT / "tests/bench/loop.py", model, plates, f"1001-{1000 + frames}",
              setting.work / "out/loop", TILE, OVERLAP, setting.cores],
        bare=bare_command(setting, model, bare_forwards))
    ours, loop, bare = done["depthq"], done["loop"], json.loads(done["bare"].out)
    tiles = tiles_of(setting, setting.work / "out/small/depth.1001.exr")
    wall, cpu = steady(ours)
    detail = {"frames": frames, "size": size, "tiles a frame": tiles, "steady s a frame": [wall, cpu], "bare forward s": bare,
              "whole s": {"depthq": ours.wall, "loop": loop.wall}, "cpu s": {"depthq": ours.cpu, "loop": loop.cpu}}
    whole_goal = None if setting.quick else 1.10  # two small frames are over before the start is paid for
    return [
        Figure("Small 2K: whole run / bare forwards, wall", ours.wall / (frames * (tiles + 1) * bare["wall"]),
               at_most=whole_goal, detail=detail,
               note=f"start, load and survey included; {frames} frames of {tiles} tiles and a guide; bare: the same graph, "
                    f"allocator and threads; all in turns of {SLICE_S} s"),
        Figure("Small 2K: steady state / bare forwards, wall", wall / (tiles * bare["wall"]), at_most=1.10,
               note=f"from the first to the last frame settled, {tiles} forwards each"),
        Figure("Small 2K: steady state / bare forwards, CPU", cpu / (tiles * bare["cpu"])),
        Figure("Small 2K: depthq / Python loop, wall", ours.wall / loop.wall, at_most=1.0,
               note="whole processes, start-up and load included, in turns"),
        Figure("Small 2K: depthq / Python loop, CPU", ours.cpu / loop.cpu),
    ]
