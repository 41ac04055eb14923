"""A picture file into pixels as they are stored, upright; colours and bit depth are the caller's business."""

from __future__ import annotations

import stat
import struct
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pillow_heif
from PIL import Image

from engine.errors import BadInput, OutOfMemory

MAX_PIXELS = 160_000_000
# A short list is a safe one: Pillow knows formats that start other programs (EPS) or that nobody takes photos in.
FORMATS = ("JPEG", "PNG", "WEBP", "TIFF", "AVIF", "HEIF", "BMP", "GIF")
READABLE = "JPEG, PNG, WebP, TIFF, AVIF or HEIC"
MOVIE_SUFFIXES = {".mp4", ".mov", ".mkv", ".avi", ".webm", ".m4v", ".mpg", ".mpeg", ".mxf", ".mts", ".m2ts", ".wmv"}
# Most of these are TIFF files inside, of which Pillow would show the thumbnail.
RAW_SUFFIXES = {".dng", ".nef", ".cr2", ".cr3", ".arw", ".raf", ".orf", ".rw2", ".pef", ".srw", ".raw"}
ORIENTATION_TAG, CAMERA_TAGS = 274, 0x8769
TIFF_BITS, TIFF_EXTRA_SAMPLES = 258, 338

Image.MAX_IMAGE_PIXELS = None       # Pillow only warns; decode() checks MAX_PIXELS itself before it decodes
pillow_heif.register_heif_opener()


@dataclass
class Picture:
    """pixels: (H, W) or (H, W, C), upright; uint8, uint16, int32 or float32. mode: Pillow's name of the channels.

    bits: of one channel in the file. profile: an ICC profile or None. camera: EXIF tags of the exposure, by number.
    notes: sentences on what is odd about the file.
    """

    pixels: np.ndarray
    mode: str
    format: str
    bits: int
    profile: bytes | None
    camera: dict[int, Any]
    frames: int
    notes: list[str] = field(default_factory=list)


def readable_file(path: str, fault: type[BadInput]) -> bytes:
    """The first bytes of a regular file that is there, not empty and may be read; else raises `fault`."""
    name = Path(path).name or path
    try:
        status = Path(path).stat()
        if stat.S_ISDIR(status.st_mode):
            raise fault(f'"{name}" is a folder, not a picture.', "Choose a picture file inside it.")
        if not stat.S_ISREG(status.st_mode):
            raise fault(f'"{name}" is not a file.', "Choose a picture file.")
        with Path(path).open("rb") as file:
            head = file.read(512)
    except (FileNotFoundError, NotADirectoryError):
        raise fault(f'"{name}" is not there any more.', f"Look whether it was moved or renamed: {path}") from None
    except PermissionError:
        raise fault(f'"{name}" may not be read.', "Give your account the right to read that file.") from None
    except (OSError, ValueError) as error:
        raise fault(f'"{name}" cannot be read: {getattr(error, "strerror", None) or error}.',
                    "Copy the file to another place and choose the copy.") from error
    if not head:
        raise fault(f'"{name}" is empty.', "Copy or export the picture again.")
    return head


def check_size(path: str, width: int, height: int, fault: type[BadInput]) -> None:
    """Raises `fault` for a picture beyond MAX_PIXELS: before it is decoded, since a small file can hold a huge one."""
    if width * height > MAX_PIXELS:
        raise fault(f'"{Path(path).name}" is too large: {width} x {height} are {width * height / 1e6:.0f} megapixels.',
                    f"Reduce it to at most {MAX_PIXELS // 1_000_000} megapixels.")


def decode(path: str, fault: type[BadInput]) -> Picture:
    """Reads the first picture of a file. Raises `fault` for everything that is no sound picture."""
    head = readable_file(path, fault)
    name = Path(path).name
    if Path(path).suffix.lower() in RAW_SUFFIXES:
        raise fault(f'"{name}" is a raw camera file, not a finished picture.',
                    "Develop it to a JPEG or a 16 bit TIFF and use that.")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")     # Pillow's remarks on odd files; what matters becomes a note or an error
        try:
            image = Image.open(path, formats=FORMATS)
        except MemoryError as error:
            raise _no_memory(name) from error
        except Exception as error:          # a parser may raise anything at a damaged header
            raise _unreadable(path, head, fault) from error
        with image:
            check_size(path, image.width, image.height, fault)
            try:
                return _pixels(path, head, image)
            except MemoryError as error:
                raise _no_memory(name) from error
            except Exception as error:      # as above: zlib.error, SyntaxError, struct.error ...
                raise fault(f'"{name}" is damaged or cut off.', "Copy or export the picture again.") from error


