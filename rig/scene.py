"""Builds a rig: a scene, its camera on a pivot, and a mesh per layer; step by step, so that Blender never waits."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bpy
import numpy as np

from ..engine.camera.intrinsics import FILM_WIDTH_MM
from ..engine.errors import BadSelection, DioramaError
from ..engine.protocol import MoveSettings
from . import compat, material, moves, stack, still
from .axes import REST_ROTATION, layer_points
from .nodes import materials_of, pictures_of
from .owned import (
    CAMERA,
    LAYER,
    PIVOT,
    TAG,
    Rig,
    blend_path,
    check_editable,
    discard,
    find,
    remove,
    set_facts,
    tag,
)

NARROW_FILTER = 0.5  # pixels: the photo stays sharp, what a person adds still gets smooth edges. Not less in Cycles:
# with 0.01 px one pixel in four hundred falls between triangles whose corners lie exactly at its centre.
EEVEE_SAMPLES = 16  # soft edges are dithered: at one sample they would be noise
FLAT = {"light": "FLAT", "color_type": "TEXTURE"}  # solid view and Workbench: the picture as it is
REACH = 4.0  # of the farthest point: how far the camera sees, for what a person puts behind the photo


@dataclass(frozen=True)
class Plan:
    """All that a rig is built from; nothing is read from the timeline later.

    facts: the engine's result of the LayersRequest with what the add-on adds: "strip", "source_id". fps: as the scene's
    fps and fps_base. move: what the camera does at first.
    """

    rig_id: str
    facts: dict[str, Any]
    num_frames: int
    fps: tuple[int, float]
    move: MoveSettings


def steps(plan: Plan) -> Generator[None, None, None]:
    """Builds the rig; call next() until it ends, now and then. When a step fails, what was built is removed again.

    Raises BadStill for broken files, BadSelection when the half-built rig was taken away (by undo, say).
    """
    try:
        folder = still.open_still(Path(plan.facts["folder"]))
        _make_scene(plan)
        yield
        for index, layer in enumerate(folder.layers):
            yield from _layer_steps(plan.rig_id, index, layer)
        rig = _found(plan.rig_id)
        _set_reach(rig)
        stack.apply(rig, plan.move, add=False)
    except DioramaError:
        remove(plan.rig_id)
        raise
    except GeneratorExit:
        remove(plan.rig_id)
        raise


def relayer_steps(rig_id: str, facts: dict[str, Any], new_pivot: bool) -> Generator[None, None, None]:
    """Gives a rig the layers of another layered still; its camera, its keys and what a person added stay.

    facts: the engine's result. new_pivot: the pivot goes where they have it, and the moves turn around it. The old
    layers go when all new ones are there; a failure leaves the rig as it was.
    """
    rig = _found(rig_id)
    before = {item.name for item in rig.layers}
    try:
        folder = still.open_still(Path(facts["folder"]))
        for index, layer in enumerate(folder.layers):
            yield from _layer_steps(rig_id, index, layer)
    except (DioramaError, GeneratorExit):
        if rig := find(rig_id):
            _drop([item for item in rig.layers if item.name not in before])
        raise
    rig = _found(rig_id)
    _drop([item for item in rig.layers if item.name in before])
    _name_layers(rig)
    names = ["strip", "source_id", "size", "rect", "still_size"]
    if not new_pivot:
        names.append("pivot")  # it stays where it is: the camera's keys are about it
    set_facts(rig.scene, facts | {name: rig.facts[name] for name in names})
    rig = _found(rig_id)
    _set_reach(rig)
    if new_pivot:
        _place_pivot(rig)
        stack.remake(rig)


def _found(rig_id: str) -> Rig:
    rig = find(rig_id)
    if rig is None:
        raise BadSelection("The rig was taken away while it was built.", "Build it again.")
    check_editable(rig.scene)
    return rig




# ------------------------------------------------------------------ the scene


def _make_scene(plan: Plan) -> None:
    """The scene with its collection, pivot and camera; the camera stands where the photo's camera stood."""
    facts, rig_id = plan.facts, plan.rig_id
    name = f"Diorama: {facts['strip']}"
    scene = tag(bpy.data.scenes.new(name), rig_id)
    scene.render.resolution_x, scene.render.resolution_y = facts["size"]
    scene.render.resolution_percentage = 100
    scene.render.fps, scene.render.fps_base = plan.fps
    scene.frame_start, scene.frame_end = 1, plan.num_frames
    _neutral_look(scene)
    collection = tag(bpy.data.collections.new(name), rig_id, "collection")
    scene.collection.children.link(collection)
    set_facts(scene, facts)
    rig = Rig(rig_id, scene, facts)
    depth = 1 / facts["pivot"]
    pivot = tag(bpy.data.objects.new("Pivot", None), rig_id, PIVOT)
    pivot.empty_display_type, pivot.empty_display_size = "PLAIN_AXES", depth / 8
    data = tag(bpy.data.cameras.new("Camera"), rig_id)
    camera = tag(bpy.data.objects.new("Camera", data), rig_id, CAMERA)
    for item in (pivot, camera):
        collection.objects.link(item)
    camera.rotation_euler = REST_ROTATION
    camera.parent = pivot
    _place_pivot(rig)
    lens = moves.rest_lens(moves.Basis.of(rig))
    data.sensor_fit, data.sensor_width = "HORIZONTAL", FILM_WIDTH_MM
    data.lens, data.shift_x, data.shift_y = lens.lens, lens.shift_x, lens.shift_y
    scene.render.pixel_aspect_x, scene.render.pixel_aspect_y = lens.aspect_x, lens.aspect_y
    data.dof.focus_object = pivot
    data.display_size = depth / 10
    scene.camera = camera


