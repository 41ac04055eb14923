"""The inner loops of the rasteriser, compiled by numba. All release the GIL, so that bands run in threads.

Scan conversion is the classic one: triangles are split into rows, a pixel belongs to a triangle when its centre does,
and edges are half open and always walked from their upper end, so that neighbours leave neither gap nor overlap.
Textures are projected from the photo's camera: u, v and 1, times the depth there, are interpolated over the depth here
and divided at the end (Heckbert and Moreton, "Interpolation for polygon texture mapping and shading", 1991; Segal et al.,
"Fast shadows and lighting effects using texture mapping", 1992). So a view from the photo's camera returns the photo
whatever the triangles look like.
"""

from __future__ import annotations

import math

import numpy as np

from .jit import jit


@jit("Tuple((i4[::1], i4[::1]))(f4[::1], f4[::1], i4[:, ::1], i8, i8)")
def bin_faces(y, inverse_z, faces, band_rows, bands):
    """Sort triangles into bands of rows. y, inverse_z: (N,) float32, of the vertices; inverse_z <= 0 = behind the camera.
    -> first: (bands + 1,) int32 and order: face indices, those of band b at first[b]:first[b + 1]."""
    count = len(faces)
    first = np.zeros(bands + 1, np.int32)
    low = np.empty(count, np.int32)
    high = np.empty(count, np.int32)
    for i in range(count):
        a, b, c = faces[i, 0], faces[i, 1], faces[i, 2]
        low[i], high[i] = 1, 0
        if inverse_z[a] <= 0 or inverse_z[b] <= 0 or inverse_z[c] <= 0:
            continue
        top = min(y[a], y[b], y[c])
        bottom = max(y[a], y[b], y[c])
        if bottom < 0 or top > bands * band_rows:
            continue
        low[i] = max(int(math.ceil(top)) // band_rows, 0) if top > 0 else 0
        high[i] = min(int(bottom) // band_rows, bands - 1)
        for band in range(low[i], high[i] + 1):
            first[band + 1] += 1
    for band in range(bands):
        first[band + 1] += first[band]
    order = np.empty(first[bands], np.int32)
    place = first[:-1].copy()
    for i in range(count):
        for band in range(low[i], high[i] + 1):
            order[place[band]] = i
            place[band] += 1
    return first, order


@jit("void(f4[::1], f4[::1], f4[::1], f4[::1], f4[:, ::1], i4[:, ::1], i4[::1], i8, f4[:, ::1], f4[:, ::1], f4[:, ::1])")
def scan(x, y, inverse_z, source_z, uv, faces, order, first_row, z_out, u_out, v_out):
    """Draw triangles into one band of rows; the nearest wins.

    x, y, inverse_z: (N,) float32, of the vertices, pixels and 1/z. source_z: (N,) float32, depth in the photo's camera.
    uv: (N, 2) float32, texels. order: faces to draw.
    z_out, u_out, v_out: (rows, width) float32, become 1/z (0 = nothing drawn), column and row in the texture.
    """
    rows, width = z_out.shape
    z_out[:] = 0
    q_out = np.ones((rows, width), np.float32)
    for i in range(len(order)):
        a, b, c = faces[order[i], 0], faces[order[i], 1], faces[order[i], 2]
        if y[b] < y[a]:
            a, b = b, a
        if y[c] < y[a]:
            a, c = c, a
        if y[c] < y[b]:
            b, c = c, b
        xa, xb, xc = float(x[a]), float(x[b]), float(x[c])
        ya, yb, yc = float(y[a]) - first_row, float(y[b]) - first_row, float(y[c]) - first_row
        det = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        top = max(int(math.ceil(ya)), 0)
        bottom = min(int(math.ceil(yc)), rows)
        if det == 0 or top >= bottom:
            continue
        za, zb, zc = float(inverse_z[a]), float(inverse_z[b]), float(inverse_z[c])
        qa, qb, qc = source_z[a] * za, source_z[b] * zb, source_z[c] * zc
        ua, va = uv[a, 0] * qa, uv[a, 1] * qa
        z1, z2 = zb - za, zc - za
        q1, q2 = qb - qa, qc - qa
        u1, u2 = uv[b, 0] * qb - ua, uv[c, 0] * qc - ua
        v1, v2 = uv[b, 1] * qb - va, uv[c, 1] * qc - va
        ex, ey = (yc - ya) / det, (yb - ya) / det
        fx, fy = (xb - xa) / det, (xc - xa) / det
        zx, zy = z1 * ex - z2 * ey, z2 * fx - z1 * fy
        qx, qy = q1 * ex - q2 * ey, q2 * fx - q1 * fy
        ux, uy = u1 * ex - u2 * ey, u2 * fx - u1 * fy
        vx, vy = v1 * ex - v2 * ey, v2 * fx - v1 * fy
        long_slope = (xc - xa) / (yc - ya)
        for row in range(top, bottom):
            left = xa + (row - ya) * long_slope
            if row < yb:
                right = xa + (row - ya) * ((xb - xa) / (yb - ya))
            else:
                right = xb + (row - yb) * ((xc - xb) / (yc - yb))
            if right < left:
                left, right = right, left
            begin = max(int(math.ceil(left)), 0)
            end = min(int(math.ceil(right)), width)
            dy = row - ya
            z0, q0, u0, v0 = za + zy * dy, qa + qy * dy, ua + uy * dy, va + vy * dy
            for column in range(begin, end):
                dx = column - xa
                z = z0 + zx * dx
                if z > z_out[row, column]:
                    z_out[row, column] = z
                    q_out[row, column] = q0 + qx * dx
                    u_out[row, column] = u0 + ux * dx
                    v_out[row, column] = v0 + vx * dx
    for row in range(rows):
        for column in range(width):
            u_out[row, column] /= q_out[row, column]
            v_out[row, column] /= q_out[row, column]


@jit("void(u1[:, :, ::1], f4[:, ::1], u1[:, :, ::1], u1[:, ::1])")
def lay_over(sampled, inverse_z, out, left_over):
    """Composite one layer over what is there. sampled: (rows, width, 4) uint8, straight alpha. inverse_z: 0 = nothing.
    out: (rows, width, 3) uint8, changed. left_over: (rows, width) uint8, share of light that still passes, changed."""
    rows, width = inverse_z.shape
    for row in range(rows):
        for column in range(width):
            if inverse_z[row, column] <= 0:
                continue
            share = np.uint32(sampled[row, column, 3])
            if share == 255:
                for k in range(3):
                    out[row, column, k] = sampled[row, column, k]
                left_over[row, column] = 0
            elif share > 0:
                rest = np.uint32(255) - share
                for k in range(3):
                    mixed = sampled[row, column, k] * share + out[row, column, k] * rest + np.uint32(127)
                    out[row, column, k] = mixed // np.uint32(255)
                left_over[row, column] = left_over[row, column] * rest // np.uint32(255)
