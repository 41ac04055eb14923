"""A camera move with a depth picture, H.264 included, beside DepthFlow on the same photo and depth in the same call.

    python benchmarks/render.py --engine PYTHON --eval PYTHON [--depthflow PYTHON] --runs N --out FOLDER

Both make a long and a short clip, in turns. "A further frame" is what the long one took beyond the short one, divided
by the frames between them: start-up, reading, layers and OpenGL's preparation fall out. "A whole clip" is everything.
"""

from __future__ import annotations

import argparse
import platform
import sys
from pathlib import Path
from statistics import median

from measure import Usage, engine_environment, markdown, run, stages

SIZES = ((1920, 1080), (1280, 720))
FPS, SHORT, LONG = 24, 12, 60
GOALS = {1080: 0.13, 720: 0.07}


def main() -> None:
    """Writes OUT/render.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", required=True)
    parser.add_argument("--eval", required=True)
    parser.add_argument("--depthflow", default="", help="without it ours is measured alone")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    out = asked.out
    out.mkdir(parents=True, exist_ok=True)
    still, depth = out / "still.png", out / "depth.png"
    run([asked.eval, "benchmarks/pictures.py", "still", "1920x1080", still], out / "still.log")
    run([asked.engine, "-m", "engine", "depth", still, "--out", out / "depth.npy", "--preview", depth],
        out / "depth.log", engine_environment())
    programs = {"Diorama": lambda size, frames, to: ours(asked.engine, still, depth, size, frames, to)}
    if asked.depthflow:
        programs["DepthFlow"] = lambda size, frames, to: theirs(asked.depthflow, still, depth, size, frames, to)
    programs["Diorama"](SIZES[1], 2, out / "warm.mp4")      # the compiled kernels are cached from here on
    rows: list[list[str]] = []
    notes: list[str] = []
    for size in SIZES:
        taken: dict[str, list[tuple[Usage, Usage]]] = {name: [] for name in programs}
        for _ in range(asked.runs):
            for name, make in programs.items():
                print(f"[bench] render: {name} at {size[1]}p", file=sys.stderr, flush=True)
                clip = out / f"{name}.mp4"
                taken[name].append((make(size, SHORT, clip), make(size, LONG, clip)))
        rows += table(size, taken)
        seconds = stages(out / "Diorama.mp4")
        notes.append(f"{size[1]}p: " + ", ".join(f"{name} {value:.2f}" for name, value in seconds.items()))
    header = ["", "Diorama", "DepthFlow 1.0.1", "DepthFlow / Diorama", "goal"]
    text = markdown(header, rows)
    text += f"\n\nWall seconds of the stages in our clip of {LONG} frames, {'; '.join(notes)}."
    if not asked.depthflow:
        text += "\n\nDepthFlow was not measured: " + why_not()
    (out / "render.md").write_text(text, encoding="utf-8")


def ours(python: str, still: Path, depth: Path, size: tuple[int, int], frames: int, to: Path) -> Usage:
    return run([python, "-m", "engine", "camera-move", still, "--depth-picture", depth, "--move", "orbit", "--fps", FPS,
                "--seconds", frames / FPS, "--size", f"{size[0]}x{size[1]}", "--out", to],
               to.with_suffix(".log"), engine_environment())


def theirs(python: str, still: Path, depth: Path, size: tuple[int, int], frames: int, to: Path) -> Usage:
    return run([python, "benchmarks/depthflow_clip.py", still, depth, *size, FPS, frames, to], to.with_suffix(".log"))


def why_not() -> str:
    if platform.system() != "Linux":
        return "it is measured on Linux only, where Mesa draws without a graphics card."
    return "it needs Python 3.12, its packages, and Debian's libegl1 with Mesa's software renderer (libegl-mesa0)."


def table(size: tuple[int, int], taken: dict[str, list[tuple[Usage, Usage]]]) -> list[list[str]]:
    """Rows of one frame size: medians over the runs."""
    def further(name: str, of: str) -> float:
        return median((getattr(long, of) - getattr(short, of)) / (LONG - SHORT) for short, long in taken[name])

    def whole(name: str, of: str) -> float:
        return median(getattr(long, of) / LONG for _, long in taken[name])

    rows: list[list[str]] = []
    for what, value, of, goal in (
        ("CPU s, a further frame", further, "cpu", f"<= {GOALS[size[1]]}"),
        ("wall s, a further frame", further, "wall", ""),
        ("CPU s per frame, a whole clip", whole, "cpu", ""),
        ("wall s per frame, a whole clip", whole, "wall", ""),
    ):
        mine = value("Diorama", of)
        other = value("DepthFlow", of) if "DepthFlow" in taken else None
        rows.append([f"{size[0]}x{size[1]}, {what}", f"{mine:.3f}", f"{other:.3f}" if other else "-",
                     f"{other / mine:.1f}" if other else "-", goal])
    return rows


if __name__ == "__main__":
    main()
