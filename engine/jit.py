"""numba with a cache that works for read-only installations, and one compilation per kernel."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

CACHE_VARIABLE = "NUMBA_CACHE_DIR"
OWN_VARIABLE = "DIORAMA_NUMBA_CACHE"


def _writable_folder() -> str:
    """Where compiled kernels are kept between processes: where the person wants them, else in the engine's own
    environment, else in a temporary folder."""
    wanted = os.environ.get(OWN_VARIABLE)
    own = Path(sys.prefix) / "share" / "diorama" / "numba"
    for folder in ([Path(wanted)] if wanted else [own]):
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError:
            continue
        if os.access(folder, os.W_OK):
            return str(folder)
    return tempfile.mkdtemp(prefix="diorama-numba-")


if CACHE_VARIABLE not in os.environ:
    os.environ[CACHE_VARIABLE] = _writable_folder()      # numba reads it when it is imported

import numba  # noqa: E402


def jit(signature: str, fastmath: bool = False) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Compile for exactly one signature, now or from the cache, without the GIL."""
    return numba.njit(signature, nogil=True, cache=True, fastmath=fastmath, error_model="numpy")
