"""One call of a pipeline: watched, stopped between any two steps, its result looked at."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from engine.errors import NoPicture
from engine.video.family import Ask, Family, Sound
from engine.video.latents import Encoded, watched

if TYPE_CHECKING:
    import torch

BLACK = 4 / 255             # nothing brighter than this anywhere
FLAT = 1 / 255              # deviation of a frame below which it is one colour
FROZEN = 0.25 / 255         # no pixel of the clip moves further than this
OTHER_SEED = "Try another seed, fewer LoRAs, or full precision; if it stays so, the model's files may be damaged."


class Teller(Protocol):
    """What a run says and asks: engine/jobs/stages.Stages."""

    seconds: dict[str, float]

    def stage(self, name: str) -> AbstractContextManager[None]: ...
    def step(self, name: str, done: int, total: int, preview: str = "") -> None: ...
    def check(self) -> None: ...


class Onlooker(Protocol):
    """Somebody who sees the latents after each step and may give others in their place.

    step: from 0; it begins anew where a pipeline makes its clip in sections.

    path: of a preview, or "". begin: before the call; `seen` is filled while the pipeline encodes its still. end: after
    it; whoever holds on to the pipeline then holds on to its memory.
    """

    path: str

    def begin(self, pipe: Any, family: Family, ask: Ask, seen: Encoded) -> None: ...
    def end(self) -> None: ...
    def after_step(self, step: int, latents: torch.Tensor) -> torch.Tensor | None: ...


@dataclass
class Watch:
    """What is known while a pipeline runs. marks: when the stages began, seconds of the clock.

    before: steps of earlier pieces. own, done: steps of this one. total: of all pieces.
    """

    stages: Teller
    own: int
    before: int
    total: int
    stage: str = "encode"
    done: int = 0
    preview: str = ""
    marks: dict[str, float] = field(default_factory=dict)

    def enter(self, stage: str) -> None:
        """Begins a stage, once; the one before it has ended then."""
        if stage in self.marks:
            return
        if self.stage == "encode" and self.marks:
            self.stages.step("encode", 1, 1)
        self.stage = stage
        self.marks[stage] = time.perf_counter()
        self.stages.step(stage, *((self.before, self.total) if stage == "denoise" else (0, 1)))

    def stepped(self) -> None:
        self.done += 1
        self.own = max(self.own, self.done)
        self.total = max(self.total, self.before + self.done)
        self.stages.step("denoise", self.before + self.done, self.total, self.preview)

    def end(self) -> None:
        """Notes how long each stage took."""
        now = time.perf_counter()
        names = list(self.marks)
        for name, following in zip(names, [*names[1:], None], strict=True):
            took = (self.marks[following] if following else now) - self.marks[name]
            self.stages.seconds[name] = round(self.stages.seconds.get(name, 0.0) + took, 3)


@dataclass(frozen=True)
class Result:
    """frames: (F, H, W, 3) float32, 0..1. sound: what came with them, or None."""

    frames: np.ndarray
    sound: Sound | None


def run(
    pipe: Any, family: Family, ask: Ask, stages: Teller, onlookers: Sequence[Onlooker] = (),
    piece: tuple[int, int] = (0, 1),
) -> Result:
    """Calls the pipeline. onlookers: asked after each step, where the pipeline can be. piece: which of how many.

    Raises JobCancelled within one step, in every stage; NoPicture for NaN, black or frozen frames.
    """
    steps = family.num_steps(ask)
    watch = Watch(stages, steps, steps * piece[0], steps * piece[1])
    watch.enter("encode")
    more: dict[str, Any] = {}
    with ExitStack() as stack:
        stack.callback(pipe.maybe_free_model_hooks)
        stack.enter_context(_hooked(pipe, family, watch))
        if family.callback:
            seen = stack.enter_context(watched(pipe.vae)) if onlookers and hasattr(pipe, "vae") else Encoded()
            for onlooker in onlookers:
                onlooker.begin(pipe, family, ask, seen)
                stack.callback(onlooker.end)
            more["callback_on_step_end"] = _callback(watch, onlookers)
        else:
            stack.enter_context(_counted(pipe.scheduler, watch))
        output = pipe(**family.arguments(pipe, ask), **more)
        watch.enter("decode")
        frames = family.frames(output)
        sound = family.sound(pipe, output)
    watch.end()
    stages.step("decode", 1, 1)
    look_at(frames, np.asarray(ask.image))
    return Result(frames, sound)


def look_at(frames: np.ndarray, still: np.ndarray) -> None:
    """frames: (F, H, W, 3) float 0..1. still: (h, w, 3) uint8. Raises NoPicture for what nobody wants as a clip."""
    if not np.isfinite(frames).all():
        raise NoPicture("The model's frames are not numbers (NaN).", OTHER_SEED)
    if still.max() > 255 * BLACK and frames.max() < BLACK:
        raise NoPicture("The model gave nothing but black frames.", OTHER_SEED)
    if still.std() > 255 * FLAT and all(float(frame.std()) < FLAT for frame in frames):
        raise NoPicture("The model gave frames of one single colour.", OTHER_SEED)
    if len(frames) > 1 and all(float(np.abs(frame - frames[0]).max()) < FROZEN for frame in frames[1:]):
        raise NoPicture("The model's clip stands still: all its frames are the same.",
                        "Ask for more motion in the prompt, or try another seed.")


def _callback(watch: Watch, onlookers: Sequence[Onlooker]) -> Callable[..., dict[str, Any]]:
    def on_step_end(_pipe: Any, index: int, _time: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        latents = tensors["latents"]
        _finite(latents, watch)
        now = latents
        for onlooker in onlookers:
            changed = onlooker.after_step(index, now)
            now = now if changed is None else changed
            watch.preview = onlooker.path or watch.preview
        watch.stepped()
        return {} if now is latents else {"latents": now}

    return on_step_end


def _finite(latents: torch.Tensor, watch: Watch) -> None:
    import torch

    if not bool(torch.isfinite(latents).all()):
        raise NoPicture(f"The model's numbers became invalid (NaN) at step {watch.done + 1}.", OTHER_SEED)


@contextmanager
def _counted(scheduler: Any, watch: Watch) -> Iterator[None]:
    """For pipelines without a callback: each calls its scheduler once a step."""
    import torch

    original = scheduler.step

    def step(*arguments: Any, **options: Any) -> Any:
        output = original(*arguments, **options)
        latents = output[0] if isinstance(output, tuple) else output.prev_sample
        if isinstance(latents, torch.Tensor):
            _finite(latents, watch)
        watch.stepped()
        return output

    scheduler.step = step
    try:
        yield
    finally:
        del scheduler.step      # the class's own shows again


@contextmanager
def _hooked(pipe: Any, family: Family, watch: Watch) -> Iterator[None]:
    """Looks for a cancel before every part of every network that runs, and sees by them which stage it is."""
    import torch

    handles: list[Any] = []

    def denoiser(_module: Any, _arguments: Any) -> None:
        watch.stages.check()
        watch.enter("denoise")

    def other(_module: Any, _arguments: Any) -> None:
        watch.stages.check()

    def decoder(_module: Any, _arguments: Any) -> None:
        watch.stages.check()
        if watch.done >= watch.own and watch.done:
            watch.enter("decode")

    for name, part in pipe.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        if name in family.denoisers:
            # The whole alone: hooks on its blocks would stand in the way of their compiled forms.
            handles.append(part.register_forward_pre_hook(denoiser))
            continue
        for path, module in part.named_modules():
            if any(True for _ in module.children()):
                handles.append(module.register_forward_pre_hook(decoder if "decoder" in path else other))
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
