"""A loaded pipeline brought into a memory mode, by the names that diffusers gives them."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import os
import shutil
import tempfile
import weakref
from pathlib import Path
from typing import Any

from engine.video.family import Family
from engine.video.plan import Mode

OURS = "diorama-weights-"       # then the number of the process


def load_options(mode: Mode, family: Family, parts: dict[str, Any]) -> dict[str, Any]:
    """Further arguments of from_pretrained for this mode. parts: the components that the folder has."""
    if mode.name != "quantised":
        return {}
    from diffusers import PipelineQuantizationConfig, TorchAoConfig
    from torchao.quantization import Int8WeightOnlyConfig

    kind = TorchAoConfig(Int8WeightOnlyConfig(version=2))
    return {"quantization_config": PipelineQuantizationConfig(
        quant_mapping={part: kind for part in family.denoisers if parts.get(part)})}


def settle(pipe: Any, family: Family, mode: Mode, device: str, dtype: Any) -> None:
    """Puts the pipeline where the mode wants it."""
    import torch

    if mode.name == "fp8":
        for part in _denoisers(pipe, family):
            part.enable_layerwise_casting(storage_dtype=torch.float8_e4m3fn, compute_dtype=dtype)
    match mode.name:
        case "full":
            pipe.to(device)
        case "fp8" | "model_offload" | "quantised":
            if device == "cuda":
                pipe.enable_model_cpu_offload(device=device)
        case "group_offload":
            pipe.enable_group_offload(onload_device=torch.device(device), offload_type="leaf_level", use_stream=True)
        case "disk":
            _to_disk(pipe, family, device)
    for name, part in pipe.components.items():
        if name.endswith("vae") and mode.tiling and hasattr(part, "enable_tiling"):
            part.enable_tiling()


def _to_disk(pipe: Any, family: Family, device: str) -> None:
    """The denoisers' weights on the disk, the other parts in main memory.

    Not by the pipeline's own call: that gives all parts one folder, where groups of the same name overwrite each other
    (two experts would be one), and it stores a tensor that two layers share after having emptied it.
    """
    import torch
    from diffusers.hooks import apply_group_offloading

    _clear_old()
    folder = tempfile.mkdtemp(prefix=f"{OURS}{os.getpid()}-")
    weakref.finalize(pipe, shutil.rmtree, folder, ignore_errors=True)
    for name, part in pipe.components.items():
        if not isinstance(part, torch.nn.Module):
            continue
        if name in family.denoisers:
            apply_group_offloading(part, onload_device=torch.device(device), offload_type="leaf_level",
                                   offload_to_disk_path=str(Path(folder) / name))
        elif device != "cpu":
            apply_group_offloading(part, onload_device=torch.device(device), offload_type="leaf_level")


def _clear_old() -> None:
    """Gigabytes that an engine left when it was killed."""
    import psutil

    for folder in Path(tempfile.gettempdir()).glob(f"{OURS}*"):
        owner = folder.name.removeprefix(OURS).partition("-")[0]
        if owner.isdigit() and not psutil.pid_exists(int(owner)):
            shutil.rmtree(folder, ignore_errors=True)


def _denoisers(pipe: Any, family: Family) -> list[Any]:
    return [part for part in (getattr(pipe, name, None) for name in family.denoisers) if part is not None]
