"""What a scene remembers of how its next generated clip is to be made, and a strip of its own prompt."""

from __future__ import annotations

from typing import Any

import bpy
from bpy.props import (
    BoolProperty,
    CollectionProperty,
    EnumProperty,
    FloatProperty,
    IntProperty,
    PointerProperty,
    StringProperty,
)

from .engine.protocol import GenerateSettings
from .sequencer import compat

DEFAULT_MODEL = "wan-2.2-ti2v-5b"
FOLDER = "folder"  # in place of a model's id: a folder of the person's own
MOST_SEED = 2**31 - 1

SPEEDS = [
    ("best", "Best", "Everything that makes it faster and changes nothing in the picture", 0),
    ("balanced", "Balanced", "Fewer steps with a LoRA where there is one, else reused work; fine detail may differ", 1),
    ("draft", "Draft", "As quick as it goes, to see the motion; detail is lost", 2),
]
MEMORY = [
    ("auto", "Automatic", "Chosen from the model, the size and the free memory", 0),
    ("full", "Full", "All of the model in graphics memory: fastest", 1),
    ("fp8", "8-Bit Weights", "Weights in 8 bits, computed in 16", 2),
    ("quantised", "Quantised", "Weights in 8 bits, for good", 3),
    ("group_offload", "Group Offload", "The model block by block, the next one arriving while one computes", 4),
    ("model_offload", "Model Offload", "One part of the model at a time", 5),
    ("disk", "From Disk", "Hardly any memory, and slow", 6),
]
ASPECTS = [
    ("crop", "Crop", "The middle of the photo, in the model's aspect", 0),
    ("pad", "Pad", "All of the photo, with bars that are cut off again", 1),
]
CONFORMS = [
    ("interpolate", "Interpolate", "A network draws the frames between", 0),
    ("blend", "Blend", "Frames between are mixed", 1),
    ("hold", "Hold", "Every frame shown is one that the model made", 2),
]
LAST = [
    ("none", "Open", "The clip ends as the model likes", 0),
    ("next", "Next Strip", "Each selected photo becomes the next selected one", 1),
    ("image", "Image", "The clip ends with another picture", 2),
]
MASKS = [
    ("none", "Everything", "All of the picture may move", 0),
    ("subject", "Subject", "Only the subject moves; found in the photo", 1),
    ("background", "Background", "All but the subject moves; found in the photo", 2),
    ("sky", "Sky", "Only the sky moves; found in the photo", 3),
    ("mask", "Mask", "Only what a mask of the Mask Editor covers moves", 4),
    ("image", "Image", "Only what is bright in an image moves", 5),
    ("strip", "Strip", "Only what is bright in a strip of this timeline moves", 6),
]
FOUND = ("subject", "background", "sky")  # by the engine


class DioramaLora(bpy.types.PropertyGroup):
    """A small file that changes what a model draws."""

    path: StringProperty(
        name="LoRA",
        description="A .safetensors file for this very model",
        subtype="FILE_PATH",
        options={*compat.blend_relative()},
    )
    weight: FloatProperty(name="Weight", default=1.0, soft_min=0.0, soft_max=2.0, min=-10.0, max=10.0)


