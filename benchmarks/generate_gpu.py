"""Wan 2.2 at full size with random weights on a GPU: seconds a step and peak memory, bare and in every mode and speed.

    python benchmarks/generate_gpu.py [--model ID] [--steps N] [--only NAME ...] --out FOLDER

In an environment with torch for CUDA, diffusers and the engine's other packages. No weights are downloaded: they are
drawn on the GPU, prompt embeddings are given and the text encoder is left out, so times and memory are those of the
denoiser and the VAE. Each row is a process of its own. "bare" is the pipeline as diffusers' own page calls it; the
others go through engine/video: settle(), hurry() and run(), as a job does. Beside each peak stands what was planned.
"""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import argparse
import itertools
import json
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
SHAPES = {"wan-2.2-ti2v-5b": (1280, 704, 121), "wan-2.2-i2v-a14b": (832, 480, 81)}
# Configurations as the authors publish them.
DENOISER = {
    "wan-2.2-ti2v-5b": {"num_attention_heads": 24, "attention_head_dim": 128, "in_channels": 48, "out_channels": 48,
                        "ffn_dim": 14336, "num_layers": 30, "text_dim": 4096, "freq_dim": 256},
    "wan-2.2-i2v-a14b": {"num_attention_heads": 40, "attention_head_dim": 128, "in_channels": 36, "out_channels": 16,
                         "ffn_dim": 13824, "num_layers": 40, "text_dim": 4096, "freq_dim": 256},
}
VAE = {
    "wan-2.2-ti2v-5b": {"base_dim": 160, "decoder_base_dim": 256, "z_dim": 48, "in_channels": 12, "out_channels": 12,
                        "is_residual": True, "patch_size": 2, "latents_mean": [0.0] * 48, "latents_std": [1.0] * 48,
                        "scale_factor_spatial": 16},
    "wan-2.2-i2v-a14b": {},
}
# name -> memory mode, speed; None = bare
ROWS = {"bare": None, "best": ("full", "best"), "balanced": ("full", "balanced"), "draft": ("full", "draft"),
        "model_offload": ("model_offload", "best"), "fp8": ("fp8", "balanced"),
        "group_offload": ("group_offload", "best")}
GIGABYTE = 1e9
DEVICE = "cuda"


