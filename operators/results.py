"""What happens on Blender's side around a job: it is submitted, it ends, its clip goes onto the timeline.

submit_selected()  what an operator does with every selected photo
submit_still()     the still is captured and its camera move goes into the queue
pump()             called by the timer, in background mode by tests and dev.py: takes in what happened, places clips
"""

from __future__ import annotations

import re
import shutil
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import bpy

from ..engine.camera import MOVES
from ..engine.errors import BadSelection, DioramaError
from ..engine.protocol import CameraMoveRequest, DepthSettings, MoveSettings
from ..preferences import SUFFIXES, preferences
from ..rig import owned
from ..sequencer import paint, placement, source, take_sound, takes
from ..sequencer.selection import selected_stills
from ..session import runtime
from ..session.background_render import STAGED_SUFFIX
from ..session.installer import default_data_folder
from ..session.queue import Job, JobState

BUSY_SECONDS, IDLE_SECONDS = 0.1, 0.25  # idle: how long a fresh job waits for its first look; a look takes microseconds
PAINT_SUFFIX = ".png"  # of a paint-over, written beside the still of its job
INPUTS = "inputs"  # folder beside the clips: what they were generated from, so that they can be made again
INPUT_NAMES = ("image", "last_image", "mask")  # of a request: paths of such pictures
OLD_STILL_SECONDS = 7 * 24 * 3600  # a crashed Blender leaves its stills behind
MODAL_EDITS = ("TRANSFORM_OT_", "SEQUENCER_OT_")

# By job.tag["kind"], for jobs that are not a camera move: takes the result a step further, each pump one step, and
# returns whether that was the last. A DioramaError that it raises stays with the job as its note.
finishers: dict[str, Callable[[Job], bool]] = {}

background_work: list[Callable[[], bool]] = []  # called by pump(), a moment each; whether there is more to do
_unplaced: list[str] = []  # ids of finished jobs whose clip waits until Blender can take it
_notes: dict[str, str] = {}  # job id -> why its clip is not on the timeline
_last_error: list[str] = []  # what the last Camera Move reported, for the panel
_files_opened = [0]  # counts opened .blend files: a job remembers in which one it was started


# ------------------------------------------------------------------ before a job


def submit_selected(operator: Any, scene: Any, submit: Callable[[Any, Any], object]) -> set[str]:
    """Submits a job for every selected photo, and tells of each of the others why not; what execute() returns.

    submit: takes the scene and a strip, as submit_still() does; may raise a DioramaError, which ends the round.
    """
    jobs, errors = 0, []
    try:
        if scene is None or scene.sequence_editor is None:
            raise BadSelection("This scene has no timeline in the Sequencer.", "Add a photo there first.")
        owned.check_editable(scene)
        runtime.installer.require_python()
        stills, errors = selected_stills(scene)
        for strip in stills:
            submit(scene, strip)
            jobs += 1
    except DioramaError as error:
        errors.append(error)
    if text := remember_errors(errors):
        operator.report({"WARNING"} if jobs else {"ERROR"}, text)
    return {"FINISHED"} if jobs else {"CANCELLED"}


def submit_still(scene: Any, strip: Any, move: MoveSettings | None = None) -> Job:
    """Captures the strip's still and queues its camera move. Raises a DioramaError; then nothing was changed.

    move: None = the panel's.
    """
    settings, chosen = scene.diorama, preferences()
    wanted: MoveSettings = move or settings.move_settings()
    still = source.describe(scene, strip, new_still_path())
    request = CameraMoveRequest(
        image=still.image,
        output=new_clip_path(chosen.clip_path(), f"{strip.name} {wanted.name}", chosen.clip_format),
        num_frames=still.num_frames,
        fps=still.fps,
        clip_format=chosen.clip_format,
        move=wanted,
        depth=depth_settings(settings, still.image),
        lens=settings.lens_settings(),
        visible_only=True,
        frame_width=still.frame_width,
        frame_height=still.frame_height,
        fill=settings.fill_path(),
    )
    tag = {
        "scene": scene.name,
        "strip": strip.name,
        "source_id": placement.mark_source(scene, strip),
        "picture": str(placement.still_path(strip)),
        "file": _files_opened[0],
        "move_label": MOVES[wanted.name].label,
    }
    return runtime.queue.submit(request, strip.name, tag)


