"""Latents beside pictures: the still's own, as the pipeline made it, and the noise of a step."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


@dataclass
class Encoded:
    """What the VAE was given first and what it gave.

    pixels: (3, H, W), -1..1. latent: (C, h, w), as the denoiser sees it.
    in_time: the VAE takes clips, not pictures. None until it ran.
    """

    pixels: torch.Tensor | None = None
    latent: torch.Tensor | None = None
    in_time: bool = True


@contextmanager
def watched(vae: Any) -> Iterator[Encoded]:
    """Looks over the VAE's shoulder while a pipeline encodes its still."""
    seen, original = Encoded(), vae.encode

    def encode(x: Any, *arguments: Any, **options: Any) -> Any:
        output = original(x, *arguments, **options)
        latent = raw(output)
        if seen.pixels is None and latent is not None and x.shape[1] == 3:
            seen.in_time = x.ndim == 5
            seen.pixels = (x[0, :, 0] if seen.in_time else x[0]).detach().float()
            latent = normalised(vae, latent)
            seen.latent = (latent[0, :, 0] if seen.in_time else latent[0]).detach().float()
        return output

    vae.encode = encode
    try:
        yield seen
    finally:
        del vae.encode      # the class's own shows again


def raw(output: Any) -> torch.Tensor | None:
    """The most likely latent out of whatever a VAE's encode() gives."""
    first = output[0] if isinstance(output, tuple) else output
    if hasattr(first, "latent_dist"):
        return first.latent_dist.mode()
    for name in ("latents", "latent"):
        if hasattr(first, name):
            return getattr(first, name)
    return first.mode() if hasattr(first, "mode") and not hasattr(first, "shape") else None


def normalised(vae: Any, latent: torch.Tensor) -> torch.Tensor:
    """(B, C, ...) of the VAE -> as its denoiser was trained: by mean and deviation, or by one factor."""
    import torch

    config, shape = vae.config, (1, -1, *(1,) * (latent.ndim - 2))
    factor = getattr(config, "scaling_factor", None) or 1.0
    for place in (dict(vae.named_buffers(recurse=False)), config):
        mean, deviation = place.get("latents_mean"), place.get("latents_std")
        if mean is not None and deviation is not None:
            mean, deviation = (torch.as_tensor(v).to(latent).view(shape) for v in (mean, deviation))
            return (latent - mean) * factor / deviation
    return (latent - (getattr(config, "shift_factor", None) or 0.0)) * factor


def standing(vae: Any, seen: Encoded, frames: int) -> torch.Tensor:
    """Latents of a clip in which the still stands: (C, frames, h, w). Only the beginning of such a clip is encoded."""
    import torch

    assert seen.pixels is not None and seen.latent is not None
    if not seen.in_time or frames == 1:
        return seen.latent[:, None].expand(-1, frames, -1, -1)
    step = getattr(vae, "temporal_compression_ratio", None) or getattr(vae.config, "scale_factor_temporal", None) or 4
    clip = seen.pixels[None, :, None].expand(-1, -1, 1 + 2 * int(step), -1, -1).to(vae.dtype)
    with torch.no_grad():
        latent = raw(vae.encode(clip))
    assert latent is not None
    latent = normalised(vae, latent)[0].float()
    return latent[:, [min(k, latent.shape[1] - 1) for k in range(frames)]]


def level(scheduler: Any, step: int) -> tuple[float, float]:
    """(a, b) after that step, from 0: a latent there is a * clean + b * noise."""
    sigmas = getattr(scheduler, "sigmas", None)
    if sigmas is not None:
        sigma = float(sigmas[min(step + 1, len(sigmas) - 1)])
        return (1 - sigma, sigma) if _is_flow(scheduler) else (1.0, sigma)
    times = scheduler.timesteps
    if step + 1 >= len(times):
        return 1.0, 0.0
    kept = float(scheduler.alphas_cumprod[int(times[step + 1])])
    return kept**0.5, (1 - kept) ** 0.5


def _is_flow(scheduler: Any) -> bool:
    config = scheduler.config
    return "flow" in type(scheduler).__name__.lower() or bool(config.get("use_flow_sigmas")) \
        or config.get("prediction_type") == "flow_prediction"
