# pyright: reportMissingImports=false
"""What learned depth can run on."""

from __future__ import annotations


def devices() -> list[str]:
    """For people, the best first: graphics cards by name, then "CPU". Loads torch, which takes seconds, where it is."""
    try:
        import torch
    except ImportError:
        return ["CPU"]
    found = [torch.cuda.get_device_name(index) for index in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        found.append("Apple GPU")
    return [*found, "CPU"]
