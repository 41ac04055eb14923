"""The one pipeline that stays in memory between jobs. Its memory is surely free only when the process ends."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import gc
from collections.abc import Callable, Hashable
from typing import Any

_kept: dict[Hashable, Any] = {}


def warm(key: Hashable, make: Callable[[], Any]) -> Any:
    """The pipeline of that key: the one that is kept, or a new one in its place."""
    if key not in _kept:
        release()
        _kept[key] = make()
    return _kept[key]


def is_warm(key: Hashable) -> bool:
    return key in _kept


def held_bytes() -> int:
    """Main memory that the kept pipeline's weights take: free for a plan, as they go or are used again."""
    if not _kept:
        return 0
    import torch

    parts = [part for pipe in _kept.values() for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
    weights = {id(weight): weight for part in parts for weight in part.parameters()}
    return sum(weight.nbytes for weight in weights.values() if weight.device.type == "cpu")


def release() -> None:
    """Lets go of the pipeline and of what it holds on the GPU."""
    if not _kept:
        return
    import torch

    _kept.clear()
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