def _pixels(path: str, head: bytes, image: Image.Image) -> Picture:
    notes: list[str] = []
    frames = 1 if image.format in ("MPO", "HEIF") else getattr(image, "n_frames", 1)    # those hold thumbnails and maps
    if frames > 1:
        notes.append(f"The file holds {frames} pictures; the first one is used.")
    bits = _bits(image, head)
    tags = getattr(image, "tag_v2", {})
    premultiplied = 1 in tuple(tags.get(TIFF_EXTRA_SAMPLES, ()))
    image.load()
    # Here a TIFF has been turned by its reader and has no orientation left; a HEIF's own EXIF orientation never counts.
    try:
        exif = image.getexif()
        orientation, camera = int(exif.get(ORIENTATION_TAG, 1)), dict(exif.get_ifd(CAMERA_TAGS))
    except (SyntaxError, ValueError, TypeError, KeyError, struct.error, OSError):
        orientation, camera = 1, {}
        notes.append("The EXIF data is damaged, so orientation and lens are unknown.")
    if image.mode in ("RGBa", "La"):
        image = image.convert(image.mode.upper())
    elif image.mode in ("P", "PA", "1", "YCbCr", "RGBX", "HSV") or "transparency" in image.info:
        colours = "L" if image.mode == "1" else "RGB"
        image = image.convert("RGBA" if image.has_transparency_data else colours)
    pixels, mode = np.asarray(image), image.mode
    if mode.startswith("I;16"):
        pixels, mode = pixels.astype(np.uint16), "L"
    elif bits == 16 and mode in ("RGB", "RGBA", "LA"):
        # Pillow keeps only the high bytes of these.
        deep = _sixteen_bits(path, premultiplied)
        if deep is None or deep.shape[:2] != pixels.shape[:2]:
            notes.append("Only 8 of the 16 bits could be read.")
        else:
            pixels, mode = deep, {2: "LA", 3: "RGB", 4: "RGBA"}[deep.shape[2]]
    return Picture(upright(pixels, orientation), mode, image.format or Path(path).suffix[1:].upper(), bits,
                   image.info.get("icc_profile") or None, camera, frames, notes)


def upright(pixels: np.ndarray, orientation: int) -> np.ndarray:
    """Turns and mirrors (H, W, ...) by the EXIF orientation 1 to 8; anything else changes nothing."""
    if orientation in (5, 6, 7, 8):
        pixels = pixels.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    return np.ascontiguousarray(pixels)


def _bits(image: Image.Image, head: bytes) -> int:
    if image.format == "PNG":
        return head[24]
    if image.format == "TIFF":
        return int(getattr(image, "tag_v2", {}).get(TIFF_BITS, (8,))[0])
    return int(image.info.get("bit_depth", 1 if image.mode == "1" else 8))


def _sixteen_bits(path: str, premultiplied: bool) -> np.ndarray | None:
    """(H, W, 3 or 4) uint16, straight alpha; None where OpenCV cannot read it either."""
    deep = cv2.imdecode(np.fromfile(path, np.uint8), cv2.IMREAD_UNCHANGED)
    if deep is None or deep.dtype != np.uint16 or deep.ndim != 3 or deep.shape[2] not in (3, 4):
        return None
    if deep.shape[2] == 3:
        return cv2.cvtColor(deep, cv2.COLOR_BGR2RGB)
    deep = cv2.cvtColor(deep, cv2.COLOR_BGRA2RGBA)
    if premultiplied:
        alpha = np.maximum(deep[..., 3:], 1).astype(np.float32)
        deep[..., :3] = np.minimum(deep[..., :3] * (65535.0 / alpha), 65535.0).round()
    return deep


def _no_memory(name: str) -> OutOfMemory:
    return OutOfMemory(f'There is not enough memory to open "{name}".',
                       "Close other programs or use a smaller picture.")


def _unreadable(path: str, head: bytes, fault: type[BadInput]) -> BadInput:
    """What the file is instead of a picture."""
    name, suffix = Path(path).name, Path(path).suffix.lower()
    brand = head[8:12]
    movie = (head[4:8] == b"ftyp" and brand not in (b"avif", b"heic", b"heix", b"mif1")) or \
        head[:4] == b"\x1aE\xdf\xa3" or (head[:4] == b"RIFF" and brand == b"AVI ")
    if movie or suffix in MOVIE_SUFFIXES:
        return fault(f'"{name}" is a movie, not a still.', "Save one of its frames as a picture and use that.")
    if _is_text(head):
        return fault(f'"{name}" is a text file, not a picture.', f"Choose a {READABLE} file.")
    if suffix in (".jpg", ".jpeg", ".png", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".bmp", ".gif"):
        return fault(f'"{name}" is damaged or is not what its name says.', "Copy or export the picture again.")
    return fault(f'"{name}" is not a kind of picture that Diorama can read.', f"Save it as {READABLE} and use that.")


def _is_text(head: bytes) -> bool:
    try:
        text = head.decode("utf-8")
    except UnicodeDecodeError as error:
        if error.start < len(head) - 4:         # else only the last letter was cut in two
            return False
        text = head[:error.start].decode("utf-8")
    return all(letter.isprintable() or letter in "\r\n\t\ufeff" for letter in text)
