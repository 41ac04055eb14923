"""A layer's material: its picture projected from the still's camera, as emission, with straight alpha."""

from __future__ import annotations

from typing import Any

import bpy

from . import compat
from .nodes import new_tree
from .owned import tag

PROJECTION = "photo_projection"  # attribute of the vertices


def build(name: str, rig_id: str, image: Any) -> Any:
    """The picture is projected point by point and not stretched between vertices.

    Each vertex carries u, v and 1, times its depth from the still's camera; they are interpolated and divided per
    pixel, as the engine does. So from the still's camera every pixel is the photo's, whatever the mesh looks like.
    Not from the place of the point, which would be the same: EEVEE then blurs the picture (5.2: 19 dB and not 44).
    """
    material = tag(bpy.data.materials.new(name), rig_id)
    tree, node = new_tree(material)
    place, split = node("Attribute", 0, attribute_name=PROJECTION), node("SeparateXYZ", 1, 1)
    divide = node("VectorMath", 2, operation="DIVIDE")
    picture = node("TexImage", 3, image=image, interpolation="Linear", extension="EXTEND")
    light, clear = node("Emission", 5), node("BsdfTransparent", 5, 1)
    mix, out = node("MixShader", 6), node("OutputMaterial", 7)
    link = tree.links.new
    link(place.outputs["Vector"], split.inputs[0])
    link(place.outputs["Vector"], divide.inputs[0])
    link(split.outputs["Z"], divide.inputs[1])
    link(divide.outputs[0], picture.inputs["Vector"])
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
