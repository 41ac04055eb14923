"""Work on Blender's main thread that must not hold it up: done a step at a time, between two redraws."""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any

from ..engine.errors import DioramaError
from . import results


class Piecewise:
    """Generators, one after the other. advance() belongs into results.background_work."""

    def __init__(self) -> None:
        self._waiting: list[tuple[Generator[None, None, Any], Callable[[Any], None]]] = []

    def add(self, steps: Generator[None, None, Any], then: Callable[[Any], None] = lambda _: None) -> None:
        """then: gets what the generator returns."""
        self._waiting.append((steps, then))

    def advance(self) -> bool:
        """The next step; whether more is to be done. A DioramaError ends its generator and goes to the panel."""
        if not self._waiting:
            return False
        steps, then = self._waiting[0]
        try:
            next(steps)
            return True
        except StopIteration as done:
            made = done.value
        except DioramaError as error:
            results.remember_errors([error])
            self._waiting.pop(0)
            return bool(self._waiting)
        except BaseException:
            self._waiting.pop(0)
            raise
        self._waiting.pop(0)
        then(made)
        return bool(self._waiting)
