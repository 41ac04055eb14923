"""Which strips a person means, and one plain sentence for each that cannot be used."""

from __future__ import annotations

from typing import Any

from ..engine.errors import BadSelection, BadStill, DioramaError
from . import compat
from .placement import free_channel, holder_of, still_path

SELECT_A_PHOTO = "Select a photo (an image strip) and try again."
KINDS = {
    "MOVIE": "a movie strip",
    "SOUND": "a sound strip",
    "COLOR": "a colour strip",
    "TEXT": "a text strip",
    "META": "a meta strip",
    "SCENE": "a scene strip",
    "MOVIECLIP": "a movie clip strip",
    "MASK": "a mask strip",
}


def selected_strips(scene: Any) -> list[Any]:
    """The selected strips from left to right, at the level that the Sequencer shows (within an opened meta strip)."""
    editor = scene.sequence_editor
    if editor is None:
        return []
    shown = compat.strips(editor.meta_stack[-1] if editor.meta_stack else editor)
    return sorted((s for s in shown if s.select), key=lambda s: (compat.left_handle(s), s.channel))


def selected_images(scene: Any) -> list[Any]:
    """The image strips among the selected strips, for a panel: nothing else is checked."""
    return [strip for strip in selected_strips(scene) if strip.type == "IMAGE"]


def active_clip(context: Any) -> Any:
    """The active strip if Diorama made it, else None."""
    editor = compat.sequencer_scene(context).sequence_editor
    strip = editor.active_strip if editor else None
    return strip if strip and strip.select and strip.diorama.is_clip else None


def selected_stills(scene: Any) -> tuple[list[Any], list[DioramaError]]:
    """The usable stills among the selected strips, and why each of the others is refused.

    Raises BadSelection when nothing is selected at all.
    """
    selected = selected_strips(scene)
    if not selected:
        raise BadSelection("No strip is selected in the Sequencer.", SELECT_A_PHOTO)
    usable: list[Any] = []
    refused: list[DioramaError] = []
    for strip in selected:
        try:
            check_still(scene, strip)
            usable.append(strip)
        except DioramaError as error:
            refused.append(error)
    return usable, refused


def check_still(scene: Any, strip: Any) -> None:
    """Raises BadSelection or BadStill, with a sentence that names the strip, if it cannot become a clip."""
    name = strip.name
    if strip.type != "IMAGE":
        raise BadSelection(f"'{name}' is {KINDS.get(strip.type, 'an effect strip')}, not a still.", SELECT_A_PHOTO)
    if len(strip.elements) > 1:
        raise BadSelection(f"'{name}' is a sequence of {len(strip.elements)} pictures, not a still.", SELECT_A_PHOTO)
    if strip.diorama.is_depth:
        raise BadSelection(f"'{name}' shows the depth of a clip.", "Select the photo below it and try again.")
    holder = holder_of(scene, strip)
    channel = holder.channels[strip.channel]
    # The channel first: a strip in a locked channel says of itself that it is locked.
    if channel.lock:
        raise BadSelection(
            f"The channel of '{name}' is locked.", "Unlock it with the padlock beside the channel's name and try again."
        )
    if strip.lock:
        raise BadSelection(f"'{name}' is locked.", "Unlock the strip and try again.")
    if channel.mute:
        raise BadSelection(
            f"The channel of '{name}' is muted.", "Show it with the box beside the channel's name and try again."
        )
    if strip.mute:
        raise BadSelection(f"'{name}' is muted, so nothing of it can be seen.", "Unmute the strip and try again.")
    path = still_path(strip)
    if not path.parent.is_dir():
        raise BadStill(
            f"The folder of '{name}' is missing: {path.parent}",
            "Bring the folder back, or set the strip's path in its Source panel.",
        )
    if not path.is_file():
        raise BadStill(
            f"The picture of '{name}' is missing: {path}",
            "Bring the file back, or set the strip's path in its Source panel.",
        )
    if free_channel(holder, strip.channel, compat.left_handle(strip), compat.right_handle(strip)) is None:
        raise BadSelection(
            f"There is no free channel above '{name}'.", "Move strips or unlock a channel above it and try again."
        )
