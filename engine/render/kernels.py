"""The inner loops of the rasteriser, compiled by numba. All release the GIL, so that bands run in threads.

Scan conversion is the classic one: triangles are split into rows, a pixel belongs to a triangle when its centre does,
and edges are half open and always walked from their upper end, so that neighbours leave neither gap nor overlap.
Textures are projected from the photo's camera: u, v and 1, times the depth there, are interpolated over the depth here
and divided at the end (Heckbert and Moreton, "Interpolation for polygon texture mapping and shading", 1991; Segal et
al., "Fast shadows and lighting effects using texture mapping", 1992). So a view from the photo's camera returns the
photo whatever the triangles look like.
"""

from __future__ import annotations

import math

import numpy as np

from .jit import jit

SHIFT = 4
BLOCK = 1 << SHIFT          # pixels a side of the blocks in which hidden triangles are dropped

@jit("Tuple((i4[::1], i4[::1]))(f4[::1], f4[::1], i4[:, ::1], i8, i8)")
def bin_faces(y, inverse_z, faces, band_rows, bands):
    """Sort triangles into bands of rows.

    y, inverse_z: (N,) float32, of the vertices; inverse_z <= 0 = behind the camera.
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
        low[i] = max(math.ceil(top) // band_rows, 0) if top > 0 else 0
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


@jit("void(f4[::1], f4[::1], f4[::1], f4[::1], f4[:, ::1], i4[:, ::1], i4[::1], i8, i8, i8,"
     " u1[:, ::1], u1[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], i4[:, ::1])")
def scan(x, y, inverse_z, source_z, uv, faces, order, first_row, left, right, passes, seen,
         z_out, q_out, u_out, v_out, spans):
    """Draw triangles into one band of rows where light still passes; the nearest wins.

    x, y, inverse_z: (N,) float32, of the vertices, pixels and 1/z. source_z: (N,) float32, depth in the photo's camera.
    uv: (N, 2) float32, texels. order: faces to draw. left, right: columns that they may touch.
    passes: (rows, width) uint8, 0 = something opaque is in front. seen: (rows / BLOCK, width / BLOCK) uint8, 0 = so for
    all pixels of that block and of its neighbours. z_out, q_out, u_out, v_out: (rows, width) float32, become 1/z (0 =
    nothing drawn), depth in the photo's camera over z, and column and row in the texture times that. spans: (rows, 2)
    int32, becomes the first column drawn to and the one after the last.
    """
    rows = z_out.shape[0]
    z_out[:, left:right] = 0
    spans[:, 0], spans[:, 1] = right, left
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
        top = max(math.ceil(ya), 0)
        bottom = min(math.ceil(yc), rows)
        if top >= bottom:
            continue
        column = min(max(int(xa), left), right - 1)
        small = yc - ya < BLOCK and abs(xb - xa) < BLOCK and abs(xc - xa) < BLOCK
        if small and seen[top >> SHIFT, column >> SHIFT] == 0:
            continue
        if not small:
            west = min(max(int(min(xa, xb, xc)), left), right - 1)
            east = min(max(int(max(xa, xb, xc)), left), right - 1)
            hidden = True
            for block_row in range(top >> SHIFT, ((bottom - 1) >> SHIFT) + 1):
                for block_column in range(west >> SHIFT, (east >> SHIFT) + 1):
                    hidden = hidden and seen[block_row, block_column] == 0
            if hidden:
                continue
        det = (xb - xa) * (yc - ya) - (xc - xa) * (yb - ya)
        if det == 0:
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
        upper_slope = (xb - xa) / (yb - ya)
        lower_slope = (xc - xb) / (yc - yb)
        for row in range(top, bottom):
            begins = xa + (row - ya) * long_slope
            ends = xa + (row - ya) * upper_slope if row < yb else xb + (row - yb) * lower_slope
            if ends < begins:
                begins, ends = ends, begins
            begin = max(math.ceil(begins), left)
            end = min(math.ceil(ends), right)
            if begin >= end:
                continue
            spans[row, 0], spans[row, 1] = min(spans[row, 0], begin), max(spans[row, 1], end)
            dy = row - ya
            z0, q0, u0, v0 = za + zy * dy, qa + qy * dy, ua + uy * dy, va + vy * dy
            for column in range(begin, end):
                dx = column - xa
                z = z0 + zx * dx
                if z > z_out[row, column] and passes[row, column] > 0:
                    z_out[row, column] = z
                    q_out[row, column] = q0 + qx * dx
                    u_out[row, column] = u0 + ux * dx
                    v_out[row, column] = v0 + vx * dx


@jit("u8(u4)")
def _spread(texel):
    """Four bytes -> four lanes of 16 bits, for arithmetic on all channels at once."""
    lanes = np.uint64(texel)
    lanes = (lanes | (lanes << np.uint64(16))) & np.uint64(0x0000FFFF0000FFFF)
    return (lanes | (lanes << np.uint64(8))) & np.uint64(0x00FF00FF00FF00FF)


@jit("void(u4[:, ::1], i4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], u1[:, :, ::1], u1[:, ::1],"
     " i4[:, ::1])")
def shade(texture, spans, z, q, u, v, out, passes, open_pixels):
    """Sample what scan() drew, bilinearly, and composite it under what is there.

    texture: (h, w) uint32, the bytes of RGBA with straight alpha, red lowest. spans, z, q, u, v: from scan().
    out: (rows, width, 3) uint8, passes: (rows, width) uint8, the share of light that still comes through, open_pixels:
    (rows / BLOCK, width / BLOCK) int32, pixels of each block where some does; all three are changed.
    """
    last_row, last_column = texture.shape[0] - 1, texture.shape[1] - 1
    one, byte, eight = np.uint64(1), np.uint64(255), np.uint64(8)
    for row in range(np.uint64(0), np.uint64(z.shape[0])):
        for column in range(np.uint64(spans[row, 0]), np.uint64(spans[row, 1])):
            through = np.uint64(passes[row, column])
            if z[row, column] <= 0 or through == 0:
                continue
            scale = np.float32(256) / q[row, column]
            x = np.uint64(min(max(int(u[row, column] * scale + np.float32(0.5)), 0), last_column << 8))
            y = np.uint64(min(max(int(v[row, column] * scale + np.float32(0.5)), 0), last_row << 8))
            x0, y0 = x >> eight, y >> eight
            x1, y1 = min(x0 + one, np.uint64(last_column)), min(y0 + one, np.uint64(last_row))
            fx, fy = x & byte, y & byte
            both = (fx * fy + np.uint64(128)) >> eight
            lanes = (_spread(texture[y0, x0]) * (np.uint64(256) - fx - fy + both)
                     + _spread(texture[y0, x1]) * (fx - both)
                     + _spread(texture[y1, x0]) * (fy - both)
                     + _spread(texture[y1, x1]) * both)
            lanes = ((lanes + np.uint64(0x0080008000800080)) >> eight) & np.uint64(0x00FF00FF00FF00FF)
            opaque = lanes >> np.uint64(48)
            share = through * opaque
            if share == 65025:
                out[row, column, 0] = lanes & byte
                out[row, column, 1] = (lanes >> np.uint64(16)) & byte
                out[row, column, 2] = (lanes >> np.uint64(32)) & byte
                passes[row, column] = 0
            elif opaque == 0:
                continue
            else:
                for k in range(3):
                    value = (lanes >> np.uint64(16 * k)) & byte
                    out[row, column, k] += (value * share + np.uint64(32512)) // np.uint64(65025)
                through = (through * (byte - opaque) + np.uint64(127)) // byte
                passes[row, column] = through
                if through > 0:
                    continue
            open_pixels[row >> np.uint64(SHIFT), column >> np.uint64(SHIFT)] -= 1
