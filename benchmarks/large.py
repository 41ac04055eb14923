"""An 8K still becomes a 4K clip: peak memory of the engine, whether it grows with the frames, and the time of a frame.

    python benchmarks/large.py --engine PYTHON --eval PYTHON [--runs N] --out FOLDER

The still is a mosaic of photographs, with detail everywhere; the depth is that of a cup on a table, for its layers. Two
lengths are made: half a second, and a whole minute.
"""

from __future__ import annotations

import argparse
import os
from pathlib import Path

from measure import Usage, engine_environment, markdown, run, stages

STILL, CLIP = (7680, 4320), (3840, 2160)
FPS, SHORT, LONG = 24, 12, 60 * 24
MOVE = "orbit"
GIB = 2**30


def main() -> None:
    """Writes OUT/large.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", required=True)
    parser.add_argument("--eval", required=True)
    parser.add_argument("--runs", type=int, default=1, help="not used: one run of each length")
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    still, cup, depth, clip = out / "8k.jpg", out / "cup.png", out / "depth.png", out / "clip.mp4"
    run([asked.eval, "benchmarks/pictures.py", "mosaic", f"{STILL[0]}x{STILL[1]}", still], out / "still.log")
    run([asked.eval, "benchmarks/pictures.py", "still", f"{STILL[0]}x{STILL[1]}", cup], out / "still.log")
    run([asked.engine, "-m", "engine", "depth", cup, "--out", out / "depth.npy", "--preview", depth], out / "depth.log",
        engine_environment())

    def make(frames: int) -> Usage:
        command = [asked.engine, "-m", "engine", "camera-move", still, "--depth-picture", depth, "--move", MOVE,
                   "--fps", FPS, "--seconds", frames / FPS, "--size", f"{CLIP[0]}x{CLIP[1]}", "--out", clip]
        return run(command, out / "clip.log", engine_environment())

    make(2)
    short, long = make(SHORT), make(LONG)
    wall = (long.wall - short.wall) / (LONG - SHORT)
    cpu = (long.cpu - short.cpu) / (LONG - SHORT)
    rows = [
        [f"peak memory, {SHORT} frames, GiB", f"{short.peak / GIB:.2f}", ""],
        [f"peak memory, {LONG} frames, GiB", f"{long.peak / GIB:.2f}", "<= 4, and no growth"],
        ["a further frame, wall s", f"{wall:.2f}", ""],
        ["a further frame, CPU s", f"{cpu:.2f}", ""],
        [f"the clip of {LONG} frames (60 s), wall min", f"{long.wall / 60:.1f}", "works"],
        ["the same, CPU min", f"{long.cpu / 60:.1f}", ""],
    ]
    name = f"8K still ({STILL[0]}x{STILL[1]}), 4K clip, {MOVE}, a depth picture, {os.cpu_count()} cores"
    seconds = ", ".join(f"{stage} {value:.1f}" for stage, value in stages(clip).items())
    text = markdown([name, "measured", "goal"], rows)
    (out / "large.md").write_text(f"{text}\n\nWall seconds of its stages: {seconds}.", encoding="utf-8")


if __name__ == "__main__":
    main()
