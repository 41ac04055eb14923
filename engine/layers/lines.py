"""Colours carried behind a silhouette along straight lines.

Beside a silhouette it is measured how much a surface differs from itself at every distance in every direction (its
variogram: Matheron, 1963). What is hidden is predicted by the surface at the ends of 16 lines through it, and each line
counts by how little the surface changes over that distance in that direction: a horizon, a plank or a fold goes on
behind the silhouette, gravel becomes its mean.
"""

from __future__ import annotations

import math

import cv2
import numpy as np

from ..jit import jit
from .edges import nearest_pixel

LINES = 16                  # through every pixel; a surface is measured in half as many directions
LAGS = (1, 2, 4, 8, 16, 32)     # distances at which it is measured, pixels
STEP = 2                    # of the pixels that are measured, along both axes
CELL = 8                    # pixels a side of the cells in which the measurements are gathered
AROUND = 1.7                # cells: the Gaussian window over which they count
NOISE = 4.0                 # squared grey levels: smaller differences are rounding
REACH_SHARE = 0.1           # of the longer side: farther than that from the surface nothing is predicted
FARTHEST = 120              # pixels: the end of a line lies no farther away
UNKNOWN = -1.0


def carry_colours(values: np.ndarray, own: np.ndarray, sources: np.ndarray, wanted: np.ndarray) -> np.ndarray:
    """values: (H, W, 3) float32. own: (H, W) bool, pixels of the surface; sources: those of them that a line may end
    at: on the far side of a silhouette, clean. wanted: (H, W) bool, not own. -> (H, W, 4) float32: colour and 1 where
    it was predicted, else 0.
    """
    out = np.zeros((*wanted.shape, 4), np.float32)
    away = nearest_pixel(own)[0]
    wanted = wanted & (away < REACH_SHARE * max(wanted.shape))
    if wanted.any():
        angles = np.arange(LINES) * (2 * np.pi / LINES)
        lines = np.stack([np.sin(angles), np.cos(angles)], -1)
        differences = _variograms(values, own, wanted, lines)
        _carry(values, own.view(np.uint8), sources.view(np.uint8), wanted.view(np.uint8), away, differences, lines, out)
    return out


def _variograms(values: np.ndarray, own: np.ndarray, wanted: np.ndarray, lines: np.ndarray) -> np.ndarray:
    """-> (rows, columns, LINES / 2, lags) float32, of cells: mean squared difference, UNKNOWN where nothing tells."""
    offsets = np.rint(lines[:LINES // 2, None] * np.array(LAGS)[:, None]).astype(np.int32)
    near = cv2.distanceTransform((~wanted).astype(np.uint8), cv2.DIST_L2, 3) < 2 * AROUND * CELL + LAGS[-1]
    shape = -(-own.shape[0] // CELL), -(-own.shape[1] // CELL), LINES // 2, len(LAGS)
    total, count = np.zeros((2, *shape), np.float32)
    _measure(values, own.view(np.uint8), (near & own).view(np.uint8), offsets, total, count)
    for gathered in (total, count):
        for line in range(LINES // 2):
            gathered[:, :, line] = cv2.GaussianBlur(np.ascontiguousarray(gathered[:, :, line]), (0, 0), AROUND)
    return np.where(count > 0.05, total / np.maximum(count, 1e-6), np.float32(UNKNOWN))


@jit("void(f4[:, :, ::1], u1[:, ::1], u1[:, ::1], i4[:, :, ::1], f4[:, :, :, ::1], f4[:, :, :, ::1])")
def _measure(values, own, near, offsets, total, count):
    """Add up squared differences of pairs of pixels in the cells of both ends. near: where to measure, STEP apart.
    offsets: (directions, lags, 2), rows and columns."""
    height, width = own.shape
    for row in range(0, height, STEP):
        for column in range(0, width, STEP):
            if near[row, column] == 0:
                continue
            for line in range(offsets.shape[0]):
                for lag in range(offsets.shape[1]):
                    other_row, other_column = row + offsets[line, lag, 0], column + offsets[line, lag, 1]
                    if not (0 <= other_row < height and 0 <= other_column < width) or own[other_row, other_column] == 0:
                        continue
                    square = np.float32(0)
                    for channel in range(3):
                        difference = values[row, column, channel] - values[other_row, other_column, channel]
                        square += difference * difference
                    square /= np.float32(3)
                    total[row // CELL, column // CELL, line, lag] += square
                    count[row // CELL, column // CELL, line, lag] += 1
                    total[other_row // CELL, other_column // CELL, line, lag] += square
                    count[other_row // CELL, other_column // CELL, line, lag] += 1


@jit("f8(f4[::1], f8)")
def _expected(measured, distance):
    """The squared difference at a distance, between lags by its logarithm; beyond the last known one it grows on."""
    before, at = UNKNOWN, 1.0
    for lag in range(len(LAGS)):
        if measured[lag] < 0:
            continue
        here = float(LAGS[lag])
        if here >= distance and before >= 0:
            return before + (measured[lag] - before) * math.log(distance / at) / math.log(here / at)
        before, at = measured[lag], here
    return before * max(distance / at, 1.0) if before >= 0 else UNKNOWN


@jit("void(f4[:, :, ::1], u1[:, ::1], u1[:, ::1], u1[:, ::1], f4[:, ::1], f4[:, :, :, ::1], f8[:, ::1],"
     " f4[:, :, ::1])")
def _carry(values, own, sources, wanted, away, differences, lines, out):
    """away: (H, W), distance to the surface: a line may jump that far. lines: (LINES, 2), unit steps. out: see
    carry_colours()."""
    height, width = own.shape
    for row in range(height):
        for column in range(width):
            if wanted[row, column] == 0:
                continue
            red, green, blue, weights = 0.0, 0.0, 0.0, 0.0
            for line in range(len(lines)):
                distance = 0.0
                y, x = row, column
                while own[y, x] == 0:
                    distance += max(1.0, math.floor(away[y, x]))
                    y = math.floor(row + lines[line, 0] * distance + 0.5)
                    x = math.floor(column + lines[line, 1] * distance + 0.5)
                    if distance >= FARTHEST or not (0 <= y < height and 0 <= x < width):
                        distance = 0.0
                        break
                if distance == 0 or sources[y, x] == 0:
                    continue
                expected = _expected(differences[y // CELL, x // CELL, line % (len(lines) // 2)], distance)
                if expected < 0:
                    continue
                weight = 1 / ((expected + NOISE) * distance) ** 2
                red += weight * values[y, x, 0]
                green += weight * values[y, x, 1]
                blue += weight * values[y, x, 2]
                weights += weight
            if weights > 0:
                out[row, column, 0] = red / weights
                out[row, column, 1] = green / weights
                out[row, column, 2] = blue / weights
                out[row, column, 3] = 1
