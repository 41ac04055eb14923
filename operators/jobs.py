"""What a person does with a running or ended job."""

from __future__ import annotations

from typing import Any

import bpy

from ..engine.errors import DioramaError
from ..sequencer import compat
from ..session import runtime
from . import results


class _JobOperator:
    bl_options = {"INTERNAL"}

    job_id: bpy.props.StringProperty(options={"HIDDEN", "SKIP_SAVE"})


class DIORAMA_OT_cancel(_JobOperator, bpy.types.Operator):
    """Stop this job; nothing of its clip is kept"""

    bl_idname = "diorama.cancel"
    bl_label = "Cancel"

    def execute(self, context: Any) -> set[str]:
        runtime.queue.cancel(self.job_id)
        return {"FINISHED"}


class DIORAMA_OT_retry(_JobOperator, bpy.types.Operator):
    """Run this job once more with the same still and settings"""

    bl_idname = "diorama.retry"
    bl_label = "Try Again"

    def execute(self, context: Any) -> set[str]:
        job = results.find_job(self.job_id)
        if job is None or not job.ended:
            self.report({"ERROR"}, "This job is no longer in the list. Press Camera Move to start a new one.")
            return {"CANCELLED"}
        results.retry(job)
        return {"FINISHED"}


class DIORAMA_OT_dismiss(_JobOperator, bpy.types.Operator):
    """Take this entry off the list; a finished clip stays on disk"""

    bl_idname = "diorama.dismiss"
    bl_label = "Dismiss"

    def execute(self, context: Any) -> set[str]:
        results.forget(self.job_id)
        return {"FINISHED"}


class DIORAMA_OT_insert_clip(_JobOperator, bpy.types.Operator):
    """Put this finished clip at the playhead"""

    bl_idname = "diorama.insert_clip"
    bl_label = "Insert at Playhead"

    def execute(self, context: Any) -> set[str]:
        job = results.find_job(self.job_id)
        if job is None or job.result is None:
            self.report({"ERROR"}, "This clip is no longer in the list. Add it with Add > Movie in the Sequencer.")
            return {"CANCELLED"}
        try:
            results.insert_at_playhead(compat.sequencer_scene(context), job)
        except DioramaError as error:
            self.report({"ERROR"}, results.remember_errors([error]))
            return {"CANCELLED"}
        return {"FINISHED"}


CLASSES = (DIORAMA_OT_cancel, DIORAMA_OT_retry, DIORAMA_OT_dismiss, DIORAMA_OT_insert_clip)
