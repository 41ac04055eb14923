"""The models: which there are, what they cost and forbid, what is here. Drawn in the sidebar and in the preferences."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import bpy

from ..engine.errors import BadModel
from ..session import runtime
from ..session.installer import InstallState
from ..session.models import OFFERS, Model, catalog
from .engine import draw_full_offer, draw_offline
from .text import draw_sentence

NEEDS = {"depth": "Learned depth needs", "video": "Image-to-video needs"}


def draw_model_choice(layout: Any, context: Any, settings: Any) -> None:
    """The chosen depth model, and everything that stands between it and a clip."""
    layout.prop(settings, "depth_model")
    if settings.depth_model == "folder":
        layout.prop(settings, "depth_folder", text="Folder")
    model = catalog().get(settings.depth_model)  # None for a folder of one's own
    draw_missing(layout, context, "depth", [model] if model else [])


def draw_missing(layout: Any, context: Any, kind: str, chosen: Iterable[Model]) -> None:
    """What stands between models and a clip: the full engine, the download; each with the button that mends it."""
    runtime.models.asked = True
    if runtime.installer.state is InstallState.installing:
        draw_sentence(layout, context, "The engine is being installed.", "SORTTIME")
    elif not runtime.installer.full:
        draw_full_offer(layout, context, NEEDS[kind])
        draw_sentence(layout, context, OFFERS[kind])
    else:
        chosen = list(chosen)
        for model in chosen:
            _draw_model(layout, context, model)
        if chosen:
            _draw_error(layout, context)


def draw_models(layout: Any, context: Any) -> None:
    """For the preferences: all of them."""
    if not runtime.installer.full:
        layout.label(text="Models")
        draw_sentence(layout, context, f"Models need the full engine. {OFFERS['depth']}", "INFO")
        return
    try:
        video = runtime.video_models()
    except BadModel as error:
        draw_sentence(layout, context, f"{error.message} {error.remedy}", "ERROR", alert=True)
        video = runtime.shipped_video_models()
    for title, models in (("Depth Models", catalog()), ("Image-to-Video Models", video)):
        here = len(set(models) & (runtime.models.downloaded or set()))
        header, body = layout.panel(f"diorama_{title}", default_closed=True)
        header.label(text=f"{title} ({here} of {len(models)} on this machine)")
        if body is None:
            continue
        for model in models.values():
            column = body.box().column()
            column.label(text=model.name)
            _draw_model(column, context, model, details=True)
    _draw_error(layout, context)


def _draw_model(layout: Any, context: Any, model: Model, details: bool = False) -> None:
    """Its facts come before its button. details: also what only the preferences show."""
    shelf = runtime.models
    job = shelf.job
    if shelf.downloaded is not None and model.id in shelf.downloaded:
        row = layout.row()
        row.label(text=f"Downloaded. Licence: {model.licence}", icon="CHECKMARK")
        if details:
            again = row.row()
            again.enabled = bpy.app.online_access and job is None
            again.operator("diorama.model_download", text="", icon="FILE_REFRESH").model = model.id  # what is missing
            row.operator("diorama.model_remove", text="", icon="TRASH").model = model.id
        elif shelf.devices:
            layout.label(text=f"Runs on: {shelf.devices[0]}")
        return
    draw_sentence(layout, context, model.facts)
    if job and getattr(job.request, "model", "") == model.id:
        row = layout.row(align=True)
        counted = f": {job.done} of {job.total} MB" if job.total > 1 else ""
        row.progress(factor=job.done / job.total if job.total else 0.0, text=f"{job.label}{counted}")
        row.operator("diorama.model_cancel", text="", icon="X")
    elif shelf.downloaded is None:
        layout.label(text="Looking whether it is downloaded…" if job else "Whether it is downloaded is not known yet.")
    elif not bpy.app.online_access:
        draw_offline(layout, context, f"{model.name} cannot be downloaded")
        draw_sentence(layout, context, OFFERS[model.kind])
    else:
        row = layout.row()
        row.enabled = job is None
        row.operator("diorama.model_download", text=f"Download ({model.size})", icon="IMPORT").model = model.id


def _draw_error(layout: Any, context: Any) -> None:
    error = runtime.models.error
    if error:
        draw_sentence(layout, context, f"{error.message} {error.remedy}", "ERROR", alert=True)
    if error or runtime.models.downloaded is None:
        row = layout.row()
        row.enabled = not runtime.models.busy
        row.operator("diorama.models_look", icon="FILE_REFRESH")
