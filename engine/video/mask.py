"""What may move: outside the mask the clip stays the still, in its latents at every step, in its pixels at the end."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

from engine.errors import BadRequest
from engine.video.family import Ask, Family
from engine.video.latents import Encoded, level, standing

if TYPE_CHECKING:
    import torch

SURE = 0.3                  # confidence from which a sky counts as one
NOISE_SEED = 1_000_003      # the still's own noise must not be the clip's


def motion_mask(wish: str, rgb: np.ndarray) -> np.ndarray:
    """The still (H, W, 3) uint8, and one of SUBJECTS or a picture's path -> (H, W) float32, 1 = may move.

    Raises BadRequest where the still holds no such thing or all of it would stand still; BadStill for the picture.
    """
    height, width = rgb.shape[:2]
    if wish in ("subject", "background"):
        from engine.depth.saliency import saliency

        found = _outlined(saliency(rgb), rgb)
        if found.max() < 0.5:
            raise BadRequest("No subject was found in the photo.", "Paint a mask, or choose another one.")
        return 1 - found if wish == "background" else found
    if wish == "sky":
        from engine.depth.sky import find_sky

        sky = find_sky(rgb)
        if sky.confidence < SURE:
            raise BadRequest("No sky was found in the photo.", "Paint a mask, or choose another one.")
        return _outlined(sky.matte, rgb)
    from engine.media.still import load_still

    picture = load_still(wish)
    grey = cv2.cvtColor(picture.rgb, cv2.COLOR_RGB2GRAY).astype(np.float32) / 255
    if picture.alpha is not None:
        grey *= picture.alpha.astype(np.float32) / 255
    mask = cv2.resize(grey, (width, height), interpolation=cv2.INTER_AREA if grey.size > height * width
                      else cv2.INTER_LINEAR)
    if mask.max() < 0.5:
        raise BadRequest("The motion mask is black: nothing may move.", "Paint white what shall move.")
    return mask


def feathered(mask: np.ndarray, feather: float) -> np.ndarray:
    """(H, W) 0..1 with a soft edge, a share of the shorter side wide, inside it: what was 0 stays exactly 0."""
    reach = round(feather * min(mask.shape))
    if reach < 1:
        return mask
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (reach + 1 | 1, reach + 1 | 1))
    inner = cv2.erode(mask, kernel, borderType=cv2.BORDER_REPLICATE)
    soft = cv2.GaussianBlur(inner, (0, 0), reach / 3, borderType=cv2.BORDER_REPLICATE)
    return np.minimum(soft, mask)


def blended(still: np.ndarray, frame: np.ndarray, mask: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 each, mask (H, W) float32 -> the frame where the mask is 1, the still, exactly, where it is 0."""
    mixed = still + (frame.astype(np.float32) - still) * mask[..., None]
    return np.rint(mixed).clip(0, 255).astype(np.uint8)


class HeldLatents:
    """After each step the latents outside the mask become the still's, with the noise of that step."""

    path = ""               # it shows no preview

    def __init__(self, mask: np.ndarray) -> None:
        """mask: (h, w) float32 of the model's picture. used: whether the family's latents could be held."""
        self._mask = mask
        self.used = False

    def begin(self, pipe: Any, family: Family, ask: Ask, seen: Encoded) -> None:
        self._pipe, self._family, self._ask, self._seen = pipe, family, ask, seen
        self._prepared: tuple[torch.Tensor, torch.Tensor, torch.Tensor] | None = None

    def end(self) -> None:
        del self._pipe, self._prepared, self._seen

    def after_step(self, step: int, latents: torch.Tensor) -> torch.Tensor | None:
        clip = self._family.latents(self._pipe, self._ask, latents)
        if clip is None or self._seen.latent is None or clip.shape[0] != self._seen.latent.shape[0] \
                or clip.shape[2:] != self._seen.latent.shape[1:]:
            return None
        still, noise, share = self._prepared = self._prepared or self._prepare(clip)
        a, b = level(self._pipe.scheduler, step)
        held = a * still + b * noise
        clip = clip + (1 - share) * (held.to(clip.dtype) - clip)
        changed = self._family.take_back(self._pipe, self._ask, clip, latents)
        self.used = self.used or changed is not None
        return changed

    def _prepare(self, clip: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """The still's latents, noise, and the mask, in the shape of the clip's latents."""
        import torch

        still = standing(self._pipe.vae, self._seen, clip.shape[1]).to(clip.device, torch.float32)
        generator = torch.Generator("cpu").manual_seed(self._ask.generator.initial_seed() + NOISE_SEED)
        noise = torch.randn(clip.shape, generator=generator).to(clip.device)
        small = cv2.resize(self._mask, (clip.shape[3], clip.shape[2]), interpolation=cv2.INTER_AREA)
        return still, noise, torch.from_numpy(small).to(clip.device, clip.dtype)[None, None]


def _outlined(coarse: np.ndarray, rgb: np.ndarray) -> np.ndarray:
    """A network's small map -> the still's size, its edge on the photo's edges, and clear-cut."""
    from engine.depth.learned import outlined

    return ((outlined(coarse.astype(np.float32), rgb) - 0.3) / 0.4).clip(0, 1)
