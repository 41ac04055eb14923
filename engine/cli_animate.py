"""`python -m engine animate IMAGE --model ID|FOLDER ...`."""

from __future__ import annotations

import argparse

from .cli_common import Result, add_output, frames_of, output_of, run_request, tell
from .errors import BadRequest
from .protocol import ASPECTS, CONFORMS, MEMORY_MODES, SPEEDS, GenerateRequest, GenerateSettings


def add_animate(command: argparse.ArgumentParser) -> None:
    """Its own arguments; IMAGE and --json are there already."""
    add = command.add_argument
    add("--model", required=True, help="a model's id, or the folder of a model")
    add("--prompt", default="", help="what shall move, and how")
    add("--negative-prompt", default="")
    add("--last-image", default="", metavar="IMAGE", help="the still that the clip ends with")
    add("--seconds", type=float, default=4.0)
    add("--aspect", default="crop", choices=ASPECTS, help="a photo of another aspect is cut, or shown whole on black")
    add("--steps", type=int, default=0, help="default: the model's own")
    add("--guidance-scale", type=float, default=-1.0, help="default: the model's own")
    add("--motion", type=float, default=-1.0, help="0 still .. 1 much, for models that know it")
    add("--mask", default="", metavar="FILE|subject|background|sky", help="what may move: white in a grey picture")
    add("--mask-feather", type=float, default=0.02, help="soft edge, a share of the shorter side")
    add("--camera-lock", action="store_true", help="what moves as a whole is held to the first frame")
    add("--seed", type=int, default=-1, help="default: drawn, and told in the result")
    add("--lora", action="append", default=[], metavar="FILE[:WEIGHT]", help="may be given several times")
    add("--speed", default="best", choices=SPEEDS, help="best changes nothing in the picture")
    add("--memory", default="auto", choices=("auto", *MEMORY_MODES))
    add("--conform", default="interpolate", choices=CONFORMS, help="how the model's frame rate becomes --fps")
    add_output(command, "of the clip; default: the model's own area")


def run_animate(options: argparse.Namespace) -> Result:
    """The result of the job. Text for people goes to stderr. Raises a DioramaError or JobCancelled."""
    result = run_request(options, request_of(options))
    tell(f"{result['model']}, seed {result['seed']}, {result['num_frames']} frames: {result['clip']}")
    return result


def request_of(options: argparse.Namespace) -> GenerateRequest:
    width, height = options.size
    loras = [_lora(text) for text in options.lora]
    return GenerateRequest(
        image=options.image,
        num_frames=frames_of(options),
        generate=GenerateSettings(
            model=options.model,
            prompt=options.prompt,
            negative_prompt=options.negative_prompt,
            num_inference_steps=options.steps,
            guidance_scale=options.guidance_scale,
            motion=options.motion,
            seed=options.seed,
            loras=tuple(path for path, _ in loras),
            lora_weights=tuple(weight for _, weight in loras),
            speed=options.speed,
            memory=options.memory,
            width=width,
            height=height,
        ),
        **output_of(options),
        last_image=options.last_image,
        aspect=options.aspect,
        conform=options.conform,
        mask=options.mask,
        mask_feather=options.mask_feather,
        camera_lock=options.camera_lock,
    )


def _lora(text: str) -> tuple[str, float]:
    """ "style.safetensors:0.8" -> path and weight; the weight is 1 where none is given. A drive's colon is none."""
    path, colon, weight = text.rpartition(":")
    if not colon or text.endswith(".safetensors"):
        return text, 1.0
    try:
        return path, float(weight)
    except ValueError as error:
        raise BadRequest(f"'{weight}' is no weight for a LoRA.", "Write it as style.safetensors:0.8.") from error
