"""What an image-to-video model is asked for. The words are those of diffusers."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

SPEEDS = ("best", "balanced", "draft")
MEMORY_MODES = ("full", "fp8", "quantised", "group_offload", "model_offload", "disk")
ASPECTS = ("crop", "pad")
CONFORMS = ("interpolate", "blend", "hold")
SUBJECTS = ("subject", "background", "sky")     # motion masks found in the still itself


@dataclass(frozen=True)
class GenerateSettings:
    """A model and its controls; a control that the model does not have is refused, never ignored.

    model: a catalog id, or a folder that diffusers saved. num_inference_steps: 0 = the model's own. guidance_scale:
    negative = the model's own. motion: 0 (still) .. 1 (much), negative = the model's own. seed: negative = drawn, and
    recorded in the result. loras: paths of .safetensors files, with as many lora_weights. speed: of SPEEDS; "best"
    changes nothing in the picture. memory: of MEMORY_MODES, or "auto" = planned from the free memory.
    width, height: what the model works at, pixels; 0 = its own area in the clip's aspect.
    """

    model: str = ""
    prompt: str = ""
    negative_prompt: str = ""
    num_inference_steps: int = 0
    guidance_scale: float = -1.0
    motion: float = -1.0
    seed: int = -1
    loras: tuple[str, ...] = ()
    lora_weights: tuple[float, ...] = ()
    speed: str = "best"
    memory: str = "auto"
    width: int = 0
    height: int = 0


@dataclass(frozen=True)
class GenerateRequest:
    """A still and a prompt become a clip.

    image, output, num_frames, fps, width, height, clip_format, visible_only, frame_width, frame_height: as in
    CameraMoveRequest; width, height 0 = what the model gives. last_image: the still that the clip ends with, or "".
    aspect: how a still of another aspect is brought into the model's: of ASPECTS. conform: how the model's own frame
    rate becomes fps: of CONFORMS.
    mask: what may move: a grey picture in the aspect of the visible still (white moves), one of SUBJECTS, or "" = all
    of it. mask_feather: width of its soft edge as a share of the shorter side. camera_lock: what moves as a whole
    is held to the first frame.
    views: a camera a frame as in PathRequest, in pixels of the visible still; () = the model moves as it likes.
    folder: of the layered still that these views look at; needed by models that follow a rendered camera.
    previous_clip: a movie whose end is continued (image is its last frame), or "".
    """

    image: str
    output: str
    num_frames: int
    generate: GenerateSettings
    fps: tuple[int, int] = (24, 1)
    width: int = 0
    height: int = 0
    clip_format: str = "h264"
    last_image: str = ""
    aspect: str = "crop"
    conform: str = "interpolate"
    mask: str = ""
    mask_feather: float = 0.02
    camera_lock: bool = False
    views: tuple[tuple[float, ...], ...] = ()
    folder: str = ""
    previous_clip: str = ""
    visible_only: bool = False
    frame_width: int = 0
    frame_height: int = 0

    @property
    def frame_rate(self) -> Fraction:
        return Fraction(*self.fps)


@dataclass(frozen=True)
class PlanRequest:
    """What a GenerateRequest would take: memory, time, size, frames. Loads no weights and makes no file.

    width, height: of the visible still, pixels; the other fields as in GenerateRequest.
    """

    generate: GenerateSettings
    num_frames: int
    width: int
    height: int
    fps: tuple[int, int] = (24, 1)
