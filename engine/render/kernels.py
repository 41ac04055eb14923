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

from ..jit import jit

SHIFT = 4
BLOCK = 1 << SHIFT          # pixels a side of the blocks in which hidden triangles are dropped

@jit("void(f4[:, ::1], f8[:, ::1], f8[::1], f8, f4[::1], f4[::1], f4[::1])")
def project(vertices, world2cam, camera, nearest, x, y, inverse_z):
    """vertices: (N, 3) float32. world2cam: (4, 4). camera: fx, fy, cx, cy. nearest: least depth that is drawn.
    x, y, inverse_z: (N,) float32, become pixels and 1/z, 0 for vertices that are too near or behind the camera."""
    m = world2cam
    for i in range(len(vertices)):
        a, b, c = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        depth = m[2, 0] * a + m[2, 1] * b + m[2, 2] * c + m[2, 3]
        share = 1 / depth if depth > nearest else 0.0
        inverse_z[i] = share
        x[i] = (m[0, 0] * a + m[0, 1] * b + m[0, 2] * c + m[0, 3]) * share * camera[0] + camera[2]
        y[i] = (m[1, 0] * a + m[1, 1] * b + m[1, 2] * c + m[1, 3]) * share * camera[1] + camera[3]


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
    for i in range(np.uint64(len(order))):
        face = np.uint64(order[i])
        a, b, c = np.uint64(faces[face, 0]), np.uint64(faces[face, 1]), np.uint64(faces[face, 2])
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
            line = np.uint64(row)
            for column in range(np.uint64(begin), np.uint64(end)):
                dx = column - xa
                z = z0 + zx * dx
                if z > z_out[line, column] and passes[line, column] > 0:
                    z_out[line, column] = z
                    q_out[line, column] = q0 + qx * dx
                    u_out[line, column] = u0 + ux * dx
                    v_out[line, column] = v0 + vx * dx


@jit("i8(i4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], f4[:, ::1], u1[:, ::1], i4[::1], f4[::1], f4[::1])")
def gather(spans, z, q, u, v, passes, places, columns, rows):
    """List the pixels that scan() drew and through which light passes. spans, z, q, u, v: from scan().
    -> how many; places, columns, rows: (at least that many,), become their flat indices in the band and their places in
    the texture."""
    width = np.uint64(z.shape[1])
    count = np.uint64(0)               # unsigned: numba need not look whether an index counts from the end
    for row in range(np.uint64(z.shape[0])):
        for column in range(np.uint64(spans[row, 0]), np.uint64(spans[row, 1])):
            if z[row, column] > 0 and passes[row, column] > 0:
                share = 1 / q[row, column]
                places[count] = row * width + column
                columns[count] = u[row, column] * share
                rows[count] = v[row, column] * share
                count += np.uint64(1)
    return np.int64(count)


@jit("void(u1[:, ::1], i4[::1], i8, i8, u1[::1], u1[::1], i4[:, ::1])")
def lay_under(sampled, places, count, width, out, passes, open_pixels):
    """Composite sampled pixels under what is there.

    sampled: (n, 4) uint8, straight alpha, of the first `count` places from gather(). width: of the frame.
    out: (pixels * 3,) uint8, passes: (pixels,) uint8, the share of light that still comes through, open_pixels:
    (rows / BLOCK, width / BLOCK) int32, pixels of each block where some does; all three are changed.
    """
    for i in range(np.uint64(count)):
        place = np.uint64(places[i])
        through, opaque = np.uint32(passes[place]), np.uint32(sampled[i, 3])
        share = through * opaque
        if share == 65025:
            first = np.uint64(3) * place
            out[first] = sampled[i, 0]
            out[first + np.uint64(1)] = sampled[i, 1]
            out[first + np.uint64(2)] = sampled[i, 2]
            passes[place] = 0
        elif share == 0:
            continue
        else:
            for k in range(3):
                added = (np.uint32(sampled[i, k]) * share + np.uint32(32512)) // np.uint32(65025)
                out[np.int64(place) * 3 + k] += added
            through = (through * (np.uint32(255) - opaque) + np.uint32(127)) // np.uint32(255)
            passes[place] = through
            if through > 0:
                continue
        row = np.int64(place) // width
        open_pixels[row >> SHIFT, (np.int64(place) - row * width) >> SHIFT] -= 1
