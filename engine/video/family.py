"""What the engine must know about one pipeline class of diffusers, and nothing else: an adapter a family.

A family turns the neutral Ask into the arguments of its pipeline, and what the pipeline gives into frames. Everything
that is the same for all families (sizes, frame counts, seeds, memory, speed, progress, cancel, checks) is done around
it, so an adapter stays small. How to add one: docs/models.md.
"""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

if TYPE_CHECKING:
    import torch
    from PIL import Image

CONTROLS = (
    "prompt", "negative_prompt", "num_inference_steps", "guidance_scale", "motion", "last_image", "loras", "size",
    "camera_path", "control_video", "previous_clip", "sound",
)  # fmt: skip


@dataclass(frozen=True)
class FrameRule:
    """Which numbers of frames a model can make: multiple * n + extra, at least `least`, best up to `stable`."""

    multiple: int
    extra: int
    default: int
    least: int = 0
    stable: int = 0

    def at_or_above(self, wish: int) -> int:
        """The smallest valid number of frames that is not below the wish."""
        steps = math.ceil((max(wish, self.least) - self.extra) / self.multiple)
        return max(steps, 0) * self.multiple + self.extra


@dataclass(frozen=True)
class Ask:
    """One call of a pipeline, all rules solved already.

    image, last_image: RGB pictures of exactly width x height. num_frames: valid for the model. fps: the model's own.
    motion: 0..1, or None = the model's own. generator: on the CPU, seeded. sigmas: of a distilled model, or None.
    cam2world: (F, 4, 4) float64 OpenCV axes, first camera = identity, with intrinsics (F, 4), each fx, fy, cx, cy in
    pixels of image; None = free. control_video, control_mask: F pictures of width x height, the mask white where the
    model must invent; () = none. previous: the last frames of the clip to be continued, or (). options: the model's
    own values from the catalog, by the names that the family reads.
    """

    image: Image.Image
    prompt: str
    negative_prompt: str
    num_frames: int
    width: int
    height: int
    fps: float
    num_inference_steps: int
    guidance_scale: float
    generator: torch.Generator
    motion: float | None = None
    last_image: Image.Image | None = None
    cam2world: np.ndarray | None = None
    intrinsics: np.ndarray | None = None
    control_video: tuple[Image.Image, ...] = ()
    control_mask: tuple[Image.Image, ...] = ()
    previous: tuple[Image.Image, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Sound:
    """samples: (channels, N) float32 in -1..1. rate: in a second."""

    samples: np.ndarray
    rate: int


class Family:
    """Base of all families. What is below fits most pipelines; an adapter overrides what differs."""

    name: ClassVar[str] = ""
    pipeline: ClassVar[str] = ""  # the class in diffusers, always named here: a folder's model_index.json often lies
    denoisers: ClassVar[tuple[str, ...]] = ("transformer",)  # attributes of the pipeline that run once or more a step
    signature: ClassVar[tuple[str, ...]] = ()  # class names of a folder's denoiser by which this family is recognised
    callback: ClassVar[bool] = True  # whether the pipeline takes callback_on_step_end

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        """Whether a folder is of this family. index: component -> class name. config: of its denoiser."""
        return any(index.get(part) in self.signature for part in self.denoisers)

    def pipeline_name(self, ask: Ask | None) -> str:
        """The pipeline class for this call (None: at loading); some families share parts between two classes."""
        return self.pipeline

    def load_options(self, folder: Path) -> dict[str, Any]:
        """Further arguments of from_pretrained. folder: of the model."""
        return {}

    def frame_rule(self, config: dict[str, Any], catalog: FrameRule) -> FrameRule:
        """The rule for this folder. config: of its denoiser."""
        return catalog

    def only_size(self, config: dict[str, Any]) -> tuple[int, int] | None:
        """Width, height of a folder that makes one size and no other. config: of its denoiser."""
        return None

    def size_multiple(self, config: dict[str, Any], catalog: int) -> int:
        """What the sides of its pictures are multiples of. config: of its denoiser."""
        return catalog

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        """Which of CONTROLS this folder really has. pipe_config: of model_index.json. config: of its denoiser."""
        return catalog

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        """The keyword arguments of the call, without callbacks. May set up parts of the pipe, such as its guider."""
        return {
            "image": ask.image,
            "prompt": ask.prompt,
            "negative_prompt": ask.negative_prompt,
            "num_frames": ask.num_frames,
            "width": ask.width,
            "height": ask.height,
            "num_inference_steps": ask.num_inference_steps,
            "guidance_scale": ask.guidance_scale,
            "generator": ask.generator,
            "output_type": "np",
        }

    def num_steps(self, ask: Ask) -> int:
        """Denoising steps of the whole call, for progress: more than asked for where a clip is made in pieces."""
        return ask.num_inference_steps

    def load_lora(self, pipe: Any, path: str, name: str, part: int) -> None:
        """Loads a LoRA's file under that adapter name. part: which of several files of one LoRA, 0 the first."""
        pipe.load_lora_weights(path, adapter_name=name)

    def frames(self, output: Any) -> np.ndarray:
        """What the call gave -> (F, H, W, 3) float32 in 0..1."""
        return np.asarray(output.frames[0], np.float32)

    def sound(self, pipe: Any, output: Any) -> Sound | None:
        """The sound that came with it, or None."""
        return None

    def latents(self, pipe: Any, ask: Ask, latents: torch.Tensor) -> torch.Tensor | None:
        """The callback's latents as (C, F, H, W) of the clip, for previews; None where that cannot be done."""
        return latents[0]

    def take_back(self, pipe: Any, ask: Ask, latents: torch.Tensor, old: torch.Tensor) -> torch.Tensor | None:
        """The inverse of latents(), in the form of the callback's `old`; None where that cannot be done."""
        return latents[None] if old.shape[1:] == latents.shape else None
