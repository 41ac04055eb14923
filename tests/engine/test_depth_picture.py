"""Depth pictures: what counts as near in each kind of file, and what is refused."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import OpenEXR
import pytest
from PIL import Image

from engine.depth.picture import read_depth_picture
from engine.errors import BadDepth

SHAPE = (60, 90)
RAMP = np.tile(np.linspace(0, 1, 90), (60, 1))                  # 0 at the left, 1 at the right


def write_exr(path: Path, channels: dict[str, np.ndarray], **header: object) -> None:
    header = {"compression": OpenEXR.ZIP_COMPRESSION, "type": OpenEXR.scanlineimage, **header}
    OpenEXR.File(header, channels).write(str(path))


def refused(path: Path, shape: tuple[int, int] = SHAPE) -> str:
    with pytest.raises(BadDepth) as caught:
        read_depth_picture(str(path), True, shape)
    assert caught.value.remedy.endswith((".", str(path)))
    return caught.value.message


def check(relative: np.ndarray, expected: np.ndarray, tolerance: float) -> None:
    assert relative.shape == SHAPE and relative.dtype == np.float32
    assert relative.min() == 0 and relative.max() == 1
    assert np.abs(relative - expected).max() <= tolerance


@pytest.mark.parametrize("near_is_bright", [True, False])
@pytest.mark.parametrize(("name", "full"), [("d8.png", 255), ("d16.png", 65535), ("d8.tif", 255), ("d16.tif", 65535)])
def test_whole_number_pictures(tmp_path: Path, name: str, full: int, near_is_bright: bool) -> None:
    kind = np.uint8 if full == 255 else np.uint16
    cv2.imwrite(str(tmp_path / name), np.round(RAMP * full).astype(kind))
    expected = RAMP if near_is_bright else 1 - RAMP
    check(read_depth_picture(str(tmp_path / name), near_is_bright, SHAPE), expected, 0.6 / full)


def test_range_is_stretched(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "d.png"), np.round(100 + 50 * RAMP).astype(np.uint8))
    check(read_depth_picture(str(tmp_path / "d.png"), True, SHAPE), RAMP, 0.011)


def test_grey_in_rgb(tmp_path: Path) -> None:
    deep = np.round(RAMP * 65535).astype(np.uint16)
    cv2.imwrite(str(tmp_path / "d.png"), np.dstack([deep] * 3))
    check(read_depth_picture(str(tmp_path / "d.png"), True, SHAPE), RAMP, 1e-5)
    Image.fromarray(np.dstack([np.round(RAMP * 255).astype(np.uint8)] * 3)).save(tmp_path / "d.jpg", quality=95)
    check(read_depth_picture(str(tmp_path / "d.jpg"), True, SHAPE), RAMP, 0.02)


def test_orientation_is_applied(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[274] = 3
    Image.fromarray(np.round(RAMP * 255).astype(np.uint8)).save(tmp_path / "d.png", exif=exif)
    check(read_depth_picture(str(tmp_path / "d.png"), True, SHAPE), 1 - RAMP, 0.01)


def z_and_expected() -> tuple[np.ndarray, np.ndarray]:
    z = 1 / (0.1 + 0.4 * RAMP)              # 10 to 2 scene units
    return z, RAMP


@pytest.mark.parametrize("kind", [np.float32, np.float16])
@pytest.mark.parametrize("channel", ["Z", "Depth", "V", "Y", "R", "ViewLayer.Depth.Z", "anything"])
def test_exr_of_z(tmp_path: Path, kind: type, channel: str) -> None:
    z, expected = z_and_expected()
    write_exr(tmp_path / "z.exr", {channel: z.astype(kind)})
    check(read_depth_picture(str(tmp_path / "z.exr"), False, SHAPE), expected, 0.012 if kind is np.float16 else 0.005)


def test_exr_prefers_z_to_the_picture(tmp_path: Path) -> None:
    z, expected = z_and_expected()
    noise = np.random.default_rng(0).random((*SHAPE, 3)).astype(np.float32)
    colours = {channel: np.ascontiguousarray(noise[..., i]) for i, channel in enumerate("RGB")}
    write_exr(tmp_path / "z.exr", {"Z": z.astype(np.float32), **colours})
    check(read_depth_picture(str(tmp_path / "z.exr"), False, SHAPE), expected, 0.005)


@pytest.mark.parametrize("background", [np.inf, 1e10, np.nan])
@pytest.mark.parametrize("name", ["z.exr", "z.npy", "z.tif"])
def test_background_of_z_is_farthest(tmp_path: Path, background: float, name: str) -> None:
    z = (1 / (0.1 + 0.4 * RAMP)).astype(np.float32)
    z[:, :30] = background
    path = tmp_path / name
    if name == "z.exr":
        write_exr(path, {"Z": z})
    elif name == "z.npy":
        np.save(path, z)
    else:
        Image.fromarray(z).save(path)
    relative = read_depth_picture(str(path), False, SHAPE)
    assert np.isfinite(relative).all() and (relative[:, :30] == 0).all() and relative.max() == 1
    disparity = 1 / z[:, 30:].astype(float)
    low = disparity.min() if np.isnan(background) else 0.0       # not-a-number tells no distance, so no zero is known
    assert np.abs(relative[:, 30:] - (disparity - low) / (disparity.max() - low)).max() < 0.005


def test_stray_near_sample_does_not_flatten_the_rest(tmp_path: Path) -> None:
    z, expected = z_and_expected()
    z[30, 45] = 1e-4
    np.save(tmp_path / "z.npy", z)
    relative = read_depth_picture(str(tmp_path / "z.npy"), False, SHAPE)
    assert relative[30, 45] == 1
    assert np.abs(np.delete(relative, 30, axis=0) - np.delete(expected, 30, axis=0)).max() < 0.005


def test_floats_without_scale_are_turned_over(tmp_path: Path) -> None:
    np.save(tmp_path / "d.npy", RAMP)       # reaches zero: no z in scene units
    check(read_depth_picture(str(tmp_path / "d.npy"), False, SHAPE), 1 - RAMP, 1e-6)


def test_disparity_arrays(tmp_path: Path) -> None:
    disparity = 3 + 5 * RAMP
    disparity[0, 0], disparity[1, 1] = np.nan, np.inf
    for array in (disparity, disparity[None], disparity[..., None]):
        np.save(tmp_path / "d.npy", array)
        relative = read_depth_picture(str(tmp_path / "d.npy"), True, SHAPE)
        assert relative[0, 0] == 0 and relative[1, 1] == 1
        assert np.abs(relative - RAMP)[2:].max() < 1e-6
    for kind in (np.int16, np.uint8, np.int64, np.float16):
        np.save(tmp_path / "d.npy", np.round(RAMP * 100).astype(kind))
        check(read_depth_picture(str(tmp_path / "d.npy"), True, SHAPE), RAMP, 0.006)
    check(read_depth_picture(str(tmp_path / "d.npy"), False, SHAPE), 1 - RAMP, 0.006)


@pytest.mark.parametrize("scale", [0.5, 3])
def test_other_sizes_are_resized_without_ringing(tmp_path: Path, scale: float) -> None:
    step = np.zeros((round(60 * scale), round(90 * scale)), np.uint8)
    step[:, step.shape[1] // 2:] = 200
    cv2.imwrite(str(tmp_path / "d.png"), step)
    relative = read_depth_picture(str(tmp_path / "d.png"), True, SHAPE)
    assert relative.shape == SHAPE and relative.min() == 0 and relative.max() == 1
    assert (np.diff(relative, axis=1) >= 0).all()
    assert (relative[:, :43] == 0).all() and (relative[:, 47:] == 1).all()


def test_exr_windows(tmp_path: Path) -> None:
    """Only the middle is stored: around it the distance is unknown, hence far."""
    part = (1 + RAMP[10:50, 20:70]).astype(np.float32)
    write_exr(tmp_path / "w.exr", {"Z": part}, dataWindow=((20, 10), (69, 49)), displayWindow=((0, 0), (89, 59)))
    relative = read_depth_picture(str(tmp_path / "w.exr"), True, SHAPE)
    assert (relative[:10] == 0).all() and (relative[:, 70:] == 0).all() and relative[30, 69] == 1
    assert np.abs(relative[10:50, 20:70] - (part - part.min()) / (part.max() - part.min())).max() < 1e-6


def test_what_is_refused(tmp_path: Path) -> None:
    ramp = np.round(RAMP * 255).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "wide.png"), ramp[:50])
    assert "90 x 50" in refused(tmp_path / "wide.png") and "90 x 60" in refused(tmp_path / "wide.png")
    cv2.imwrite(str(tmp_path / "turned.png"), ramp.T)
    assert "another shape" in refused(tmp_path / "turned.png")
    cv2.imwrite(str(tmp_path / "close.png"), ramp[:59])         # 1.7 % off: rounding of a smaller size
    assert read_depth_picture(str(tmp_path / "close.png"), True, SHAPE).shape == SHAPE
    cv2.imwrite(str(tmp_path / "flat.png"), np.full(SHAPE, 77, np.uint8))
    assert "same depth everywhere" in refused(tmp_path / "flat.png")
    for value in (np.nan, np.inf, 2.5):
        np.save(tmp_path / "flat.npy", np.full(SHAPE, value))
        assert "same depth everywhere" in refused(tmp_path / "flat.npy")
    cv2.imwrite(str(tmp_path / "map.png"), cv2.applyColorMap(ramp, cv2.COLORMAP_TURBO))
    assert "in colours" in refused(tmp_path / "map.png")
    turbo = cv2.applyColorMap(ramp, cv2.COLORMAP_TURBO).astype(np.float32) / 255
    write_exr(tmp_path / "map.exr", {c: np.ascontiguousarray(turbo[..., i]) for i, c in enumerate("BGR")})
    assert "in colours" in refused(tmp_path / "map.exr")
    write_exr(tmp_path / "names.exr", {"one": turbo[..., 0].copy(), "two": turbo[..., 1].copy()})
    assert "no channel called" in refused(tmp_path / "names.exr")


def test_damaged_and_foreign_files(tmp_path: Path) -> None:
    z, _ = z_and_expected()
    write_exr(tmp_path / "whole.exr", {"Z": np.random.default_rng(0).random(SHAPE).astype(np.float32)})
    whole = (tmp_path / "whole.exr").read_bytes()
    for size in (20, 200, 900, len(whole) * 2 // 3, len(whole) - 50):
        (tmp_path / "cut.exr").write_bytes(whole[:size])
        assert "damaged" in refused(tmp_path / "cut.exr")
    np.save(tmp_path / "cut.npy", z)
    (tmp_path / "cut.npy").write_bytes((tmp_path / "cut.npy").read_bytes()[:-100])
    assert "damaged" in refused(tmp_path / "cut.npy")
    np.save(tmp_path / "object.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "plain numbers" in refused(tmp_path / "object.npy")
    for array in (np.zeros((4, 5, 3)), np.zeros(7), np.zeros((60, 90), complex), np.zeros((0, 9)), np.array("text")):
        np.save(tmp_path / "shape.npy", array)
        assert "holds an array" in refused(tmp_path / "shape.npy")
    (tmp_path / "note.txt").write_text("near is bright")
    assert "text file" in refused(tmp_path / "note.txt")
    assert "not there" in refused(tmp_path / "none.png")
    assert "folder" in refused(tmp_path)
    header = b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (40000, 60000), }"
    (tmp_path / "huge.npy").write_bytes(header.ljust(127) + b"\n")
    assert "damaged" in refused(tmp_path / "huge.npy")          # it says 10 GB and holds none
    np.lib.format.open_memmap(tmp_path / "large.npy", "w+", np.uint8, (20000, 10000))
    assert "too large" in refused(tmp_path / "large.npy", (20000, 10000))
