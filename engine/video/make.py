"""From a found model and a request to frames: the pipeline on its device, the call, memory that runs out."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from engine.errors import BadModel, BadRequest, WeightsMissing
from engine.protocol import GenerateSettings
from engine.video.family import Ask, Sound
from engine.video.load import INSTALL_FULL, Found, checked_file, load, no_memory, with_parameters
from engine.video.machine import machine
from engine.video.memory import load_options, settle
from engine.video.plan import Plan, Size, plan
from engine.video.run import Onlooker, Teller, run
from engine.video.speed import Speed, hurry, speed_of
from engine.video.warm import is_warm, release, warm

FINISH_BYTES = 3e9          # wanted free on the GPU by what makes frames between others: a guess


@dataclass(frozen=True)
class Make:
    """One piece. picture, last: (h, w, 3) uint8, of the model's size. num_frames: valid for the model.

    previous: the end of the clip before, as such pictures. more: further fields of Ask, such as a camera.
    """

    picture: np.ndarray
    last: np.ndarray | None
    num_frames: int
    seed: int
    previous: list[np.ndarray] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Made:
    """frames: (F, h, w, 3) uint8, of the model's size."""

    frames: np.ndarray
    sound: Sound | None


class Maker:
    """Makes the pieces of one clip: with one plan, one pipeline, and one step down where memory runs out."""

    def __init__(self, found: Found, settings: GenerateSettings, size: Size, warnings: list[str]) -> None:
        """size: of one piece. Raises BadModel, BadRequest, WeightsMissing."""
        try:
            import torch  # noqa: F401
        except ImportError as error:
            raise WeightsMissing("Image-to-video needs the full engine, which is not installed.",
                                 INSTALL_FULL) from error
        self.found = with_parameters(found)
        self.settings, self._warnings = settings, warnings
        self.speed = speed_of(settings, found)
        self.machine = machine()
        size = replace(size, num_inference_steps=self.speed.num_inference_steps,
                       calls=2 if self.speed.guidance_scale > 1 else 1)
        self.plan = plan(self.found.model, parts(found), size, self.machine, settings.memory, settings.speed)
        self._mode, self._went_down = self.plan.mode, False
        if not self._mode.able:
            raise BadRequest(f"The memory mode '{self._mode.name}' cannot be used here. {self._mode.note}",
                             "Choose another one, or auto.")
        self._loras = [(path, weight) for path, weight in zip(settings.loras, settings.lora_weights, strict=True)]
        for path, _ in self._loras:
            checked_file(Path(path))

    def plain(self) -> dict[str, Any]:
        """What was planned and what was run in, for the result."""
        return plain(self.plan, self.speed) | {"mode": self._mode.name, "device": self.machine.name}

    def make(
        self, wish: Make, stages: Teller, onlookers: Sequence[Onlooker] = (), piece: tuple[int, int] = (0, 1)
    ) -> Made:
        """One piece, which of how many. Raises JobCancelled, BadModel, OutOfMemory, NoPicture."""
        import torch

        while True:
            ask = self._ask(wish)
            try:
                with stages.stage("load"):
                    pipe = self._pipeline(ask, lambda done, total: stages.step("load", done, total))
                result = run(pipe, self.found.family, ask, stages, onlookers, piece)
            except (torch.OutOfMemoryError, MemoryError) as error:
                pipe = None
                lower = None if self._went_down else self.plan.next_down()
                if lower is None:
                    release()
                    raise no_memory(self.found) from error
                self._warnings.append(f"The memory ran out in the mode '{self._mode.name}', so the clip was made in "
                                      f"the mode '{lower.name}': slower.")
                self._mode, self._went_down = lower, True
            else:
                return Made(np.rint(result.frames.clip(0, 1) * 255).astype(np.uint8), result.sound)
            release()       # out here, where the error no longer holds the pipeline's frames

    def make_room(self) -> None:
        """Before the networks that finish a clip: the model goes where it leaves them no room on the GPU."""
        if self.machine.device != "cuda":
            return
        import torch

        torch.cuda.empty_cache()
        if torch.cuda.mem_get_info()[0] < FINISH_BYTES:
            release()

    def _pipeline(self, ask: Ask, seen: Callable[[int, int], None]) -> Any:
        found, mode = self.found, self._mode
        key = (str(found.folder), found.family.pipeline_name(ask), mode.name, mode.tiling, self.plan.dtype,
               tuple(self._loras), self.speed.few_steps, self.speed.name)

        def build() -> Any:
            import torch

            kind = getattr(torch, self.plan.dtype)
            own = {part: getattr(torch, name) for part, name in found.model.dtypes.items()
                   if found.index.get(part) and self.plan.dtype != "float32"}
            pipe = load(found, ask, {"default": kind, **own}, load_options(mode, found.family, found.index), seen)
            self._add_loras(pipe)
            settle(pipe, found.family, mode, self.machine.device, kind)
            hurry(pipe, found.family, self.speed, self.machine.device, mode.seconds)
            return pipe

        if not is_warm(key):
            release()
        return warm(key, build)

    def _add_loras(self, pipe: Any) -> None:
        names: dict[str, float] = {}
        for number, (path, weight) in enumerate(self._loras):
            self._add_lora(pipe, path, f"lora_{number}", 0)
            names[f"lora_{number}"] = weight
        for part, path in enumerate(self.speed.few_steps):
            self._add_lora(pipe, path, f"few_steps_{part}", part)
            names[f"few_steps_{part}"] = self.speed.weight
        if names:
            pipe.set_adapters(list(names), list(names.values()))

    def _add_lora(self, pipe: Any, path: str, name: str, part: int) -> None:
        try:
            self.found.family.load_lora(pipe, path, name, part)
        except (OSError, ValueError, KeyError, TypeError, AttributeError, RuntimeError) as error:
            first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
            raise BadModel(f"The LoRA {Path(path).name} does not fit {self.found.model.name}: {first}.",
                           "Choose a LoRA that was made for this model.") from error

    def _ask(self, wish: Make) -> Ask:
        import torch
        from PIL import Image

        settings, model = self.settings, self.found.model
        height, width = wish.picture.shape[:2]
        return Ask(
            image=Image.fromarray(wish.picture),
            prompt=settings.prompt,
            negative_prompt=settings.negative_prompt or model.negative_prompt,
            num_frames=wish.num_frames,
            width=width,
            height=height,
            fps=model.fps,
            num_inference_steps=self.speed.num_inference_steps,
            guidance_scale=self.speed.guidance_scale,
            generator=torch.Generator("cpu").manual_seed(wish.seed),
            motion=settings.motion if settings.motion >= 0 else None,
            last_image=None if wish.last is None else Image.fromarray(wish.last),
            previous=tuple(Image.fromarray(one) for one in wish.previous),
            options=dict(model.options),
            **wish.more,
        )


def parts(found: Found) -> tuple[str, ...]:
    """The denoisers that the folder has."""
    return tuple(part for part in found.family.denoisers if part in found.model.parameters)


def plain(made: Plan, speed: Speed) -> dict[str, Any]:
    """A plan as JSON."""
    return {"modes": [mode.plain() for mode in made.modes], "chosen": made.chosen, "dtype": made.dtype,
            "speed": speed.name, "trades": speed.note, "num_inference_steps": speed.num_inference_steps,
            "guidance_scale": speed.guidance_scale, "warnings": list(made.warnings)}

