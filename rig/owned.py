"""What a rig owns: every data-block carries the rig's id, is found by it and removed with it; never by a name."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection
from ..sequencer import compat
from .nodes import materials_of, pictures_of

TAG = "diorama_rig"  # on every data-block of a rig: the rig's id
PART = "diorama_part"  # on some: what it is for the rig
FACTS = "diorama_rig_facts"  # on the rig's scene: JSON, see Rig.facts
CAMERA, PIVOT, LAYER = "camera", "pivot", "layer"
PLACED = ("COLLECTION", "OBJECT")  # are the rig's alone; all else may be used by what a person made
SHARED = ("MESH", "CAMERA", "MATERIAL", "IMAGE", "ACTION")  # users before what they use
KINDS = ("scenes", "collections", "objects", "meshes", "cameras", "materials", "images", "actions")


@dataclass(frozen=True)
class Rig:
    """A rig as it is now. Never keep one from one tick to the next.

    facts: the engine's result of the LayersRequest, with "folder" relative to the .blend, and "strip", "source_id".
    """

    id: str
    scene: Any
    facts: dict[str, Any]

    @classmethod
    def of(cls, scene: Any) -> Rig:
        """The rig of a scene that is known to be one."""
        return cls(scene[TAG], scene, json.loads(scene[FACTS]))

    @property
    def folder(self) -> Path:
        return Path(bpy.path.abspath(self.facts["folder"]))

    @property
    def camera(self) -> Any:
        """The rig's own camera. Raises BadSelection if it was deleted."""
        return self._part(CAMERA, "camera")

    @property
    def pivot(self) -> Any:
        """The empty around which the camera turns. Raises BadSelection if it was deleted."""
        return self._part(PIVOT, "pivot")

    @property
    def moves(self) -> bool:
        """Whether the camera and its pivot are still there."""
        return {CAMERA, PIVOT} <= {o.get(PART) for o in self._objects()}

    @property
    def layers(self) -> list[Any]:
        """The layers' objects that are still in the scene, back to front."""
        return sorted((o for o in self._objects() if o.get(PART) == LAYER), key=lambda o: o["diorama_layer"])

    @property
    def size(self) -> tuple[int, int]:
        width, height = self.facts["size"]
        return width, height

    def _objects(self) -> list[Any]:
        return [o for o in self.scene.objects if o.get(TAG) == self.id]

    def _part(self, part: str, word: str) -> Any:
        for item in self._objects():
            if item.get(PART) == part:
                return item
        raise BadSelection(f"The {word} of '{self.scene.name}' was deleted.", "Undo that, or build the rig again.")


def tag(block: Any, rig_id: str, part: str = "") -> Any:
    """Marks a data-block as the rig's, and returns it."""
    block[TAG] = rig_id
    if part:
        block[PART] = part
    return block


def rig_of(scene: Any) -> Rig | None:
    """The rig whose scene this is, or None."""
    if scene is None or TAG not in scene or FACTS not in scene:
        return None
    return Rig.of(scene)


def rigs() -> list[Rig]:
    """Every rig of the file."""
    found = (rig_of(scene) for scene in bpy.data.scenes)
    return [rig for rig in found if rig]


def find(rig_id: str) -> Rig | None:
    """The rig with that id, or None; one of this file goes before one that is linked, the original before a copy."""
    same = [rig for rig in rigs() if rig.id == rig_id]
    return min(same, key=lambda rig: _seniority(rig.scene)) if len(same) > 1 else next(iter(same), None)


def _seniority(scene: Any) -> tuple[bool, bool, int]:
    """Of scenes that carry the same id, the least is the rig and the others are copies that a person made."""
    shown = any(
        strip.type == "SCENE" and strip.scene == scene
        for timeline in bpy.data.scenes
        for strip in compat.strips_all(timeline)
    )
    return scene.library is not None, not shown, scene.session_uid


