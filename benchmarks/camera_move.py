"""Camera Move on a 1920x1080 still, 4 s at 24 fps: wall time, CPU time, and how long Blender's main thread is held.

Runs inside Blender's Python; `dev.py bench camera-move` starts it and prints the table. The engine is warm: one whole
job runs first and is not counted. Values are medians over the runs, except where it says worst.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import bpy
import studio
from PIL import Image

WIDTH, HEIGHT, FPS, SECONDS = 1920, 1080, 24, 4


def main(package: str, engine: str, photo: str, runs: int, out: Path) -> None:
    """Writes out/bench.json: rows of [what, value, unit, goal]."""
    still = out / "still.png"
    with Image.open(photo) as opened:
        # Cut to 16:9 and enlarged: the goals speak of a still of exactly this size.
        cut = opened.convert("RGB").resize((WIDTH, HEIGHT), Image.Resampling.LANCZOS, cropped_to(opened.size))
    cut.save(still)
    studio.install(package, engine, out / "clips")
    scene, _ = studio.timeline(str(still), WIDTH, HEIGHT, FPS, SECONDS)
    one_run(scene)
    measured = [one_run(scene) for _ in range(runs)]
    (out / "bench.json").write_text(json.dumps(table(measured), indent=1), encoding="utf-8")


def cropped_to(size: tuple[int, int]) -> tuple[float, float, float, float]:
    """The largest centred box of the still's aspect in a picture of that size."""
    scale = min(size[0] / WIDTH, size[1] / HEIGHT)
    left, top = (size[0] - WIDTH * scale) / 2, (size[1] - HEIGHT * scale) / 2
    return left, top, left + WIDTH * scale, top + HEIGHT * scale


def one_run(scene: Any) -> dict[str, float]:
    """From the click to the strip; the clip is removed again afterwards."""
    pumps: list[float] = []
    cpu = children_cpu_seconds()
    started = time.perf_counter()
    studio.click()
    capture = time.perf_counter() - started
    studio.pump_until(lambda: bool(studio.clips(scene)), pumps.append)
    wall = time.perf_counter() - started
    cpu = children_cpu_seconds() - cpu
    clip = studio.clips(scene)[0]
    sidecar = json.loads(Path(bpy.path.abspath(clip.diorama.clip_path) + ".json").read_text(encoding="utf-8"))
    studio.module("sequencer.compat").strips(scene.sequence_editor).remove(clip)
    # The last pump is the one that inserted the clip.
    return {"wall": wall, "capture": capture, "insert": pumps[-1], "pump": max(pumps[:-1], default=0.0),
            "cpu": cpu, "frames": sidecar["num_frames"], **{f"stage {k}": v for k, v in sidecar["seconds"].items()}}


def children_cpu_seconds() -> float:
    """CPU seconds so far of the living processes that this one started: the engine. NaN where /proc is not."""
    if not Path("/proc/self/task").exists():
        return float("nan")
    total = 0
    for task in Path("/proc/self/task").iterdir():
        for child in (task / "children").read_text().split():
            # Behind the name in parentheses: field 12 and 13 of what is left are user and system time.
            fields = Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split()
            total += int(fields[11]) + int(fields[12])
    return total / os.sysconf("SC_CLK_TCK")


def table(measured: list[dict[str, float]]) -> list[tuple[str, float, str, str]]:
    """Rows: what, value, unit, goal."""
    def median(name: str) -> float:
        return statistics.median(run[name] for run in measured)

    def worst(*names: str) -> float:
        return max(run[name] for run in measured for name in names)

    frames = measured[0]["frames"]
    stages = [name for name in measured[0] if name.startswith("stage ")]
    return [
        ("click to strip, engine warm", median("wall"), "s", "< 25"),
        ("engine CPU per frame", median("cpu") / frames, "s", ""),
        *((f"engine, {name.removeprefix('stage ')}", median(name), "s", "") for name in stages),
        ("main thread: capture of the still", 1000 * median("capture"), "ms", ""),
        ("main thread: capture, worst", 1000 * worst("capture"), "ms", "< 150"),
        ("main thread: inserting the clip", 1000 * median("insert"), "ms", ""),
        ("main thread: anything but the capture, worst", 1000 * worst("insert", "pump"), "ms", "< 50"),
    ]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), Path(sys.argv[5]))
