"""A clip on its way to the disk: beside its final name while it grows, under that name only when it is whole."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import secrets
import shutil
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

import cv2
import numpy as np
from av.error import FFmpegError

from engine.errors import BadRequest, OutputFailed
from engine.media.encode import MOVIE_SUFFIXES, MovieEncoder, recipe_for

FORMAT_OF_SUFFIX = {suffix: name for name, suffix in MOVIE_SUFFIXES.items()}
FRAME_NAME = "frame_{:04d}.png"
OUR_FRAME = re.compile(r"frame_\d{4,}\.png")
# Run-length matching costs a fifth less time than zlib's fastest level and makes smaller files of photos.
PNG_OPTIONS = (cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE)


def format_of(output: str) -> str:
    """The clip format that an output path asks for: by its suffix, or "png" for a folder. Raises BadRequest."""
    if output.endswith(("/", os.sep)):
        return "png"
    suffix = Path(output).suffix.lower()
    if not suffix:
        return "png"
    if suffix not in FORMAT_OF_SUFFIX:
        raise BadRequest(f'No clip can be written with the ending "{suffix}".',
                         "Use .mp4 (H.264), .mov (ProRes), .mkv (FFV1), or a folder for a PNG sequence.")
    return FORMAT_OF_SUFFIX[suffix]


class _Encoder(Protocol):
    def write(self, frame: np.ndarray) -> None: ...
    def finish(self) -> None: ...
    def abandon(self) -> None: ...


class _SequenceEncoder:
    """Writes frame_0001.png, frame_0002.png ... into a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.names: list[str] = []

    def write(self, frame: np.ndarray) -> None:
        colours = frame if frame.ndim == 2 else cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
        whole, data = cv2.imencode(".png", colours, PNG_OPTIONS)
        if not whole:
            raise OSError(errno.EIO, "the PNG encoder failed")
        name = FRAME_NAME.format(len(self.names) + 1)
        with (self._folder / name).open("wb") as file:
            file.write(data.tobytes())
            file.flush()
            os.fsync(file.fileno())
        self.names.append(name)

    def finish(self) -> None:
        pass        # each frame is whole and on the disk when write() returns

    def abandon(self) -> None:
        pass        # the folder goes as a whole


class ClipWriter:
    """Takes frames, makes a clip. A context manager: without commit() it leaves nothing behind, folders included.

    output: the movie's path, or the folder of a PNG sequence; missing folders are made. An existing clip there stays as
    it is until commit(). In an existing folder a sequence replaces the frames of an older one and touches nothing else.
    Every method raises OutputFailed for what the disk or the encoder refuses.
    """

    def __init__(
        self, output: str, clip_format: str, width: int, height: int, fps: Fraction, deep: bool = False, sound: str = ""
    ) -> None:
        """width, height: pixels, even or odd. fps: frames in a second, such as Fraction(24000, 1001).

        deep: grey of 16 bits, for the format "png" alone. sound: a movie whose sound the clip carries too, see
        encode.takes_sound(), or "".
        """
        self._final = Path(output)
        self._shape = (height, width) if deep else (height, width, 3)
        self._type = np.dtype(np.uint16 if deep else np.uint8)
        self._made: list[Path] = []
        self._staged: Path | None = None
        self._encoder: _Encoder | None = None
        self.num_frames = 0
        _check_request(output, clip_format, width, height, fps)
        try:
            self._prepare(clip_format)
            assert self._staged is not None
            if clip_format == "png":
                self._encoder = _SequenceEncoder(self._staged)
            else:
                self._encoder = MovieEncoder(self._staged, recipe_for(clip_format, width), width, height, fps, sound)
        except (OSError, FFmpegError) as error:
            self.abandon()
            raise _explained(error, self._final) from error
        except BaseException:
            self.abandon()
            raise

    def write(self, frame: np.ndarray) -> None:
        """The next frame, (H, W, 3) uint8 sRGB; (H, W) uint16 where the clip is deep."""
        if frame.shape != self._shape or frame.dtype != self._type:
            raise ValueError(f"a frame of {frame.shape} {frame.dtype} for a clip of {self._shape} {self._type}")
        assert self._encoder is not None, "the clip is already closed"
        try:
            self._encoder.write(np.ascontiguousarray(frame))
        except (OSError, FFmpegError) as error:
            self.abandon()
            raise _explained(error, self._final) from error
        self.num_frames += 1

    def commit(self) -> list[str]:
        """Finishes the clip and gives it its final name. Returns the paths of the files written, in order."""
        if self.num_frames == 0:
            raise ValueError("a clip without frames")
        assert self._encoder is not None and self._staged is not None, "the clip is already closed"
        try:
            self._encoder.finish()
            if isinstance(self._encoder, _SequenceEncoder):
                files = self._publish_sequence(self._encoder.names)
            else:
                self._staged.replace(self._final)
                files = [self._final]
            _sync_folder(self._final.parent)
        except (OSError, FFmpegError) as error:
            self.abandon()
            raise _explained(error, self._final) from error
        self._encoder, self._staged, self._made = None, None, []
        return [str(file) for file in files]

    def abandon(self) -> None:
        """Removes all that was made and not committed. Harmless after commit() and when called twice."""
        if self._encoder is not None:
            self._encoder.abandon()
        if self._staged is not None:
            if self._staged.is_dir():
                shutil.rmtree(self._staged, ignore_errors=True)
            else:
                self._staged.unlink(missing_ok=True)
        for folder in reversed(self._made):
            try:
                folder.rmdir()
            except OSError:
                break       # something else lives there by now: it stays
        self._encoder, self._staged, self._made = None, None, []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 traceback: TracebackType | None) -> None:
        self.abandon()

    def _prepare(self, clip_format: str) -> None:
        """Makes the folders that are missing and the staged file or folder beside the final name."""
        wants_folder = clip_format == "png"
        if self._final.exists() and self._final.is_dir() != wants_folder:
            raise OSError(errno.ENOTDIR if wants_folder else errno.EISDIR, os.strerror(errno.EISDIR))
        # Inside an existing folder, since that may be the root of a disk, and renaming must stay within one disk.
        home = self._final if self._final.is_dir() else self._final.parent
        missing = [home, *home.parents]
        for folder in reversed(missing[:next(i for i, f in enumerate(missing) if f.exists())]):
            folder.mkdir()
            self._made.append(folder)
        staged = home / f".diorama-{secrets.token_hex(6)}.part"
        if wants_folder:
            staged.mkdir()
        else:
            staged.touch(exist_ok=False)    # not tempfile: its files may be read by their owner only
        self._staged = staged

    def _publish_sequence(self, names: list[str]) -> list[Path]:
        assert self._staged is not None
        if not self._final.is_dir():
            self._staged.rename(self._final)
        else:
            for name in names:
                (self._staged / name).replace(self._final / name)
            for old in self._final.iterdir():
                # The end of a longer sequence would be played on after ours.
                if OUR_FRAME.fullmatch(old.name) and old.name not in set(names):
                    old.unlink()
            self._staged.rmdir()
        return [self._final / name for name in names]


