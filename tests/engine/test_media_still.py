"""Stills in: every format and depth, upright, in sRGB; and a plain sentence for everything that is no still."""

from __future__ import annotations

import io
import os
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image, ImageCms

from engine.errors import BadStill
from engine.media import decode, still
from engine.media.still import check_photo, load_still

UNDO = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 8, 7: 7, 8: 6}     # how an upright picture must be stored for an orientation


def corners(height: int = 64, width: int = 96) -> np.ndarray:
    """Four quarters of four colours, with a slope in each: no two orientations of it are alike."""
    picture = np.zeros((height, width, 3), np.uint8)
    h, w = height // 2, width // 2
    picture[:h, :w], picture[:h, w:], picture[h:, :w], picture[h:, w:] = (
        (200, 30, 30), (30, 200, 30), (30, 30, 200), (210, 210, 210))
    return picture + np.linspace(0, 40, width, dtype=np.uint8)[None, :, None]


def error_of(path: object) -> BadStill:
    with pytest.raises(BadStill) as caught:
        load_still(str(path))
    error = caught.value
    for sentence in (error.message, error.remedy):
        assert sentence.endswith((".", str(path))) and "Traceback" not in sentence and "Error" not in sentence
    return error


def write_tiff16(path: Path, pixels: np.ndarray, orientation: int = 1, extra: int | None = None) -> None:
    """An uncompressed 16 bit TIFF by hand, as Pillow writes none. extra: 1 = premultiplied alpha, 2 = straight."""
    height, width, channels = pixels.shape
    data = pixels.astype("<u2").tobytes()
    tags = [(256, width), (257, height), (258, -1), (259, 1), (262, 2), (273, -2), (274, orientation), (277, channels),
            (278, height), (279, len(data)), (284, 1)] + ([(338, extra)] if extra else [])
    bits_at = 8 + 2 + 12 * len(tags) + 4
    out = b"II*\0" + struct.pack("<IH", 8, len(tags))
    for tag, value in tags:
        count = channels if tag == 258 else 1
        value = {-1: bits_at, -2: bits_at + 2 * channels}.get(value, value)
        out += struct.pack("<HHII", tag, 3 if tag == 258 else 4, count, value)
    path.write_bytes(out + struct.pack("<I", 0) + struct.pack(f"<{channels}H", *[16] * channels) + data)


@pytest.mark.parametrize(("format_name", "options", "tolerance"), [
    ("PNG", {}, 0), ("BMP", {}, 0), ("TIFF", {"compression": "tiff_lzw"}, 0), ("WEBP", {"lossless": True}, 0),
    ("GIF", {}, 12), ("JPEG", {"quality": 98, "subsampling": 0}, 2),
    ("AVIF", {"quality": 98, "subsampling": "4:4:4"}, 3),
    ("HEIF", {"quality": 98, "chroma": 444}, 3)])
def test_formats(tmp_path: Path, format_name: str, options: dict, tolerance: float) -> None:
    path = tmp_path / f"photo.{format_name.lower()}"
    Image.fromarray(corners()).save(path, format_name, **options)
    loaded = load_still(str(path))
    assert loaded.rgb.shape == corners().shape and loaded.rgb.dtype == np.uint8
    assert loaded.alpha is None and loaded.lens_mm is None and loaded.path == str(path)
    assert np.abs(loaded.rgb.astype(int) - corners()).mean() <= tolerance
    facts = check_photo(str(path))
    assert (facts["format"], facts["width"], facts["height"], facts["bits"]) == (format_name, 96, 64, 8)


