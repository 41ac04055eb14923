"""What this machine has to run a model on, now: free memory, free disk, speed at a matrix product."""

# torch and its kin belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import functools
import importlib.util
import shutil
import tempfile
import time

from engine.video.plan import Machine
from engine.video.warm import held_bytes

NO_TORCH_FLOPS = 1e11


def machine() -> Machine:
    """The best device and what is free on it now. Loads torch where it is."""
    disk = shutil.disk_usage(tempfile.gettempdir()).free
    try:
        import torch
    except ImportError:
        return Machine("cpu", "CPU", 0, 0, main_free(), disk, NO_TORCH_FLOPS)
    from engine.depth.learned import best_device

    device = best_device()
    name, free, total = {"cuda": "", "mps": "Apple GPU"}.get(device, "CPU"), 0, 0
    if device == "cuda":
        name = torch.cuda.get_device_name()
        free, total = torch.cuda.mem_get_info()
        free += torch.cuda.memory_reserved()        # what is our own is used again, or let go
    elif device == "mps":
        total = free = torch.mps.recommended_max_memory()
    quantises = importlib.util.find_spec("torchao") is not None
    return Machine(device, name, free, total, main_free() + held_bytes(), disk, flops(device), quantises)


def main_free() -> int:
    """Bytes of main memory that a process can still have; all there is where that cannot be told."""
    try:
        import psutil
    except ImportError:
        from engine.server import memory_bytes

        return memory_bytes()
    return psutil.virtual_memory().available


@functools.cache
def flops(device: str) -> float:
    """Operations in a second at a matrix product, in the precision of the models there. Takes a tenth of a second."""
    import torch

    side, dtype = (512, torch.float32) if device == "cpu" else (4096, torch.bfloat16)
    a = torch.ones(side, side, device=device, dtype=dtype)
    wait = {"cuda": torch.cuda.synchronize, "mps": torch.mps.synchronize}.get(device, lambda: None)
    torch.mm(a, a)
    wait()
    start = time.perf_counter()
    repeats = 8
    for _ in range(repeats):
        torch.mm(a, a)
    wait()
    return repeats * 2 * side**3 / max(time.perf_counter() - start, 1e-6)
