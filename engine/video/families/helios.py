"""Helios, and its pyramid of resolutions: clips made in pieces of 33 frames that follow each other."""

# pyright: reportMissingImports=false

from __future__ import annotations

import math
from typing import Any

from engine.errors import BadModel

from ..family import Ask, Family

PIECE = 33  # frames: nine latents of a VAE that makes four frames of each but the first
STAGES = 3  # of the pyramid, from a quarter of each side to the whole


class _Helios(Family):
    """The still is the model's memory of what came before: the clip goes on from it."""

    signature = ("HeliosTransformer3DModel",)

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        """Some of its noise is drawn where it computes, with the generator that it is given."""
        import torch

        random = torch.Generator(pipe._execution_device).manual_seed(ask.generator.initial_seed())
        return super().arguments(pipe, ask) | {"generator": random}


class Helios(_Helios):
    """HeliosPipeline: one resolution."""

    name = "helios"
    pipeline = "HeliosPipeline"

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and index.get("scheduler") != "HeliosDMDScheduler"

    def controls(self, pipe_config: dict[str, Any], config: dict[str, Any], catalog: frozenset[str]) -> frozenset[str]:
        """Raises BadModel for Helios Mid, whose parts have the same names: half of the way to the distilled one."""
        if "is_distilled" in pipe_config:
            raise BadModel("This is Helios Mid, a step on the way to the distilled Helios.",
                           "Choose Helios Base or Helios Distilled.")
        return catalog

    def num_steps(self, ask: Ask) -> int:
        return _pieces(ask) * ask.num_inference_steps


class HeliosPyramid(_Helios):
    """HeliosPyramidPipeline: small pictures first. The steps are spread over the stages, at least one each."""

    name = "helios_pyramid"
    pipeline = "HeliosPyramidPipeline"

    def recognises(self, index: dict[str, str], config: dict[str, Any]) -> bool:
        return super().recognises(index, config) and index.get("scheduler") == "HeliosDMDScheduler"

    def num_steps(self, ask: Ask) -> int:
        first = 2 if ask.options.get("is_amplify_first_chunk") else 1
        return (_pieces(ask) - 1 + first) * sum(_spread(ask))

    def arguments(self, pipe: Any, ask: Ask) -> dict[str, Any]:
        arguments = super().arguments(pipe, ask)
        del arguments["num_inference_steps"]
        return arguments | {
            "pyramid_num_inference_steps_list": _spread(ask),
            "is_amplify_first_chunk": bool(ask.options.get("is_amplify_first_chunk")),
        }


def _pieces(ask: Ask) -> int:
    return math.ceil(ask.num_frames / PIECE)


def _spread(ask: Ask) -> list[int]:
    return [max(1, (ask.num_inference_steps + stage) // STAGES) for stage in range(STAGES)]
