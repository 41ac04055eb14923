"""What the next generated clip will take: memory, time, size, frames, terms; and what is worth knowing before."""

from __future__ import annotations

from typing import Any

from ..engine.errors import DioramaError
from ..operators import generate_again, generate_jobs
from ..sequencer import compat, source
from ..session import runtime
from .jobs import time_text
from .text import draw_sentence

LONG_SECONDS = 8.0  # above it no model is at its best


def draw_facts(layout: Any, context: Any, scene: Any, settings: Any, strips: list[Any]) -> Any:
    """Draws them for the first of the strips; returns its plan, why there is none, or None as long as none is known."""
    name = settings.model_name()
    model = generate_jobs.models().get(name)
    column = layout.column(align=True)
    plan = None
    if strips and name and runtime.installer.full:
        plan = runtime.plans.answer(generate_again.plan_request(scene, strips[0]))
        if plan is None:
            column.label(text="Working out what it will take…", icon="SORTTIME")
        elif isinstance(plan, DioramaError):
            draw_sentence(column, context, f"{plan.message} {plan.remedy}", "ERROR", alert=True)
        else:
            draw_plan(column, context, plan, clips=settings.takes * len(strips))
    for sentence in long_strips(scene, strips, model.stable_seconds if model else 0.0):
        draw_sentence(column, context, sentence, "INFO")
    if model:
        draw_sentence(column, context, model.terms, "COPY_ID")
    return plan


def draw_plan(layout: Any, context: Any, plan: dict[str, Any], clips: int) -> None:
    """A plan of engine/jobs/plan.py as a few lines."""
    mode = next(mode for mode in plan["modes"] if mode["name"] == plan["chosen"])
    layout.label(
        text=f"{plan['num_frames']} frames, {plan['width']} × {plan['height']}, {plan['num_inference_steps']} steps",
        icon="IMAGE_DATA",
    )
    layout.label(text=memory_text(plan, mode), icon="MEMORY")
    each = " each" if clips > 1 else ""
    layout.label(text=f"About {time_text(mode['seconds'])}{each} on {plan['device']}", icon="TIME")
    for sentence in (plan["trades"], *plan["warnings"]):
        if sentence:
            draw_sentence(layout, context, sentence, "INFO")


def memory_text(plan: dict[str, Any], mode: dict[str, Any]) -> str:
    """How much of which memory, against what is free."""
    if mode["gpu"]:
        return f"{mode['gpu']:.1f} of {plan['gpu_free']:.1f} GB on the card, {mode['main']:.1f} GB beside it"
    return f"{mode['main']:.1f} of {plan['main_free']:.1f} GB of memory"


def long_strips(scene: Any, strips: list[Any], stable_seconds: float) -> list[str]:
    """What is to be said of the length of the strips."""
    numerator, denominator = source.frame_rate(scene)
    frames = max((compat.right_handle(s) - compat.left_handle(s) for s in strips), default=0)
    seconds = frames * denominator / numerator
    if seconds > LONG_SECONDS:
        return [f"{seconds:.1f} s is long: what is seen drifts the further it goes. Shorter strips look better."]
    if stable_seconds and seconds > stable_seconds + 0.5:
        return [f"{seconds:.1f} s is more than the {stable_seconds:.1f} s that this model makes at once: it goes on."]
    return []