def separated(rig: Rig) -> Rig:
    """The rig itself, or, where a person made a full copy of its scene, that copy as a rig of its own from now on.

    A linked copy shares the rig's objects; it stays the same rig.
    """
    first = find(rig.id)
    if first is None or first.scene == rig.scene or rig.scene.library is not None:
        return rig
    mine = _reached(rig) - _reached(first)
    if not any(block.id_type == "OBJECT" for block in mine):
        return rig
    fresh = uuid.uuid4().hex
    for block in (*mine, rig.scene):
        block[TAG] = fresh
    return Rig.of(rig.scene)


def _reached(rig: Rig) -> set[Any]:
    """Every data-block of the rig that its scene uses."""
    found: set[Any] = set(rig.scene.collection.children_recursive)
    for item in rig.scene.objects:
        found |= {item, item.data}
        for paint in materials_of(item):
            found |= {paint, *pictures_of(paint)}
    found |= {block.animation_data.action for block in list(found) if getattr(block, "animation_data", None)}
    return {block for block in found if block is not None and block.get(TAG) == rig.id}


def set_facts(scene: Any, facts: dict[str, Any]) -> None:
    """Keeps what the rig must know in its scene; a folder beside the .blend becomes relative to it."""
    scene[FACTS] = json.dumps(facts | {"folder": blend_path(facts["folder"])}, ensure_ascii=False)


def blend_path(path: str) -> str:
    """Relative to the .blend where that is possible, so that a project folder can be moved as a whole."""
    if path.startswith("//") or not bpy.data.filepath or Path(path).drive != Path(bpy.data.filepath).drive:
        return path
    return bpy.path.relpath(path)


def blocks(rig_id: str) -> Iterator[Any]:
    """Every data-block of this file that the rig owns."""
    for kind in KINDS:
        for block in getattr(bpy.data, kind):
            if block.library is None and block.get(TAG) == rig_id:
                yield block


def check_editable(scene: Any) -> None:
    """Raises BadSelection for a scene that cannot be changed because it lies in another file."""
    if scene.library is not None or scene.override_library is not None:
        raise BadSelection(
            f"The scene '{scene.name}' is linked from another file.", "Open that file, or make the scene local first."
        )


def foreign(rig: Rig) -> list[Any]:
    """Objects in the rig's scene that a person put there and that stand in no other scene."""
    others = [scene for scene in bpy.data.scenes if scene.get(TAG) != rig.id]
    added = [item for item in rig.scene.objects if item.get(TAG) != rig.id]
    return [item for item in added if not any(item.name in scene.objects for scene in others)]


def check_removable(rig: Rig) -> None:
    """Raises BadSelection when the file has no other scene."""
    if all(scene.get(TAG) == rig.id for scene in bpy.data.scenes):
        raise BadSelection(f"'{rig.scene.name}' is the only scene of this file.", "Make another scene first.")


def remove(rig_id: str) -> None:
    """Removes the rig and all that it owns, also what is left of one whose scene was deleted; strips that show it are
    the caller's. What a person put into its scene, and what a person's own things use of it, stays in the file.

    Raises BadSelection when the file has no other scene.
    """
    rig = find(rig_id)
    if rig is not None:
        check_removable(rig)
        for item in foreign(rig):
            item.use_fake_user = True
        for scene in [item for item in bpy.data.scenes if item.library is None and item.get(TAG) == rig_id]:
            _leave(scene)
            bpy.data.scenes.remove(scene)
    discard(blocks(rig_id))


def discard(doomed: Iterable[Any]) -> None:
    """Removes data-blocks of a rig; those that something else still uses stay, and are the rig's no longer."""
    kinds: dict[str, list[Any]] = {}
    for block in doomed:
        kinds.setdefault(block.id_type, []).append(block)
    for kind in PLACED:
        bpy.data.batch_remove(kinds.get(kind, []))
    for kind in SHARED:
        used = [block for block in kinds.get(kind, []) if block.users]
        for block in used:
            del block[TAG]
        bpy.data.batch_remove([block for block in kinds.get(kind, []) if block not in used])


def _leave(scene: Any) -> None:
    """Shows another scene in the windows that show this one."""
    other = next(item for item in bpy.data.scenes if item.get(TAG) != scene[TAG])
    for window in bpy.context.window_manager.windows:
        if window.scene == scene:
            window.scene = other