def _check_request(output: str, clip_format: str, width: int, height: int, fps: Fraction) -> None:
    wanted = MOVIE_SUFFIXES.get(clip_format)
    suffix = "" if output.endswith(("/", os.sep)) else Path(output).suffix.lower()
    if wanted is not None and suffix != wanted:
        raise OutputFailed(f'A {clip_format} clip cannot be written as "{Path(output).name}".',
                           f"Let the clip's name end in {wanted}.")
    if wanted is None and (clip_format != "png" or suffix in FORMAT_OF_SUFFIX):
        raise OutputFailed(f'"{Path(output).name}" does not fit the clip format "{clip_format}".',
                           "Use .mp4 (H.264), .mov (ProRes), .mkv (FFV1), or a folder for a PNG sequence.")
    if width < 1 or height < 1 or fps <= 0:
        raise OutputFailed(f"A clip of {width} x {height} pixels at {fps} frames a second cannot be made.",
                           "Set a size and a frame rate above zero.")


def _sync_folder(folder: Path) -> None:
    """Puts the new name on the disk as well. The clip is whole without it, and some network disks refuse."""
    if os.name == "posix":      # Windows has no such call
        with contextlib.suppress(OSError):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)


def _explained(error: OSError | FFmpegError, final: Path) -> OutputFailed:
    """What the disk or the encoder said, in a sentence for a person."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return OutputFailed(f'The disk is full: "{final.name}" could not be written.',
                            "Free some space or choose another folder, then start again.")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return OutputFailed(f'Nothing may be written into the folder "{final.parent}".',
                            "Choose a folder in which you may write.")
    if number == errno.EISDIR:
        return OutputFailed(f'"{final}" is a folder, so no movie can have that name.',
                            "Choose another name for the clip.")
    if number in (errno.ENOTDIR, errno.EEXIST):
        return OutputFailed(f'"{final}" cannot be made, because a file stands where a folder is needed.',
                            "Choose another folder for the clip.")
    if number == errno.ENAMETOOLONG:
        return OutputFailed("The clip's name is too long for this disk.", "Choose a shorter name.")
    reason = getattr(error, "strerror", None) or str(error)
    return OutputFailed(f'"{final.name}" could not be written: {reason}.',
                        "Choose another folder, size or clip format.")
