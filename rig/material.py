"""A layer's material: its picture projected from the still's camera, as emission, with straight alpha."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat
from .owned import tag


def build(name: str, rig_id: str, image: Any, scale: tuple[float, float], offset: tuple[float, float]) -> Any:
    """scale, offset: of still.projection().

    The picture is projected point by point and not stretched between vertices: from the still's camera every pixel is the
    photo's, whatever the mesh looks like. In the layer's own axes the camera is the origin and looks along -Z.
    """
    material = tag(bpy.data.materials.new(name), rig_id)
    compat.use_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()

    def node(kind: str, column: int, row: int = 0, **settings: Any) -> Any:
        made = tree.nodes.new(f"ShaderNode{kind}")
        made.location = (column * 200, -row * 260)
        for key, value in settings.items():
            setattr(made, key, value)
        return made

    place, split = node("TexCoord", 0), node("SeparateXYZ", 1, 1)
    divide, project = node("VectorMath", 2, operation="DIVIDE"), node("VectorMath", 3, operation="MULTIPLY_ADD")
    # Divided by Z, which is minus the depth: x turns over too, and the scale turns it back.
    project.inputs[1].default_value = (-scale[0], -scale[1], 0.0)
    project.inputs[2].default_value = (*offset, 0.0)
    picture = node("TexImage", 4, image=image, interpolation="Linear", extension="EXTEND")
    light, clear = node("Emission", 6), node("BsdfTransparent", 6, 1)
    mix, out = node("MixShader", 7), node("OutputMaterial", 8)
    link = tree.links.new
    link(place.outputs["Object"], split.inputs[0])
    link(place.outputs["Object"], divide.inputs[0])
    link(split.outputs["Z"], divide.inputs[1])
    link(divide.outputs[0], project.inputs[0])
    link(project.outputs[0], picture.inputs["Vector"])
    link(picture.outputs["Color"], light.inputs["Color"])
    link(picture.outputs["Alpha"], mix.inputs["Fac"])
    link(clear.outputs[0], mix.inputs[1])
    link(light.outputs[0], mix.inputs[2])
    link(mix.outputs[0], out.inputs["Surface"])
    tree.nodes.active = picture  # what Workbench and the solid view show
    compat.set_alpha(material)
    return material


def load_image(path: str, rig_id: str, name: str) -> Any:
    """The layer's picture, found beside the .blend wherever that goes. Colour and alpha stay apart, as the engine keeps
    them: premultiplied, the colour of a soft edge would be rounded away."""
    image = tag(bpy.data.images.load(path, check_existing=False), rig_id)
    image.name = name
    image.colorspace_settings.name = "sRGB"
    image.alpha_mode = "CHANNEL_PACKED"
    return image