def main() -> int:
    """Writes OUT/generate_gpu.md; the exit status."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--model", choices=list(SHAPES), default="wan-2.2-ti2v-5b")
    parser.add_argument("--steps", type=int, default=8, help="measured; the model's own number is reckoned from it")
    parser.add_argument("--only", nargs="*", choices=list(ROWS), default=list(ROWS))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--row", choices=list(ROWS), help="used by itself")
    asked = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    import torch

    if not torch.cuda.is_available():
        print("There is no GPU here (torch sees no CUDA device), so nothing was measured.")
        return 1
    asked.out.mkdir(parents=True, exist_ok=True)
    if asked.row:
        found = measured(asked.model, asked.row, asked.steps, asked.out)
        (asked.out / f"{asked.model}.{asked.row}.json").write_text(json.dumps(found))
        return 0
    rows: list[dict[str, Any]] = []
    for row in asked.only:
        command = [sys.executable, __file__, "--model", asked.model, "--steps", str(asked.steps), "--row", row, "--out",
                   str(asked.out)]
        if subprocess.run(command, cwd=ROOT, check=False).returncode == 0:
            rows.append(json.loads((asked.out / f"{asked.model}.{row}.json").read_text()))
        else:
            rows.append({"row": row})
    text = table(asked.model, asked.steps, torch.cuda.get_device_name(), rows)
    (asked.out / "generate_gpu.md").write_text(text, encoding="utf-8")
    print(text)
    return 0


def table(model: str, steps: int, card: str, rows: list[dict[str, Any]]) -> str:
    width, height, frames = SHAPES[model]
    bare = next((row for row in rows if row["row"] == "bare" and "step" in row), None)
    lines = [f"{model}, {width}x{height}, {frames} frames, {steps} steps, random weights, {card}", "",
             "| | s a step | times bare | decode s | peak GB | predicted GB | off | difference from bare |",
             "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |"]
    for row in rows:
        if "step" not in row:
            lines.append(f"| {row['row']} | failed | | | | | | |")
            continue
        times = f"{bare['step'] / row['step']:.2f}" if bare else ""
        predicted = f"{row['predicted']:.1f} | {(row['predicted'] / row['peak'] - 1) * 100:+.0f} %" \
            if row.get("predicted") else " | "
        other = f"{row['difference']:.4f}" if "difference" in row else ""
        numbers = (f"{row['step']:.2f}", times, f"{row['decode']:.1f}", f"{row['peak']:.1f}")
        cells = [row["row"], *numbers, predicted, other]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def measured(model: str, row: str, steps: int, out: Path) -> dict[str, Any]:
    """One row: its times, its peak, and how far its latents are from the bare ones (mean, of their deviation)."""
    import torch

    pipe = pipeline(model)
    torch.cuda.reset_peak_memory_stats()
    marks: list[float] = []
    last: dict[str, Any] = {}

    def seen(latents: torch.Tensor) -> None:
        torch.cuda.synchronize()
        marks.append(time.perf_counter())
        last["latents"] = latents.detach().float().cpu()

    predicted = bare(pipe, model, steps, seen) if ROWS[row] is None else through(pipe, model, row, steps, seen)
    torch.cuda.synchronize()
    end = time.perf_counter()
    torch.save(last["latents"], out / f"{model}.{row}.pt")
    intervals = [b - a for a, b in itertools.pairwise(marks)]
    found = {"row": row, "step": sorted(intervals)[len(intervals) // 2], "decode": end - marks[-1],
             "peak": torch.cuda.max_memory_reserved() / GIGABYTE, "predicted": predicted}
    reference = out / f"{model}.bare.pt"
    if row != "bare" and reference.exists():
        base = torch.load(reference, weights_only=True)
        found["difference"] = float((last["latents"] - base).abs().mean() / base.std())
    return found


def pipeline(model: str) -> Any:
    """The real classes at full size, in main memory; no text encoder."""
    import torch
    from diffusers import (
        AutoencoderKLWan,
        UniPCMultistepScheduler,
        WanImageToVideoPipeline,
        WanTransformer3DModel,
    )

    torch.manual_seed(0)
    dtype, two = torch.bfloat16, model == "wan-2.2-i2v-a14b"

    def denoiser() -> Any:
        with torch.device("meta"):
            made = WanTransformer3DModel(**DENOISER[model]).to(dtype).eval()
        made.to_empty(device=DEVICE)
        for weight in made.parameters():
            torch.nn.init.normal_(weight.data, std=0.02)
        made.to("cpu")
        made.rope = type(made.rope)(made.config.attention_head_dim, made.config.patch_size,
                                    made.config.rope_max_seq_len)     # its tables are buffers, which are empty now
        return made

    flow = UniPCMultistepScheduler(prediction_type="flow_prediction", use_flow_sigmas=True, flow_shift=5.0)
    return WanImageToVideoPipeline(
        tokenizer=None, text_encoder=None, vae=AutoencoderKLWan(**VAE[model]).eval(), scheduler=flow,  # type: ignore[arg-type]
        transformer=denoiser(), transformer_2=denoiser() if two else None,
        boundary_ratio=0.9 if two else None, expand_timesteps=not two)


def arguments(model: str, steps: int) -> dict[str, Any]:
    import numpy as np
    import torch
    from PIL import Image

    width, height, frames = SHAPES[model]
    noise = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    words = torch.randn(1, 512, 4096, generator=torch.Generator().manual_seed(3)).to(DEVICE, torch.bfloat16)
    return {"image": Image.fromarray(noise), "prompt_embeds": words, "negative_prompt_embeds": words * 0.5,
            "width": width, "height": height, "num_frames": frames, "num_inference_steps": steps, "guidance_scale": 5.0,
            "generator": torch.Generator("cpu").manual_seed(1), "output_type": "np"}


def bare(pipe: Any, model: str, steps: int, seen: Any) -> float:
    pipe.to(DEVICE)

    def on_step_end(_pipe: Any, _index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        seen(tensors["latents"])
        return {}

    pipe(**arguments(model, steps), callback_on_step_end=on_step_end)
    return 0.0


def through(pipe: Any, model: str, row: str, steps: int, seen: Any) -> float:
    """The same by the engine's own functions. Returns the planned peak, GB."""
    import torch

    from engine.jobs.stages import Stages
    from engine.protocol import GenerateSettings
    from engine.video.catalog import find_model
    from engine.video.families import FAMILIES
    from engine.video.families.wan import Wan
    from engine.video.family import Ask
    from engine.video.load import Found
    from engine.video.machine import machine
    from engine.video.memory import settle
    from engine.video.plan import Size, plan
    from engine.video.run import run
    from engine.video.speed import hurry, speed_of

    chosen = ROWS[row]
    assert chosen is not None
    entry, given, family = find_model(model), arguments(model, steps), FAMILIES["wan"]
    entry = replace(entry, parameters={part: n for part, n in entry.parameters.items() if part != "text_encoder"})
    found = Found(entry, ROOT, family, {}, {}, entry.frames, entry.controls)
    denoisers = [part for part in family.denoisers if part in entry.parameters]
    width, height, frames = SHAPES[model]
    planned = plan(entry, denoisers, Size(width, height, frames, steps), machine(), *chosen)
    speed = speed_of(GenerateSettings(model=model, num_inference_steps=steps, speed=chosen[1]), found)
    settle(pipe, family, planned.mode, DEVICE, torch.bfloat16)
    hurry(pipe, family, speed, DEVICE, planned.mode.seconds * entry.num_inference_steps / steps)

    class Seen:
        path = ""

        def begin(self, pipe: Any, family: Any, ask: Any, seen: Any) -> None:
            """Nothing to prepare."""

        def end(self) -> None:
            """Nothing to let go of."""

        def after_step(self, step: int, latents: torch.Tensor) -> None:
            del step
            seen(latents)

    class Given(Wan):
        """The same family; its prompt has been through the text encoder already."""

        def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
            del pipe, ask
            return given

    ask = Ask(given["image"], "", "", frames, width, height, entry.fps, steps, 5.0, given["generator"])
    run(pipe, Given(), ask, Stages(lambda *_, **__: None, lambda: False), [Seen()])
    return planned.mode.gpu / GIGABYTE


if __name__ == "__main__":
    sys.exit(main())