def test_wrong_suffix_is_no_matter(tmp_path: Path) -> None:
    Image.fromarray(corners()).save(tmp_path / "photo.png", "PNG")
    (tmp_path / "photo.png").rename(tmp_path / "photo.jpg")
    assert np.array_equal(load_still(str(tmp_path / "photo.jpg")).rgb, corners())


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "WEBP", "TIFF", "AVIF", "HEIF"])
def test_orientation(tmp_path: Path, format_name: str, orientation: int) -> None:
    stored = Image.fromarray(decode.upright(corners(), UNDO[orientation]))
    tags = Image.Exif()
    tags[274] = orientation
    stored.info["exif"] = tags.tobytes()        # the HEIF writer looks here for the turn that it writes
    path = tmp_path / f"photo.{format_name.lower()}"
    stored.save(path, format_name, exif=tags.tobytes())
    rgb = load_still(str(path)).rgb
    assert rgb.shape == corners().shape
    assert np.abs(rgb.astype(int) - corners()).mean() < 12


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_of_deep_tiff(tmp_path: Path, orientation: int) -> None:
    deep = corners().astype(np.uint16) * 257
    write_tiff16(tmp_path / "t.tif", decode.upright(deep, UNDO[orientation]), orientation)
    assert np.array_equal(load_still(str(tmp_path / "t.tif")).rgb, corners())


def test_sixteen_bits_round_to_the_nearest_level(tmp_path: Path) -> None:
    deep = np.linspace(0, 65535, 96 * 64 * 3).astype(np.uint16).reshape(64, 96, 3)
    expected = np.round(deep / 257.0).astype(np.uint8)
    cv2.imwrite(str(tmp_path / "rgb.png"), deep[..., ::-1])
    cv2.imwrite(str(tmp_path / "grey.png"), deep[..., 0])
    cv2.imwrite(str(tmp_path / "rgb.tif"), deep[..., ::-1])
    cv2.imwrite(str(tmp_path / "rgba.png"), np.dstack([deep[..., ::-1], deep[..., 0]]))
    assert np.array_equal(load_still(str(tmp_path / "rgb.png")).rgb, expected)
    assert np.array_equal(load_still(str(tmp_path / "rgb.tif")).rgb, expected)
    assert np.array_equal(load_still(str(tmp_path / "grey.png")).rgb, np.repeat(expected[..., :1], 3, axis=2))
    with_alpha = load_still(str(tmp_path / "rgba.png"))
    assert np.array_equal(with_alpha.rgb, expected) and np.array_equal(with_alpha.alpha, expected[..., 0])
    assert check_photo(str(tmp_path / "rgb.png"))["bits"] == 16


@pytest.mark.parametrize(("extra", "stored"), [(1, 0.5), (2, 1.0)])
def test_deep_tiff_alpha_becomes_straight(tmp_path: Path, extra: int, stored: float) -> None:
    deep = corners().astype(np.uint16) * 257
    alpha = np.full((64, 96, 1), 32768, np.uint16)
    write_tiff16(tmp_path / "t.tif", np.dstack([(deep * stored).round().astype(np.uint16), alpha]), extra=extra)
    loaded = load_still(str(tmp_path / "t.tif"))
    assert loaded.alpha is not None and (loaded.alpha == 128).all()
    assert np.abs(loaded.rgb.astype(int) - corners()).max() <= 1