def depth_settings(settings: Any, image: str) -> DepthSettings:
    """The scene's depth settings, its paint-over written out beside the still. Raises a DioramaError."""
    return settings.depth_settings(paint.write(settings.correction, Path(image).with_suffix(PAINT_SUFFIX)))


def new_still_path() -> Path:
    """A file of its own in the data folder; old ones are removed first."""
    folder = default_data_folder() / "stills"
    for old in folder.glob("*.*"):
        if time.time() - old.stat().st_mtime > OLD_STILL_SECONDS:
            old.unlink(missing_ok=True)
    return folder / f"{uuid.uuid4().hex}.tif"


def new_clip_path(folder: Path, name: str, clip_format: str) -> str:
    """A path that no file and no unfinished job has."""
    stem = re.sub(r"[^\w-]+", "_", name).strip("_")
    taken = {getattr(job.request, "output", "") for job in runtime.queue.jobs}
    number = 1
    while True:
        path = folder / f"{stem}_{number:03}{SUFFIXES[clip_format]}"
        if str(path) not in taken and not path.exists():
            return str(path)
        number += 1


def retry(job: Job) -> None:
    """Submits a failed job's request again; the still is the one from then."""
    forget(job.id, keep_still=True)
    runtime.queue.submit(job.request, job.label, job.tag)


# ------------------------------------------------------------------ while jobs run


def pump() -> float:
    """Takes in what the engine and the installer did, places clips; returns the seconds until the next call."""
    busy = runtime.busy()
    if runtime.models_unknown() and any(map(wants_models, bpy.data.scenes)):
        runtime.models.look()
    for job in runtime.pump():
        if job.state is JobState.finished:
            _unplaced.append(job.id)
        elif job.state is JobState.cancelled:
            forget(job.id)
    if _unplaced and not blender_is_occupied():
        place(_unplaced.pop(0))  # one per call, so that Blender never waits for many
    more = [work() for work in background_work]
    if busy or _unplaced:
        redraw_panels()
    if any(more):
        return 0.0  # what is worked on in small pieces goes on as soon as Blender has drawn
    return BUSY_SECONDS if runtime.busy() or _unplaced else IDLE_SECONDS


def wants_models(scene: Any) -> bool:
    """Whether it matters for a scene which models are on this machine: it uses one, or its panel for them is open."""
    return scene.diorama.depth_source == "model" or runtime.models.asked


def blender_is_occupied() -> bool:
    """Whether strips must not be added now: a render reads them, or the person is dragging one."""
    if bpy.app.is_job_running("RENDER"):
        return True
    windows = bpy.context.window_manager.windows
    return any(modal.bl_idname.startswith(MODAL_EDITS) for window in windows for modal in window.modal_operators)


def place(job_id: str) -> None:
    """Puts a finished job's clip above its source, or keeps it on offer in the panel with a sentence why."""
    job = find_job(job_id)
    if job is None or job.result is None:
        return
    if job.tag.get("kind", "") in finishers:
        finish(job)
        return
    found = placement.find_source(job.tag, job.tag["file"] == _files_opened[0])
    if found is None:
        _notes[job.id] = f"'{job.label}' is no longer on the timeline; its clip is kept."
        return
    sound = take_sound.insert(*found, job.id, job.tag, job.result)
    try:
        takes.add(*found, job.id, job.tag, job.result)
    except DioramaError as error:
        if sound is not None:
            take_sound.remove(found[0], sound)
        _notes[job.id] = f"{error.message} {error.remedy}"
        return
    forget(job.id)


