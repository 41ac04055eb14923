"""Where the subject stands: an upright thing is as near as the ground at the point where it touches it."""

from __future__ import annotations

import cv2
import numpy as np

from engine.depth.scene import Ground

LEAST_AREA = 0.002          # share of the picture; smaller pieces are noise
CONTACT_PERCENTILE = 97     # of a piece's rows: its lowest part, without single stray pixels
BELOW_FRAME = 0.15          # a piece that the bottom edge cuts off stands up to this share of the height lower
REACH_PX = 4                # the value is carried on outside the piece, under the soft edge of its matte


def standing_disparity(matte: np.ndarray, scene: np.ndarray, ground: Ground) -> np.ndarray:
    """Disparity that each pixel has if it belongs to the subject.

    matte: (h, w) float32 0..1. scene: (h, w) float32, disparity without the subject; nothing stands behind it.
    -> (h, w) float32, constant over each connected piece but where the scene is nearer, equal to `scene` elsewhere.
    """
    height = matte.shape[0]
    count, labels, stats, _ = cv2.connectedComponentsWithStats((matte > 0.5).astype(np.uint8))
    values = np.full(count, -np.inf, np.float32)
    for piece in range(1, count):
        area = int(stats[piece, cv2.CC_STAT_AREA])
        if area < LEAST_AREA * matte.size:
            continue
        widths = np.count_nonzero(labels == piece, axis=1)
        contact = (np.searchsorted(np.cumsum(widths), area * CONTACT_PERCENTILE / 100) + 1) / height
        cut = widths[-1] / widths.max()         # how much of it goes on below the frame
        if cut > 0:
            contact = 1 + BELOW_FRAME * min(1.0, 2 * cut)
        values[piece] = ground.at(contact)
    standing = values[np.asarray(labels, np.intp)]
    reach = np.ones((2 * REACH_PX + 1, 2 * REACH_PX + 1), np.uint8)
    carried = cv2.dilate(np.maximum(standing, -1e3), reach)
    return np.maximum(np.where(standing > -1e3, standing, carried), scene)