def test_alpha_is_kept_straight(tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    Image.fromarray(np.dstack([corners(), alpha])).save(tmp_path / "a.png")
    loaded = load_still(str(tmp_path / "a.png"))
    assert np.array_equal(loaded.rgb, corners()) and np.array_equal(loaded.alpha, alpha)
    assert any("transparent" in w for w in check_photo(str(tmp_path / "a.png"))["warnings"])
    Image.fromarray(np.dstack([corners(), np.full_like(alpha, 255)])).save(tmp_path / "opaque.png")
    assert load_still(str(tmp_path / "opaque.png")).alpha is None
    Image.fromarray(np.dstack([corners(), np.zeros_like(alpha)])).save(tmp_path / "gone.png")
    assert "transparent" in error_of(tmp_path / "gone.png").message


def test_grey_palette_and_transparent_colours(tmp_path: Path) -> None:
    grey = corners()[..., 0]
    Image.fromarray(grey).save(tmp_path / "grey.png")
    assert np.array_equal(load_still(str(tmp_path / "grey.png")).rgb, np.dstack([grey] * 3))
    Image.fromarray(np.dstack([grey, 255 - grey]), "LA").save(tmp_path / "la.png")
    loaded = load_still(str(tmp_path / "la.png"))
    assert np.array_equal(loaded.rgb[..., 1], grey) and np.array_equal(loaded.alpha, 255 - grey)
    Image.fromarray(grey > 100).save(tmp_path / "bits.png")
    assert np.array_equal(load_still(str(tmp_path / "bits.png")).rgb[..., 2], (grey > 100) * np.uint8(255))
    palette = Image.fromarray((corners()[..., 0] > 100).astype(np.uint8), "P")
    palette.putpalette([10, 20, 30, 200, 100, 50] + [0] * 762)
    palette.save(tmp_path / "p.png")
    assert set(map(tuple, load_still(str(tmp_path / "p.png")).rgb.reshape(-1, 3))) == {(10, 20, 30), (200, 100, 50)}
    palette.save(tmp_path / "pt.png", transparency=0)
    loaded = load_still(str(tmp_path / "pt.png"))
    assert loaded.alpha is not None and set(loaded.alpha[(loaded.rgb == (10, 20, 30)).all(axis=2)]) == {0}
    Image.fromarray(corners()).save(tmp_path / "key.png", transparency=tuple(int(v) for v in corners()[0, 0]))
    keyed = load_still(str(tmp_path / "key.png")).alpha
    assert keyed is not None and keyed[0, 0] == 0 and keyed[-1, -1] == 255


def wide_gamut_profile() -> bytes:
    """A matrix profile whose red and green have changed places: a picture shows at once whether it was used."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    count = struct.unpack(">I", profile[128:132])[0]
    entries = {bytes(profile[132 + 12 * i:136 + 12 * i]): 132 + 12 * i for i in range(count)}
    red, green = entries[b"rXYZ"], entries[b"gXYZ"]
    profile[red:red + 4], profile[green:green + 4] = b"gXYZ", b"rXYZ"
    return bytes(profile).replace("sRGB".encode("utf-16-be"), "swap".encode("utf-16-be")).replace(b"sRGB", b"swap")


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "WEBP"])
def test_embedded_profile_becomes_srgb(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / f"photo.{format_name.lower()}"
    options = {"lossless": True} if format_name == "WEBP" else {"quality": 98} if format_name == "JPEG" else {}
    Image.fromarray(corners()).save(path, format_name, icc_profile=wide_gamut_profile(), **options)
    assert np.abs(load_still(str(path)).rgb.astype(int) - corners()[..., [1, 0, 2]]).mean() < 3
    assert "swap" in check_photo(str(path))["profile"]


def test_profile_and_alpha_together(tmp_path: Path) -> None:
    alpha = np.tile(np.linspace(0, 255, 96).astype(np.uint8), (64, 1))
    Image.fromarray(np.dstack([corners(), alpha])).save(tmp_path / "a.png", icc_profile=wide_gamut_profile())
    loaded = load_still(str(tmp_path / "a.png"))
    assert np.array_equal(loaded.alpha, alpha)
    assert np.abs(loaded.rgb.astype(int) - corners()[..., [1, 0, 2]]).max() <= 2


def grey_profile(gamma: float) -> bytes:
    """The smallest grey ICC profile: a white point and a curve."""
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    curve = b"curv" + bytes(4) + struct.pack(">IH", 1, round(gamma * 256)) + bytes(2)
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"grey\0" + bytes(78) + bytes(1)
    body, entries, at = b"", b"", 128 + 4 + 12 * 3
    for tag, data in ((b"desc", name), (b"wtpt", white), (b"kTRC", curve)):
        data += bytes(-len(data) % 4)
        entries += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02100000, b"mntr", b"GRAY", b"XYZ ", bytes(12),
                       b"acsp")
    head += bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", 3) + entries + body


def test_grey_profile(tmp_path: Path) -> None:
    grey = np.tile(np.arange(0, 256, 2, dtype=np.uint8), (64, 1))
    Image.fromarray(grey).save(tmp_path / "g.png", icc_profile=grey_profile(1.0))
    linear = np.arange(0, 256, 2) / 255.0
    expected = 255 * np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)
    rgb = load_still(str(tmp_path / "g.png")).rgb
    assert np.abs(rgb.astype(float) - expected[None, :, None]).max() < 2
    assert check_photo(str(tmp_path / "g.png"))["warnings"] == [
        "The picture is only 128 x 64 pixels, so a clip of it looks soft."]


def cmyk_profile() -> bytes:
    """A printer whose paper is white, whose cyan is red, and whose other inks are all black."""
    def lab(lightness: float, a: float, b: float) -> bytes:
        return bytes([round(lightness * 2.55), round(a) + 128, round(b) + 128])
    corners_of_inks = {0: lab(100, 0, 0), 8: lab(53.2, 80, 67)}
    grid = b"".join(corners_of_inks.get(ink, lab(0, 0, 0)) for ink in range(16))
    identity = struct.pack(">9i", 65536, 0, 0, 0, 65536, 0, 0, 0, 65536)
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + identity + bytes(range(256)) * 4 + grid + bytes(range(256)) * 3
    name = b"desc" + bytes(4) + struct.pack(">I", 5) + b"inks\0" + bytes(79)
    white = b"XYZ " + bytes(4) + struct.pack(">3i", 63190, 65536, 54061)
    body, entries, at = b"", b"", 128 + 4 + 12 * 3
    for tag, data in ((b"desc", name), (b"wtpt", white), (b"A2B0", table)):
        data += bytes(-len(data) % 4)
        entries += tag + struct.pack(">II", at + len(body), len(data))
        body += data
    head = struct.pack(">I4sI4s4s4s12s4s", at + len(body), b"lcms", 0x02100000, b"prtr", b"CMYK", b"Lab ", bytes(12),
                       b"acsp") + bytes(28) + struct.pack(">3i", 63190, 65536, 54061)
    return head + bytes(128 - len(head)) + struct.pack(">I", 3) + entries + body


@pytest.mark.parametrize("format_name", ["JPEG", "TIFF"])
def test_cmyk_profile(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / f"c.{format_name.lower()}"
    inks = np.zeros((32, 64, 4), np.uint8)
    inks[:, 16:32, 0] = inks[:, 32:48, 1] = inks[:, 48:, 3] = 255
    Image.frombytes("CMYK", (64, 32), inks.tobytes()).save(path, format_name, icc_profile=cmyk_profile())
    rgb = load_still(str(path)).rgb
    for column, colour in ((8, (255, 255, 255)), (24, (255, 0, 0)), (40, (0, 0, 0)), (56, (0, 0, 0))):
        assert np.abs(rgb[16, column].astype(int) - colour).max() <= 8
    assert check_photo(str(path))["profile"] == "inks"
    assert not any("CMYK" in w for w in check_photo(str(path))["warnings"])


def test_useless_profiles_are_ignored_with_a_warning(tmp_path: Path) -> None:
    Image.fromarray(corners()).save(tmp_path / "broken.png", icc_profile=b"no profile at all" * 20)
    assert np.array_equal(load_still(str(tmp_path / "broken.png")).rgb, corners())
    assert any("damaged" in w for w in check_photo(str(tmp_path / "broken.png"))["warnings"])
    Image.fromarray(corners()).save(tmp_path / "misfit.png", icc_profile=grey_profile(2.2))
    assert np.array_equal(load_still(str(tmp_path / "misfit.png")).rgb, corners())
    assert any("does not fit" in w for w in check_photo(str(tmp_path / "misfit.png"))["warnings"])
    Image.fromarray(corners()[..., 0]).save(tmp_path / "lrgb.png", icc_profile=wide_gamut_profile())
    assert load_still(str(tmp_path / "lrgb.png")).rgb.shape == corners().shape


@pytest.mark.parametrize("format_name", ["JPEG", "TIFF"])
def test_cmyk_without_profile(tmp_path: Path, format_name: str) -> None:
    path = tmp_path / f"c.{format_name.lower()}"
    options = {"quality": 98} if format_name == "JPEG" else {}
    Image.fromarray(corners()).convert("CMYK").save(path, format_name, **options)
    assert np.abs(load_still(str(path)).rgb.astype(int) - corners()).mean() < 3
    assert any("CMYK" in w for w in check_photo(str(path))["warnings"])


def test_first_of_several_pictures(tmp_path: Path) -> None:
    first, second = Image.fromarray(corners()), Image.fromarray(255 - corners())
    for name, options in (("a.gif", {}), ("a.webp", {"lossless": True}), ("a.tif", {}), ("a.png", {})):
        first.save(tmp_path / name, save_all=True, append_images=[second], **options)
        assert np.abs(load_still(str(tmp_path / name)).rgb.astype(int) - corners()).mean() < 13, name
        facts = check_photo(str(tmp_path / name))
        assert facts["pictures_in_file"] == 2 and any("2 pictures" in w for w in facts["warnings"])


@pytest.mark.parametrize(("tags", "lens"), [
    ({0xA405: 28}, 28.0),
    ({0xA405: 0, 0x920A: 5.0}, None),
    ({0x920A: 18.0, 0xA20E: 4000 / 23.6 * 25.4, 0xA210: 2, 0xA002: 4000}, 18 * 36 / 23.6),
    ({0x920A: 18.0, 0xA20E: 4000 / 2.36, 0xA20F: 3000 / 2.36, 0xA210: 3, 0xA002: 4000, 0xA003: 3000}, 18 * 36 / 23.6),
    ({0x920A: 18.0, 0xA20E: 72.0, 0xA210: 2, 0xA002: 4000}, None),      # a screen's resolution is no sensor's
    ({0xA405: 60000}, None),
    ({}, None)])
@pytest.mark.parametrize("format_name", ["JPEG", "PNG"])
def test_lens(tmp_path: Path, tags: dict, lens: float | None, format_name: str) -> None:
    exif = Image.Exif()
    exif[271] = "Maker"
    exif[0x8769] = tags
    path = tmp_path / "l"
    Image.fromarray(corners()).save(path, format_name, exif=exif)
    found = load_still(str(path)).lens_mm
    assert found == (None if lens is None else pytest.approx(lens, rel=1e-3))


def test_damaged_exif_is_no_reason_to_refuse(tmp_path: Path) -> None:
    Image.fromarray(corners()).save(tmp_path / "e.png", exif=b"Exif\0\0II*\0\xff\xff\xff\x00garbage")
    assert np.array_equal(load_still(str(tmp_path / "e.png")).rgb, corners())


def test_too_many_pixels_is_found_before_decoding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    header = struct.pack(">IIBBBBB", 30000, 20000, 8, 2, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(bytes(1000))) + chunk(b"IEND", b"")
    (tmp_path / "bomb.png").write_bytes(b"\x89PNG\r\n\x1a\n" + chunks)
    monkeypatch.setattr(decode, "_pixels", lambda *_: pytest.fail("decoded"))
    error = error_of(tmp_path / "bomb.png")
    assert "600 megapixels" in error.message and "160" in error.remedy


def test_what_is_no_still(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = io.BytesIO()
    Image.fromarray(corners(600, 900)).save(photo, "JPEG")
    files = {
        "empty.jpg": (b"", "empty"),
        "notes.txt": ("Grüße\n".encode() * 200, "text file"),
        "notes.jpg": (b"hello world\n" * 3, "text file"),
        "clip.mp4": (b"\0\0\0\x20ftypisom\0\0\x02\0isomiso2avc1mp41" + bytes(600), "movie"),
        "hidden.jpg": (b"\0\0\0\x20ftypqt  \0\0\x02\0" + bytes(600), "movie"),
        "clip.mkv": (b"\x1aE\xdf\xa3" + bytes(600), "movie"),
        "cut.jpg": (photo.getvalue()[:len(photo.getvalue()) // 2], "damaged or cut off"),
        "head.jpg": (photo.getvalue()[:20], "damaged"),
        "noise.png": (np.random.default_rng(0).bytes(3000), "damaged"),
        "noise.psd": (np.random.default_rng(1).bytes(3000), "not a kind of picture"),
        "raw.nef": (photo.getvalue(), "raw camera file")}
    for name, (data, words) in files.items():
        (tmp_path / name).write_bytes(data)
        error = error_of(tmp_path / name)
        assert words in error.message and name in error.message
    noise = np.random.default_rng(2).integers(0, 255, (200, 300, 3), dtype=np.uint8)
    for format_name in ("PNG", "TIFF", "WEBP", "AVIF", "HEIF"):
        whole = io.BytesIO()
        Image.fromarray(noise).save(whole, format_name)
        (tmp_path / "cut").write_bytes(whole.getvalue()[:len(whole.getvalue()) * 2 // 3])
        assert "cut" in error_of(tmp_path / "cut").message, format_name
    deep = tmp_path / "cut16.png"
    cv2.imwrite(str(deep), np.random.default_rng(3).integers(0, 65535, (200, 300, 3), dtype=np.uint16))
    deep.write_bytes(deep.read_bytes()[:-2000])
    assert "damaged or cut off" in error_of(deep).message
    assert "folder" in error_of(tmp_path).message
    assert "not there" in error_of(tmp_path / "none.jpg").message
    assert "not there" in error_of(tmp_path / "notes.txt" / "none.jpg").message
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "not a file" in error_of(tmp_path / "pipe.jpg").message
    assert "cannot be read" in error_of("nul\0byte.jpg").message

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")
    monkeypatch.setattr(Path, "open", refuse)       # root may read everything, so the right is taken away here
    assert "may not be read" in error_of(tmp_path / "notes.jpg").message


def test_pictures_that_are_data(tmp_path: Path) -> None:
    Image.fromarray(np.random.default_rng(0).random((64, 96)).astype(np.float32)).save(tmp_path / "f.tif")
    assert "no ordinary picture" in error_of(tmp_path / "f.tif").message
    Image.fromarray(corners(12, 40)).save(tmp_path / "tiny.png")
    assert "40 x 12" in error_of(tmp_path / "tiny.png").message


def test_fitted() -> None:
    photo = still.Still(corners(300, 400), None, 28.0, "p")
    assert photo.fitted(400, 300) is photo and photo.fitted(9000, 9000) is photo
    small = photo.fitted(100, 1000)
    assert small.rgb.shape == (75, 100, 3) and small.lens_mm == 28.0
    exact = corners(300, 400).reshape(75, 4, 100, 4, 3).mean(axis=(1, 3))
    assert np.abs(small.rgb - exact).max() <= 1
    alpha = np.zeros((300, 400), np.uint8)
    alpha[:, 101:] = 255
    rgb = np.where(alpha[..., None] > 0, np.uint8(200), np.uint8(0)).repeat(3, axis=2)
    cut = still.Still(rgb, alpha, None, "p").fitted(100, 75)
    assert cut.alpha is not None and cut.alpha[0, 25] == 191            # three of four columns are opaque
    assert (cut.rgb[:, 25] == 200).all()                                # and the hidden black did not bleed in
