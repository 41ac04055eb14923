"""A photo or clip projected from the camera onto objects, so that a moving picture can dress a set.

The picture is projected point by point in the material and not through UVs: it is right on any geometry, large faces
included, and needs no modifier. The projector is an empty where the camera stood, so that the camera may then move. A
projection knows no shadows: what lies behind something shows the same picture.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import bpy

from ..engine.errors import BadSelection, BadStill
from .nodes import materials_of, new_tree, pictures_of
from .sample import check_camera, size_of, view_of

TAG = "diorama_projection"  # on the material, the projector and the picture
MOVIES = frozenset({".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg"})
REACH = 0.2  # size of the empty that marks the projector


def project(scene: Any, objects: Iterable[Any], picture: Path) -> int:
    """Projects the picture onto every mesh among the objects; returns how many there were.

    picture: a still, a movie, or a folder of numbered pictures. An object's own materials stay with its mesh and come
    back when its slots are linked to the data again. An older projection on the objects goes. Raises BadSelection,
    BadStill; then nothing was changed.
    """
    camera = check_camera(scene)
    meshes = [item for item in objects if item.type == "MESH"]
    if not meshes:
        raise BadSelection("No mesh object is selected.", "Select the objects that shall show the picture.")
    for item in meshes:
        if item.library is not None or item.data.library is not None:
            raise BadSelection(f"'{item.name}' is linked from another file.", "Make it local, or leave it out.")
    image, size = _load(picture)
    depsgraph = scene.view_layers[0].depsgraph
    depsgraph.update()
    evaluated = camera.evaluated_get(depsgraph)
    projector = _tagged(bpy.data.objects.new(f"{camera.name} Projector", None))
    projector.empty_display_type, projector.empty_display_size = "CONE", REACH
    projector.matrix_world = evaluated.matrix_world.normalized()
    scene.collection.objects.link(projector)
    material = _tagged(bpy.data.materials.new(f"{camera.name} Projection"))
    scale, offset = _mapping(scene, camera, depsgraph, size)
    _build(material, image, projector, scale, offset)
    for item in meshes:
        if not item.material_slots:
            item.data.materials.append(None)
        for slot in item.material_slots:
            slot.link = "OBJECT"  # the mesh keeps its own materials, and its other users keep theirs
            slot.material = material
    _remove_unused()
    return len(meshes)


def _load(picture: Path) -> tuple[Any, tuple[int, int]]:
    """The picture as a data-block, and its size in pixels. Raises BadStill."""
    remedy = "Choose a photo, a movie, or a folder of numbered pictures."
    files = sorted(file for file in picture.glob("*.png")) if picture.is_dir() else [picture]
    if not files or not files[0].is_file():
        raise BadStill(f"There is no picture to project: {picture}", remedy)
    try:
        image = bpy.data.images.load(str(files[0]), check_existing=False)
    except RuntimeError as error:
        raise BadStill(f"'{picture.name}' cannot be read as a picture.", remedy) from error
    if picture.suffix.lower() in MOVIES:
        image.source = "MOVIE"
    size = image.size[0], image.size[1]
    if not all(size):
        bpy.data.images.remove(image)
        raise BadStill(f"'{picture.name}' cannot be read as a picture.", remedy)
    if len(files) > 1:
        image.source = "SEQUENCE"  # has no size of its own until a frame of it is shown
    image["diorama_frames"] = max(len(files), image.frame_duration)
    return _tagged(image), size


def _mapping(
    scene: Any, camera: Any, depsgraph: Any, size: tuple[int, int]
) -> tuple[tuple[float, float], tuple[float, float]]:
    """(scale, offset) that turn x/-z and y/-z of the projector's axes into u and v of the picture, which covers the
    camera's whole frame, is centred in it and never stretched."""
    width, height = size_of(scene)
    k = view_of(scene, camera, depsgraph, width, height).intrinsics
    pixel = scene.render.pixel_aspect_x / scene.render.pixel_aspect_y
    wider = (size[0] / size[1]) / (width * pixel / height)
    across, down = (1 / wider, 1.0) if wider > 1 else (1.0, wider)
    scale = k.fx / width * across, k.fy / height * down
    centre = (k.cx + 0.5) / width, 1 - (k.cy + 0.5) / height
    return scale, (0.5 + (centre[0] - 0.5) * across, 0.5 + (centre[1] - 0.5) * down)


def _build(material: Any, image: Any, projector: Any, scale: tuple[float, float], offset: tuple[float, float]) -> None:
    tree, node = new_tree(material)
    place, split = node("TexCoord", 0, object=projector), node("SeparateXYZ", 1, 1)
    divide, project = node("VectorMath", 2, operation="DIVIDE"), node("VectorMath", 3, operation="MULTIPLY_ADD")
    # Divided by Z, which is minus the distance: x and y turn over, and the scale turns them back.
    project.inputs[1].default_value = (-scale[0], -scale[1], 0.0)
    project.inputs[2].default_value = (*offset, 0.0)
    texture = node("TexImage", 4, image=image, extension="CLIP")
    texture.image_user.use_auto_refresh = True
    texture.image_user.frame_start = 1
    texture.image_user.frame_duration = image["diorama_frames"]
    ahead = node("Math", 4, 1, operation="LESS_THAN")  # what lies behind the projector gets nothing
    ahead.inputs[1].default_value = 0.0
    lit = node("Math", 5, 1, operation="MULTIPLY")
    light, plain = node("Emission", 6), node("BsdfDiffuse", 6, 1)
    mix, out = node("MixShader", 7), node("OutputMaterial", 8)
    link = tree.links.new
    link(place.outputs["Object"], split.inputs[0])
    link(place.outputs["Object"], divide.inputs[0])
    link(split.outputs["Z"], divide.inputs[1])
    link(divide.outputs[0], project.inputs[0])
    link(project.outputs[0], texture.inputs["Vector"])
    link(split.outputs["Z"], ahead.inputs[0])
    link(texture.outputs["Alpha"], lit.inputs[0])
    link(ahead.outputs[0], lit.inputs[1])
    link(texture.outputs["Color"], light.inputs["Color"])
    link(lit.outputs[0], mix.inputs["Fac"])
    link(plain.outputs[0], mix.inputs[1])
    link(light.outputs[0], mix.inputs[2])
    link(mix.outputs[0], out.inputs["Surface"])
    tree.nodes.active = texture


def _tagged(block: Any) -> Any:
    block[TAG] = True
    return block


def _remove_unused() -> None:
    """Drops projections that no object shows any more, found by their tag."""
    shown = {paint for item in bpy.data.objects for paint in materials_of(item)}
    for material in [m for m in bpy.data.materials if TAG in m and m.library is None and m not in shown]:
        nodes = list(material.node_tree.nodes)
        projectors = {n.object for n in nodes if n.type == "TEX_COORD" and n.object is not None and TAG in n.object}
        images = {image for image in pictures_of(material) if TAG in image}
        bpy.data.materials.remove(material)
        bpy.data.batch_remove([*projectors, *(image for image in images if image.users == 0)])
