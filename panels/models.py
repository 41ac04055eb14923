"""The depth models: which there are, what they cost, what is here. Drawn in the sidebar and in the preferences."""

from __future__ import annotations

from typing import Any

import bpy

from ..session import runtime
from ..session.installer import InstallState
from ..session.models import DepthModel, catalog
from .engine import draw_full_offer, draw_offline
from .text import draw_sentence

DRAFT = "Draft depth works without it."


def draw_model_choice(layout: Any, context: Any, settings: Any) -> None:
    """The chosen model, and everything that stands between it and a clip."""
    layout.prop(settings, "depth_model")
    if settings.depth_model == "folder":
        layout.prop(settings, "depth_folder", text="Folder")
    if runtime.installer.state is InstallState.installing:
        draw_sentence(layout, context, "The engine is being installed.", "SORTTIME")
    elif not runtime.installer.full:
        draw_full_offer(layout, context)
        draw_sentence(layout, context, DRAFT)
    elif settings.depth_model != "folder":
        _draw_model(layout, context, catalog()[settings.depth_model])
        _draw_error(layout, context)


def draw_models(layout: Any, context: Any) -> None:
    """For the preferences: all of them."""
    layout.label(text="Depth Models")
    if not runtime.installer.full:
        draw_sentence(layout, context, f"Models need the full engine. {DRAFT}", "INFO")
        return
    for model in catalog().values():
        column = layout.box().column()
        column.label(text=model.name)
        _draw_model(column, context, model, details=True)
    _draw_error(layout, context)


def _draw_model(layout: Any, context: Any, model: DepthModel, details: bool = False) -> None:
    """Its facts come before its button. details: also what only the preferences show."""
    shelf = runtime.models
    job = shelf.job
    if shelf.downloaded is not None and model.id in shelf.downloaded:
        row = layout.row()
        row.label(text=f"Downloaded. Licence: {model.licence}", icon="CHECKMARK")
        if details:
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
        draw_sentence(layout, context, DRAFT)
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
