"""A layered still from a 1080p photo, depth given: as the running engine makes it, and as a whole command.

    python benchmarks/layers.py --engine PYTHON --eval PYTHON --runs N --out FOLDER
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from statistics import median

from measure import ROOT, engine_environment, markdown, middle, run

INSIDE = """
import json, sys, time
import numpy as np
from engine.camera import Intrinsics
from engine.layers import build_layered_still
from engine.media.still import load_still
rgb, disparity = load_still(sys.argv[1]).rgb, np.load(sys.argv[2])
intrinsics = Intrinsics.from_size(rgb.shape[1], rgb.shape[0])
taken = []
for _ in range(int(sys.argv[3]) + 1):
    began = time.perf_counter(), time.process_time()
    layered = build_layered_still(rgb, disparity, intrinsics)
    taken.append((time.perf_counter() - began[0], time.process_time() - began[1]))
began = time.perf_counter()
layered.save(sys.argv[4])
saved = time.perf_counter() - began
vertices = sum(len(layer.vertices) for layer in layered.layers)
print("RESULT", json.dumps({"taken": taken[1:], "saved": saved, "layers": len(layered.layers), "vertices": vertices}))
"""


def main() -> None:
    """Writes OUT/layers.md."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--engine", required=True)
    parser.add_argument("--eval", required=True)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--out", type=Path, required=True)
    asked = parser.parse_args()
    out: Path = asked.out
    out.mkdir(parents=True, exist_ok=True)
    still, depth, script, result = out / "still.png", out / "depth.npy", out / "inside.py", out / "layered"
    run([asked.eval, "benchmarks/pictures.py", "still", "1920x1080", still], out / "still.log")
    run([asked.engine, "-m", "engine", "depth", still, "--out", depth], out / "depth.log", engine_environment())
    script.write_text(f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{INSIDE}", encoding="utf-8")
    run([asked.engine, script, still, depth, asked.runs, result], out / "inside.log")
    said = (out / "inside.log").read_text(encoding="utf-8").rpartition("RESULT ")[2]
    facts = json.loads(said)
    size = sum(path.stat().st_size for path in result.iterdir())
    command = [asked.engine, "-m", "engine", "layers", still, "--disparity", depth, "--out", out / "command"]
    whole = [run(command, out / "command.log", engine_environment()) for _ in range(asked.runs)]
    rows = [
        ["building it in the running engine, wall s", f"{median(wall for wall, _ in facts['taken']):.2f}", "<= 1.5"],
        ["the same, CPU s", f"{median(cpu for _, cpu in facts['taken']):.2f}", ""],
        ["writing the folder, wall s", f"{facts['saved']:.2f}", ""],
        ["the whole command `engine layers`, wall s", f"{middle(whole, lambda usage: usage.wall):.2f}", ""],
        ["its peak memory, MiB", f"{middle(whole, lambda usage: usage.peak) / 2**20:.0f}", ""],
        ["layers", str(facts["layers"]), ""],
        ["vertices", str(facts["vertices"]), ""],
        ["folder, MiB", f"{size / 2**20:.1f}", ""],
    ]
    text = markdown(["Layered still, 1920x1080, depth given", "measured", "goal"], rows)
    (out / "layers.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
