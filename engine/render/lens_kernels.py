"""The inner loops of the lens, compiled by numba. Pictures are blurred as linear light, premultiplied by alpha."""

from __future__ import annotations

import numpy as np

from ..jit import jit

LINEAR_STEPS = 4096         # the darkest of 255 sRGB levels is still 1.2 of these


def to_linear_table() -> np.ndarray:
    """(256,) float32: sRGB level -> linear light 0..1."""
    level = np.arange(256) / 255
    return np.where(level <= 0.04045, level / 12.92, ((level + 0.055) / 1.055) ** 2.4).astype(np.float32)


def to_srgb_table() -> np.ndarray:
    """(LINEAR_STEPS,) float32: linear light, evenly spaced -> sRGB level 0..255."""
    light = np.arange(LINEAR_STEPS) / (LINEAR_STEPS - 1)
    return (255 * np.where(light <= 0.0031308, light * 12.92, 1.055 * light ** (1 / 2.4) - 0.055)).astype(np.float32)


@jit("void(u1[:, :, ::1], f4[::1], f4[:, :, ::1])")
def to_light(rgba, table, out):
    """rgba: (h, w, 4) uint8, straight. out: (h, w, 4) float32, becomes premultiplied linear light and alpha, 0..1."""
    for row in range(rgba.shape[0]):
        for column in range(rgba.shape[1]):
            alpha = rgba[row, column, 3] * np.float32(1 / 255)
            for k in range(3):
                out[row, column, k] = table[rgba[row, column, k]] * alpha
            out[row, column, 3] = alpha


@jit("void(f4[:, :, ::1], f4[:, ::1], f4, f4, f4, f4[:, :, ::1])")
def add_level(level, area, below, here, above, out):
    """Add one level of blur where it is wanted. level, out: (h, w, 4) float32. area: (h, w) float32, radius of the
    blur wanted, squared. below, here, above: the same of the levels before, of this and of the next."""
    for row in range(area.shape[0]):
        for column in range(area.shape[1]):
            wanted = area[row, column]
            if wanted <= below or wanted >= above:
                continue
            share = (wanted - below) / (here - below) if wanted < here else (above - wanted) / (above - here)
            for k in range(4):
                out[row, column, k] += share * level[row, column, k]


@jit("void(f4[:, :, ::1], f4[::1], u1[:, :, :])")
def lay_light_over(light, table, out):
    """light: (h, w, 4) float32, premultiplied linear light. out: (h, w, 3) uint8 sRGB, changed. Silhouettes are mixed
    as sRGB levels, as everywhere in the rasteriser: the alphas of the layers were measured so."""
    last = np.float32(len(table) - 1)
    for row in range(light.shape[0]):
        for column in range(light.shape[1]):
            alpha = light[row, column, 3]
            if alpha < np.float32(0.002):
                continue
            scale = last / alpha
            alpha = min(alpha, np.float32(1))
            for k in range(3):
                place = min(light[row, column, k] * scale, last)
                lower = min(int(place), len(table) - 2)
                level = table[lower] + (table[lower + 1] - table[lower]) * (place - lower)
                out[row, column, k] = np.uint8(level * alpha + out[row, column, k] * (1 - alpha) + np.float32(0.5))


@jit("void(u1[:, :, ::1], u1[:, :, :])")
def lay_over(rgba, out):
    """rgba: (h, w, 4) uint8, straight, over out: (h, w, 3) uint8, changed."""
    for row in range(rgba.shape[0]):
        for column in range(rgba.shape[1]):
            share = np.uint32(rgba[row, column, 3])
            if share == 0:
                continue
            rest = np.uint32(255) - share
            for k in range(3):
                mixed = rgba[row, column, k] * share + out[row, column, k] * rest + np.uint32(127)
                out[row, column, k] = mixed // np.uint32(255)


@jit("void(u1[:, :, ::1], f4[:, ::1])")
def darken(picture, gain):
    """picture: (h, w, 3) uint8, times gain: (h, w) float32, in place."""
    for row in range(gain.shape[0]):
        for column in range(gain.shape[1]):
            for k in range(3):
                picture[row, column, k] = np.uint8(picture[row, column, k] * gain[row, column] + np.float32(0.5))