def _place_pivot(rig: Rig) -> None:
    """The pivot stands at its depth, and the camera's own location is its way from the photo's camera: turning the
    pivot swings it around."""
    depth = 1 / rig.facts["pivot"]
    rig.pivot.location = (0.0, depth, 0.0)
    rig.camera.matrix_parent_inverse.translation = (0.0, -depth, 0.0)
    rig.camera.data.dof.focus_distance = depth


def _neutral_look(scene: Any) -> None:
    """Every renderer gives the photo's own colours: no view transform, no smoothing, no light."""
    render, view = scene.render, scene.view_settings
    scene.display_settings.display_device = "sRGB"
    view.view_transform, view.look = "Standard", "None"
    render.engine = compat.eevee()
    render.filter_size = NARROW_FILTER
    scene.eevee.taa_render_samples = scene.eevee.taa_samples = EEVEE_SAMPLES
    render.dither_intensity = 0.0
    for name, value in FLAT.items():
        setattr(scene.display.shading, name, value)
    scene.display.render_aa = scene.display.viewport_aa = "OFF"
    compat.set_cycles(scene, samples=1, filter_width=NARROW_FILTER)


def _set_reach(rig: Rig) -> None:
    """Clip distances of the camera for these layers."""
    depths = np.concatenate([_depths(item.data) for item in rig.layers])
    data = rig.camera.data
    data.clip_start, data.clip_end = float(depths.min()) / 100, float(depths.max()) * REACH


def _depths(mesh: Any) -> np.ndarray:
    """(N,) float32 distances of a layer's vertices from the still's camera, along its axis."""
    points = np.empty(len(mesh.vertices) * 3, np.float32)
    mesh.vertices.foreach_get("co", points)
    return -points[2::3]


# ------------------------------------------------------------------ the layers


def _layer_steps(rig_id: str, index: int, layer: still.LayerFile) -> Generator[None, None, None]:
    """One layer: its mesh, its picture and material, its object."""
    surface = still.read_surface(layer)
    yield
    rig = _found(rig_id)
    made: list[Any] = []
    try:
        mesh = tag(bpy.data.meshes.new(f"Layer {index}"), rig_id)
        made.append(mesh)
        _fill_mesh(mesh, surface)
        title = f"{rig.facts['strip']} {layer.picture.name}"
        image = material.load_image(blend_path(str(layer.picture)), rig_id, title)
        made.append(image)
        paint = material.build(f"Layer {index}", rig_id, image)
        made.append(paint)
        mesh.materials.append(paint)
        item = tag(bpy.data.objects.new(f"Layer {index}", mesh), rig_id, LAYER)
        made.append(item)
        item["diorama_layer"] = index
        item.rotation_euler = REST_ROTATION
        collection = next(c for c in rig.scene.collection.children_recursive if c.get(TAG) == rig_id)
        collection.objects.link(item)
    except (RuntimeError, StopIteration) as error:
        bpy.data.batch_remove(made)
        raise BadSelection(
            f"Layer {index} could not be put into '{rig.scene.name}': {error}", "Build the rig again."
        ) from error
    yield


def _fill_mesh(mesh: Any, surface: still.Surface) -> None:
    count = len(surface.faces)
    mesh.vertices.add(len(surface.vertices))
    mesh.vertices.foreach_set("co", layer_points(surface.vertices).ravel())
    mesh.loops.add(count * 3)
    mesh.polygons.add(count)
    # The layers' axes are a half turn from OpenCV's, so that triangles that face the camera there do so here.
    corners = np.ascontiguousarray(surface.faces.ravel())
    mesh.loops.foreach_set("vertex_index", corners)
    mesh.polygons.foreach_set("loop_start", np.arange(0, count * 3, 3, dtype=np.int32))
    mesh.uv_layers.new(name="Photo", do_init=False).data.foreach_set("uv", surface.uv[corners].ravel())
    carried = mesh.attributes.new(material.PROJECTION, "FLOAT_VECTOR", "POINT")
    carried.data.foreach_set("vector", still.projection(surface).ravel())
    mesh.update(calc_edges=True)


def _drop(items: list[Any]) -> None:
    """Removes layers with their meshes, materials and pictures."""
    doomed: list[Any] = []
    for item in items:
        doomed += [item, item.data]
        for paint in materials_of(item):
            doomed += [paint, *pictures_of(paint)]
    discard(block for block in dict.fromkeys(doomed) if block.get(TAG))


def _name_layers(rig: Rig) -> None:
    """After the old layers went, the new ones get their plain names; only for people, nothing looks for names."""
    for item in rig.layers:
        for block in (item, item.data, *item.data.materials):
            block.name = f"Layer {item['diorama_layer']}"


