"""Draft depth: relative disparity from what a photo shows, without a depth network. It is called "draft" everywhere.

The cues, in the order of their worth: the ground comes nearer towards the bottom; what stands out is nearer than what
is around it and stands where it touches the ground; the sky is farthest and tells the horizon; sides are nearer than
the middle; blue is farther than red. docs/benchmarks.md has the numbers, also of the cues that were tried and dropped.
"""

from __future__ import annotations

import cv2
import numpy as np

from engine.depth.guided import guided_upsample
from engine.depth.saliency import saliency
from engine.depth.scene import scene_disparity
from engine.depth.sky import find_sky
from engine.depth.subject import standing_disparity

WORKING_SIDE = 640          # cues are found in a picture of this longer side: they need no more
OUTLINE_SIDE = 2048         # outlines follow the photo at this longer side; beyond that the map is only enlarged
STANDING = 0.7              # how far the subject is brought to where it stands; it may hang, lie or lean
UNSURE, SURE = 0.25, 0.9    # a weak response of the network is not trusted, one in between moves things half-way
RIM = 0.004                 # of the longer side: how rough an outline may be that becomes smooth
OUTLINE_LEVEL = 0.25        # of the smoothed matte: below a half, so that the outline lies outside
IN_FRONT = 0.25             # and it stands out from its surroundings by this disparity in any case


def draft_depth(rgb: np.ndarray) -> np.ndarray:
    """(H, W, 3) uint8 sRGB -> (H, W) float32 relative disparity, 0 = farthest .. 1 = nearest.

    Deterministic. A picture that shows nothing gives the ground alone. Raises WeightsMissing, OutOfMemory.
    """
    outlined = _fitted(rgb, OUTLINE_SIDE)
    small = _fitted(outlined, WORKING_SIDE)
    guide = outlined.astype(np.float32) / 255
    picture = small.astype(np.float32) / 255

    sky = find_sky(small)
    scene, ground = scene_disparity(picture, sky)
    matte = _matte(guide, picture, saliency(small))
    subject = standing_disparity(_resized(matte, scene.shape), scene, ground)
    matte = _solid(matte)
    subject = scene + STANDING * (subject - scene) + IN_FRONT
    disparity = _resized(scene, matte.shape) * (1 - matte) + _resized(subject, matte.shape) * matte
    if sky.confidence > 0:
        farthest = float(disparity.min()) if sky.confidence < 1 else 0.0
        before_sky = _solid(1 - _matte(guide, picture, sky.matte))
        air = sky.confidence * (1 - before_sky) * (1 - matte)       # a blue subject is no sky
        disparity = disparity * (1 - air) + min(farthest, 0.0) * air
    return _normalised(_resized(disparity, rgb.shape[:2]))


def _matte(guide: np.ndarray, picture: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    """A coarse region (any size) 0..1 -> (H, W) of the guide, with the photo's own outlines."""
    radius = max(2, max(picture.shape[:2]) // 80)
    matte = guided_upsample(guide, picture, _resized(coarse, picture.shape[:2]), radius)
    return np.clip((matte - UNSURE) / (SURE - UNSURE), 0, 1)


def _solid(matte: np.ndarray) -> np.ndarray:
    """The same subject with one sharp outline in place of a ragged, half-transparent rim. (H, W) float32 0..1.

    A layer can end there in one clean step; a soft rim is torn into threads when the camera moves. The outline lies a
    little outside the subject: what stays behind of it would be seen as its ghost, whereas a rim of the surroundings
    that goes along with it is hardly seen. Inside and outside, the matte keeps its mean level around each pixel.
    """
    rim = max(matte.shape) * RIM
    shape = cv2.GaussianBlur(matte, (0, 0), rim) > OUTLINE_LEVEL
    inside = _weighted_mean(matte, np.where(shape, matte, 0), 4 * rim)
    outside = _weighted_mean(matte, np.where(shape, 0, 1 - matte), 4 * rim)
    return np.where(shape, inside, outside)


def _weighted_mean(values: np.ndarray, weight: np.ndarray, sigma: float) -> np.ndarray:
    """Mean around each pixel under a Gaussian window; 0 where there is no weight. (H, W) float32."""
    total = cv2.GaussianBlur(values * weight, (0, 0), sigma)
    return total / np.maximum(cv2.GaussianBlur(weight, (0, 0), sigma), 1e-6)


def _fitted(rgb: np.ndarray, side: int) -> np.ndarray:
    scale = side / max(rgb.shape[:2])
    if scale >= 1:
        return rgb
    size = (max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale)))
    return cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)


def _resized(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    if values.shape == tuple(shape):
        return values
    shrinks = max(values.shape) > max(shape)
    return cv2.resize(values, (shape[1], shape[0]), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _normalised(values: np.ndarray) -> np.ndarray:
    low, high = float(values.min()), float(values.max())
    if high - low < 1e-6:
        return np.full(values.shape, 0.5, np.float32)
    return ((values - low) / (high - low)).astype(np.float32)
