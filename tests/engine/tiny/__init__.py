"""Tiny pipelines of the real classes with random weights: TINY in the module of each family, by a name of its own.

They show the way of a request, shapes, frame counts, seeds and errors; their pictures are noise.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Tiny:
    """One layout of a family.

    build: makes the pipeline; the tests save it with save_pretrained and load it as any folder. like: the catalog id
    that the folder must be taken for. size: width, height to run at. seconds: of the clip at the model's own rate.
    prompt: whether words change the clip. more: further GenerateSettings by name. ask: further GenerateRequest by name.
    """

    build: Callable[[], Any]
    like: str
    size: tuple[int, int] = (32, 32)
    seconds: float = 0.4
    prompt: bool = True
    more: dict[str, Any] = field(default_factory=dict)
    ask: dict[str, Any] = field(default_factory=dict)


def tiny_of(family: str) -> dict[str, Tiny]:
    """The builders of a family, by name. Raises ImportError where it has none."""
    return importlib.import_module(f"tests.engine.tiny.{family}").TINY
