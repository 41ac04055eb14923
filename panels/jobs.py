"""One entry per job: how far it is, what went wrong, what can be done."""

from __future__ import annotations

from typing import Any

import bpy

from ..operators import results
from ..operators.combine import KIND
from ..sequencer import live_preview
from ..session import runtime
from ..session.queue import Job, JobState
from .text import draw_sentence

PREVIEW_SCALE = 10.0
STAGES = {
    "scene": "Opening the scene",
    "load": "Reading the photo",
    "depth": "Estimating depth",
    "layers": "Building layers",
    "path": "Planning the move",
    "render": "Rendering",
    "write": "Writing the clip",
    "measure": "Looking at the clip",
    "finish": "Making the frames",
}


def progress_text(job: Job) -> str:
    """What is happening, in words: "Rendering 12 of 96, 8 s left"."""
    if job.state is JobState.waiting:
        return "Waiting"
    if job.state is JobState.cancelling:
        return "Cancelling"
    if not job.stage:
        return "Starting"
    counted = f" {job.done} of {job.total}" if job.total > 1 else ""
    left = f", {time_text(job.seconds_left)} left" if job.seconds_left >= 0 else ""
    names = STAGES | GENERATE_STAGES if "generate" in job.tag else STAGES
    return f"{names.get(job.stage, job.stage)}{counted}{left}"


def time_text(seconds: float) -> str:
    """In the two largest units that matter: "8 s", "4 min 56 s", "2 h 5 min"."""
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if minutes else f"{rest} s"
    return f"{minutes // 60:,} h {minutes % 60} min".replace(",", " ")


GENERATE_STAGES = {  # of a clip by an image-to-video model, where they mean something else
    "load": "Loading the model",
    "encode": "Reading the prompt",
    "denoise": "Step",
    "decode": "Drawing the frames",
    "finish": "Frames",
}


class DIORAMA_PT_jobs(bpy.types.Panel):
    bl_label = "Jobs"
    bl_space_type = "SEQUENCE_EDITOR"
    bl_region_type = "UI"
    bl_category = "Diorama"
    bl_order = 0  # below the buttons that start them

    @classmethod
    def poll(cls, _context: Any) -> bool:
        return bool(runtime.queue.jobs)

    def draw(self, context: Any) -> None:
        for job in runtime.queue.jobs:
            self.draw_job(self.layout.box().column(), context, job)

    def draw_job(self, column: Any, context: Any, job: Job) -> None:
        column.label(text=job.label, icon="IMAGE_DATA")
        if not job.ended:
            row = column.row(align=True)
            row.progress(factor=job.done / job.total if job.total else 0.0, text=progress_text(job))
            row.operator("diorama.cancel", text="", icon="X").job_id = job.id
            if icon := live_preview.icon(job.id):
                column.template_icon(icon, scale=PREVIEW_SCALE)
            return
        if results.is_finishing(job):
            column.label(text="Putting it into the scene")
            return
        row = column.row(align=True)
        if job.state is JobState.failed and job.error:
            draw_sentence(column, context, f"{job.error.message} {job.error.remedy}", "ERROR", alert=True)
            row = column.row(align=True)
            row.operator("diorama.retry", icon="FILE_REFRESH").job_id = job.id
        elif job.state is JobState.finished:
            draw_sentence(column, context, results.note_of(job) or "The clip is ready.", "INFO")
            row = column.row(align=True)
            if job.tag.get("kind", KIND) == KIND and "clip" in (job.result or {}):
                row.operator("diorama.insert_clip", icon="ADD").job_id = job.id
        row.operator("diorama.dismiss", text="", icon="X").job_id = job.id


CLASSES = (DIORAMA_PT_jobs,)