def finish(job: Job) -> None:
    """Takes the result of a job of another kind a step further."""
    try:
        if not finishers[job.tag["kind"]](job):
            _unplaced.insert(0, job.id)
            return
    except DioramaError as error:
        _notes[job.id] = f"{error.message} {error.remedy}"
        return
    forget(job.id)


def insert_at_playhead(scene: Any, job: Job) -> None:
    """Puts a clip on offer at the playhead. Raises BadSelection without a free channel."""
    assert job.result is not None
    placement.insert_at(scene, scene.frame_current, job.id, job.tag, job.result)
    forget(job.id)


# ------------------------------------------------------------------ what the panel asks


def find_job(job_id: str) -> Job | None:
    return next((job for job in runtime.queue.jobs if job.id == job_id), None)


def note_of(job: Job) -> str:
    """Why a finished clip is not on the timeline, or ""."""
    return _notes.get(job.id, "")


def last_error() -> str:
    return " ".join(_last_error)


def remember_errors(errors: list[DioramaError]) -> str:
    """Keeps the sentences for the panel and returns them as one text; an empty list clears it."""
    _last_error[:] = [f"{error.message} {error.remedy}" for error in errors]
    return last_error()


def forget(job_id: str, keep_still: bool = False) -> None:
    """Drops an ended job, and its still with it. A clip that is already written stays on disk."""
    job = find_job(job_id)
    if job is None:
        return
    runtime.queue.forget(job_id)
    _notes.pop(job_id, None)
    if not keep_still:
        drop_still(job)


def drop_still(job: Job) -> None:
    """Deletes what was written for a job alone: captured stills, rendered footage, the .blend that a render reads."""
    own = default_data_folder()
    for name in ("image", "last_image", "z_picture", "blend", "staged"):
        path = Path(getattr(job.request, name, ""))  # what has no still of its own works on a folder that stays
        if name == "staged" and path.name.endswith(STAGED_SUFFIX):
            shutil.rmtree(path, ignore_errors=True)
        elif path.parent in (own / "stills", own / "renders"):
            path.unlink(missing_ok=True)
            path.with_suffix(PAINT_SUFFIX).unlink(missing_ok=True)
    steps = [part.path for part in getattr(job.request, "parts", ())]  # what was made on the way to a clip
    for step in [*steps, getattr(job.request, "folder", "")]:
        if Path(step).parent == own / "footage":
            shutil.rmtree(step, ignore_errors=True)
            Path(f"{step}.json").unlink(missing_ok=True)
    if job.result is None:  # what a clip was made from stays beside it; there is none
        needed = {getattr(other.request, name, "") for other in runtime.queue.jobs for name in INPUT_NAMES}
        for name in {getattr(job.request, name, "") for name in INPUT_NAMES} - needed:
            if Path(name).parent.name == INPUTS:
                Path(name).unlink(missing_ok=True)


def files_opened() -> int:
    """How many .blend files were opened so far: which one a job belongs to."""
    return _files_opened[0]


def is_finishing(job: Job) -> bool:
    """Whether the engine is done and Blender's own part is being done now."""
    return job.id in _unplaced


def file_opened() -> None:
    """Another .blend is open now: jobs go on, their clips go to their strips only where the strips' ids are found."""
    _files_opened[0] += 1
    _last_error.clear()


def clear() -> None:
    """For unregister: drops all that was remembered, and the stills of jobs that will not go on."""
    for job in runtime.queue.jobs:
        drop_still(job)
    _unplaced.clear()
    _notes.clear()
    _last_error.clear()


def redraw_panels() -> None:
    """Only the sidebars: to draw the whole timeline ten times a second would cost more than the job's own share."""
    for window in bpy.context.window_manager.windows:
        for area in window.screen.areas:
            if area.type in ("SEQUENCE_EDITOR", "PREFERENCES"):
                for region in area.regions:
                    if region.type == "UI" or area.type == "PREFERENCES":
                        region.tag_redraw()