class DioramaGenerate(bpy.types.PropertyGroup):
    """Of a scene: what the next generated clip will be. Its length is always the strip's."""

    prompt: StringProperty(name="Prompt", description="What happens in the clip: motion first, then light and mood")
    negative_prompt: StringProperty(name="Negative", description="What must not happen; empty: what the model advises")
    model: StringProperty(name="Model", default=DEFAULT_MODEL)
    also: StringProperty(description="Ids of further models, one a line: each makes takes of its own")
    folder: StringProperty(
        name="Model Folder",
        description="A folder that diffusers saved",
        subtype="DIR_PATH",
        options={*compat.blend_relative()},
    )
    takes: IntProperty(name="Takes", description="How many clips, each with another seed", min=1, max=16, default=1)
    random_seed: BoolProperty(name="Random Seed", description="A new seed for every clip, which is noted", default=True)
    seed: IntProperty(name="Seed", description="The same seed and settings make the same clip", min=0, max=MOST_SEED)
    use_motion: BoolProperty(name="Motion", description="Choose how much moves; off: the model's own amount")
    motion: FloatProperty(
        name="Motion", description="0 is still, 1 is a lot", min=0.0, max=1.0, default=0.5, subtype="FACTOR"
    )
    use_steps: BoolProperty(name="Steps", description="Choose the number of steps; off: the model's own")
    steps: IntProperty(name="Steps", description="More take longer and show more detail", min=1, max=200, default=30)
    use_guidance: BoolProperty(name="Guidance", description="Choose the guidance; off: the model's own")
    guidance: FloatProperty(
        name="Guidance", description="How closely the prompt is followed; 1: off", min=0.0, max=30.0, default=5.0
    )
    use_size: BoolProperty(name="Size", description="Choose the size that the model works at; off: its own")
    width: IntProperty(name="Width", subtype="PIXEL", min=64, max=8192, default=832)
    height: IntProperty(name="Height", subtype="PIXEL", min=64, max=8192, default=480)
    speed: EnumProperty(name="Speed", items=SPEEDS)
    memory: EnumProperty(name="Memory", items=MEMORY)
    aspect: EnumProperty(name="Aspect", description="Where the photo has another aspect than the model", items=ASPECTS)
    conform: EnumProperty(name="Frame Rate", description="How the model's frame rate becomes yours", items=CONFORMS)
    last_from: EnumProperty(name="Ends With", description="The still that the clip ends with", items=LAST)
    last_image: StringProperty(
        name="Last Image", subtype="FILE_PATH", description="A picture", options={*compat.blend_relative()}
    )
    mask_from: EnumProperty(name="What Moves", description="Outside of it the clip stays the photo", items=MASKS)
    mask: PointerProperty(name="Mask", type=bpy.types.Mask)
    mask_image: PointerProperty(name="Image", description="White moves", type=bpy.types.Image)
    mask_strip: StringProperty(name="Strip", description="An image or mask strip; white moves")
    feather: FloatProperty(
        name="Feather",
        description="Width of the soft edge, as a share of the shorter side",
        min=0.0,
        max=0.5,
        soft_max=0.2,
        default=0.02,
        precision=3,
        step=1,
    )
    camera_lock: BoolProperty(name="Camera Lock", description="Hold the picture as a whole to its first frame")
    use_rig: BoolProperty(
        name="Follow the Rig", description="The camera of the photo's rig moves the clip; the model adds the rest"
    )
    loras: CollectionProperty(type=DioramaLora)

    def model_name(self) -> str:
        """A catalog id, or the path of a folder."""
        return bpy.path.abspath(self.folder) if self.model == FOLDER else self.model

    def model_names(self) -> list[str]:
        """All models that make takes, each once."""
        return list(dict.fromkeys([self.model_name(), *self.also.split()]))

    def settings(self, controls: frozenset[str], model: str, prompt: str, seed: int) -> GenerateSettings:
        """What a model is asked for; a control that it does not have is hidden, so it is left out here too."""

        def has(name: str) -> bool:
            return name in controls

        loras = [lora for lora in self.loras if lora.path] if has("loras") else []
        size = (self.width, self.height) if self.use_size and has("size") else (0, 0)
        return GenerateSettings(
            model=model,
            prompt=prompt if has("prompt") else "",
            negative_prompt=self.negative_prompt if has("negative_prompt") else "",
            num_inference_steps=self.steps if self.use_steps and has("num_inference_steps") else 0,
            guidance_scale=round(self.guidance, 4) if self.use_guidance and has("guidance_scale") else -1.0,
            motion=round(self.motion, 4) if self.use_motion and has("motion") else -1.0,
            seed=seed,
            loras=tuple(bpy.path.abspath(lora.path) for lora in loras),
            lora_weights=tuple(round(lora.weight, 4) for lora in loras),
            speed=self.speed,
            memory=self.memory,
            width=size[0],
            height=size[1],
        )


class DioramaPrompt(bpy.types.PropertyGroup):
    """Of a strip: a prompt in place of the scene's."""

    use: BoolProperty(name="Own Prompt", description="This strip has a prompt of its own")
    prompt: StringProperty(name="Prompt", description="What happens in the clip of this strip")


CLASSES = (DioramaLora, DioramaGenerate, DioramaPrompt)


def link(strip_type: type) -> None:
    """Adds the groups to Blender's types."""
    bpy.types.Scene.diorama_generate = PointerProperty(type=DioramaGenerate)
    strip_type.diorama_prompt = PointerProperty(type=DioramaPrompt)


def unlink(strip_type: type) -> None:
    """The mirror of link()."""
    del strip_type.diorama_prompt
    del bpy.types.Scene.diorama_generate


def prompt_of(scene: Any, strip: Any) -> str:
    """The prompt that counts for a strip."""
    own = strip.diorama_prompt
    return own.prompt if own.use else scene.diorama_generate.prompt
