"""What the engine costs around an image-to-video pipeline: the same one called bare and through the engine.

    python benchmarks/generate.py [--runs N] --out FOLDER        in the full engine's environment

A random Wan of about a hundred million parameters, on the CPU. Both are timed in turns in one process that holds both
pipelines; the engine's time is that of its encode, denoise and decode, and beside it the whole job. Peak memory is that
of processes of their own: load, make the clip, write it.
"""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from fractions import Fraction
from pathlib import Path
from statistics import median
from typing import Any

from measure import ROOT, engine_environment, markdown, run

SIZE, FRAMES, STEPS, PROMPT = (256, 128), 17, 4, "a red kite over the sea"
GOAL_TIME, GOAL_MEMORY = 3.0, 5.0


def main() -> None:
    """Writes OUT/generate.md, or does the one thing that it was started for."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--only", choices=["make", "bare", "engine", "time"], help="used by itself")
    asked = parser.parse_args()
    out: Path = asked.out.resolve()
    out.mkdir(parents=True, exist_ok=True)
    if asked.only:
        {"make": make_model, "bare": lambda o: bare(o, o / "bare.mkv"), "engine": lambda o: engine(o, o / "job.mkv"),
         "time": lambda o: compare(o, asked.runs)}[asked.only](out)
        return

    def start(what: str) -> Any:
        command = [sys.executable, ROOT / "benchmarks" / "generate.py", "--out", out, "--runs", asked.runs, "--only",
                   what]
        return run(command, out / f"{what}.log", engine_environment() | {"HF_HUB_OFFLINE": "1"})

    start("make")
    start("time")
    times: dict[str, list[float]] = json.loads((out / "times.json").read_text())
    memory = {what: median(start(what).peak for _ in range(min(asked.runs, 3))) for what in ("bare", "engine")}
    call, through = median(times["bare_cpu"]), median(times["engine_cpu"])
    pairs = [(b - a) / a * 100 for a, b in zip(times["bare_cpu"], times["engine_cpu"], strict=True)]
    rows = [
        ["the call, CPU s", f"{call:.3f}", f"{through:.3f}", f"{median(pairs):+.1f} % (goal {GOAL_TIME:g} %)"],
        ["the call, wall s", f"{median(times['bare_wall']):.3f}", f"{median(times['engine_wall']):.3f}", ""],
        ["call and clip written, CPU s", f"{median(times['bare_all']):.3f}", f"{median(times['engine_all']):.3f}", ""],
        ["peak memory, MB", f"{memory['bare'] / 1e6:.0f}", f"{memory['engine'] / 1e6:.0f}",
         f"{(memory['engine'] / memory['bare'] - 1) * 100:+.1f} % (goal {GOAL_MEMORY:g} %)"],
    ]
    head = [f"random Wan, {SIZE[0]}x{SIZE[1]}, {FRAMES} frames, {STEPS} steps", "bare", "engine", "more"]
    (out / "generate.md").write_text(markdown(head, rows), encoding="utf-8")


def make_model(out: Path) -> None:
    """A Wan with the layout of the 5B, wide enough that its arithmetic counts."""
    sys.path.insert(0, str(ROOT))
    import cv2
    import numpy as np

    from tests.engine.tiny import wan

    pipe = wan.pipeline(5.0, vae=wan.vae_5b(), transformer=wan.transformer(48, 48, layers=12, heads=16, head=64),
                        transformer_2=None, expand_timesteps=True)
    pipe.save_pretrained(out / "model")
    noise = np.random.default_rng(0).integers(0, 256, (5, 9, 3), np.uint8)
    cv2.imwrite(str(out / "photo.png"), cv2.resize(noise, SIZE, interpolation=cv2.INTER_CUBIC))


def bare(out: Path, clip: Path, pipe: Any = None) -> tuple[float, float, float]:
    """diffusers alone, and the frames into a movie. CPU and wall seconds of the call, CPU seconds with the movie."""
    import numpy as np
    import torch
    from diffusers import WanImageToVideoPipeline
    from PIL import Image

    from engine.media.clip import ClipWriter

    pipe = pipe or bare_pipe(out)
    assert isinstance(pipe, WanImageToVideoPipeline)
    cpu, wall = time.process_time(), time.perf_counter()
    frames = pipe(image=Image.open(out / "photo.png"), prompt=PROMPT, negative_prompt="", num_frames=FRAMES,
                  width=SIZE[0], height=SIZE[1], num_inference_steps=STEPS, guidance_scale=5.0,
                  generator=torch.Generator("cpu").manual_seed(1), output_type="np").frames[0]
    called, waited = time.process_time() - cpu, time.perf_counter() - wall
    with ClipWriter(str(clip), "ffv1", *SIZE, Fraction(24)) as writer:
        for frame in frames:
            writer.write(np.rint(frame * 255).astype(np.uint8))
        writer.commit()
    return called, waited, time.process_time() - cpu


def bare_pipe(out: Path) -> Any:
    import torch
    from diffusers import WanImageToVideoPipeline

    pipe = WanImageToVideoPipeline.from_pretrained(str(out / "model"), dtype=torch.float32, local_files_only=True)
    pipe.set_progress_bar_config(disable=True)
    return pipe


def engine(out: Path, clip: Path) -> tuple[float, float, float]:
    """The same through the job. CPU seconds of its call are counted by its stages."""
    from engine.jobs import run_job
    from engine.protocol import GenerateRequest, GenerateSettings

    marks: dict[str, float] = {}

    def report(stage: str, done: int, total: int, preview: str = "") -> None:
        del total, preview
        marks.setdefault(f"{stage} {done}", time.process_time())

    request = GenerateRequest(
        image=str(out / "photo.png"), output=str(clip), num_frames=FRAMES, width=SIZE[0], height=SIZE[1],
        clip_format="ffv1", conform="hold",
        generate=GenerateSettings(model=str(out / "model"), prompt=PROMPT, num_inference_steps=STEPS, seed=1,
                                  width=SIZE[0], height=SIZE[1]))
    cpu = time.process_time()
    result = run_job("job", request, report, lambda: False)
    done = time.process_time() - cpu
    seconds = result["seconds"]
    return (marks["decode 1"] - marks["encode 0"], sum(seconds[stage] for stage in ("encode", "denoise", "decode")),
            done)


def compare(out: Path, runs: int) -> None:
    """In turns, each once for nothing first. Writes OUT/times.json."""
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    import torch

    torch.set_num_threads(1)
    pipe = bare_pipe(out)
    both = {"bare": lambda: bare(out, out / "bare.mkv", pipe), "engine": lambda: engine(out, out / "job.mkv")}
    kinds = ("cpu", "wall", "all")
    times: dict[str, list[float]] = {f"{who}_{kind}": [] for who in both for kind in kinds}
    for turn in range(runs + 1):
        for who in sorted(both, reverse=turn % 2 == 0):
            took = both[who]()
            if turn:
                for kind, value in zip(kinds, took, strict=True):
                    times[f"{who}_{kind}"].append(value)
    (out / "times.json").write_text(json.dumps(times))


if __name__ == "__main__":
    main()
