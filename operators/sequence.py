"""A sequence from photos: cut to a length, to markers or to a sound, with a camera move for each photo."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection, DioramaError
from ..engine.protocol import MoveSettings
from ..sequencer import compat, identity, listen, slideshow
from ..sequencer.selection import selected_stills, selected_strips
from ..session import runtime
from . import generate_jobs, results
from .combine import CombineOperator

_listening: list[tuple[Future[Any], Callable[[Any], None]]] = []
_waiting: list[tuple[dict[str, Any], MoveSettings | None]] = []  # photos whose clips are still to be asked for


class DIORAMA_OT_sequence(CombineOperator, bpy.types.Operator):
    """Make one meta strip of the selected photos, cut to a length or to the beat, and a moving clip of each photo"""

    bl_idname = "diorama.sequence"
    bl_label = "Make Sequence"

    def work(self, scene: Any) -> None:
        runtime.installer.require_python()
        settings = scene.diorama_combine
        if settings.style == "generate":
            _check_generate(scene.diorama_generate)
        photos, sounds = _photos(scene), [s for s in selected_strips(scene) if s.type == "SOUND"]
        start = compat.left_handle(photos[0])
        if settings.beats == "LENGTH":
            length = round(settings.sequence_seconds * scene.render.fps / scene.render.fps_base)
            _build(scene, photos, slideshow.even_cuts(start, length, len(photos)))
        elif settings.beats == "MARKERS":
            markers = [marker.frame for marker in scene.timeline_markers][:: settings.beats_each]
            _build(scene, photos, slideshow.marker_cuts(start, sorted(markers), len(photos)))
        else:
            if not sounds:
                raise BadSelection("No sound strip is selected.", "Select the music together with the photos.")
            _listen(scene, photos, sounds[0])


def _check_generate(settings: Any) -> None:
    """Raises a DioramaError for what would stop each of the clips, before anything is laid out."""
    generate_jobs.check_models(settings)
    controls = frozenset[str]().union(*map(generate_jobs.controls_of, settings.model_names()))
    if settings.last_from == "next" and "last_image" in controls:
        raise BadSelection("The photos of a sequence fade into each other.", "Set Ends With to something else.")
    if settings.use_rig and controls & {"camera_path", "control_video"}:
        raise BadSelection("The photos of a sequence have no camera rigs.", "Leave Follow the Rig off.")


def _photos(scene: Any) -> list[Any]:
    """The selected photos. Raises the first error when one of them cannot be used, BadSelection for fewer than two."""
    pictures, errors = selected_stills(scene)
    selected = {strip.name for strip in selected_strips(scene) if strip.type == "IMAGE"}
    errors = [error for error in errors if any(f"'{name}'" in error.message for name in selected)]
    if errors:
        raise errors[0]
    if len(pictures) < 2:
        raise BadSelection("A sequence needs two photos or more.", "Select them and try again.")
    return pictures


def _build(scene: Any, photos: list[Any], cuts: list[int]) -> None:
    """Lays the sequence out, as one undo step, and asks for its clips one by one."""
    settings = scene.diorama_combine
    style = slideshow.STYLES.get(settings.style, slideshow.STYLES["calm"])
    fade = "" if settings.fade == "NONE" else settings.fade
    _, entries = slideshow.build(scene, photos, cuts, style, fade)
    for entry in entries:
        tag = identity.mark(scene, entry.strip) | {"file": results.files_opened()}
        _waiting.append((tag, entry.move if settings.style != "generate" else None))
    bpy.ops.ed.undo_push(message="Photo Sequence")


def _listen(scene: Any, photos: list[Any], sound: Any) -> None:
    """Looks for the beats of a sound in a thread; the sequence is built by the timer when they are known."""
    path = Path(bpy.path.abspath(sound.sound.filepath))
    if not path.is_file():
        raise BadSelection(f"The file of '{sound.name}' is missing: {path}", "Bring it back and try again.")
    rate = scene.render.fps / scene.render.fps_base
    content, end = compat.content_start(sound), compat.right_handle(sound)
    tags = [identity.mark(scene, photo) for photo in photos]
    file = results.files_opened()

    def build(beats: Any) -> None:
        found = [identity.require(tag, file == results.files_opened()) for tag in tags]
        strips, start = [strip for _, strip in found], compat.left_handle(found[0][1])
        _build(found[0][0], strips, slideshow.sound_cuts(start, end, beats, len(strips)))

    if end <= compat.left_handle(photos[0]):
        raise BadSelection(f"'{sound.name}' ends before the first photo.", "Lay the photos over their music.")
    pool = ThreadPoolExecutor(1, "diorama-listen")
    _listening.append((pool.submit(listen.beats, path, content, rate), build))
    pool.shutdown(wait=False)


def advance() -> bool:
    """Called by the timer: a sound that was listened to, or the next photo's clip. Whether there is more."""
    try:
        if _listening and _listening[0][0].done():
            future, build = _listening.pop(0)
            build(future.result())
        elif _waiting and not results.blender_is_occupied():
            _ask(*_waiting.pop(0))
    except DioramaError as error:
        results.remember_errors([error])
    except RuntimeError as error:
        results.remember_errors([BadSelection(f"The sound cannot be read: {error}.", "Choose another sound.")])
    return bool(_waiting)


def _ask(tag: dict[str, Any], move: MoveSettings | None) -> None:
    """Submits one photo's clip. Without a move a model makes it. Raises a DioramaError."""
    found = identity.find(tag, tag["file"] == results.files_opened())
    if found is None:
        return  # undone, or deleted: nothing is missed
    scene, strip = found
    if move is None:
        generate_jobs.submit(scene, strip)
        return
    results.submit_still(scene, strip, move)


results.background_work.append(advance)
CLASSES = (DIORAMA_OT_sequence,)
