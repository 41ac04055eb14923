"""Movies, pictures and folders of pictures as frames by number: (H, W, 3) uint8 sRGB, whatever they were stored as."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Protocol

import av
import numpy as np
from av.error import FFmpegError
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter

from engine.errors import BadClip
from engine.media.decode import readable_file
from engine.media.still import load_still

PICTURE_SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".avif", ".heic", ".heif", ".bmp"}
KEPT_BYTES = 96 << 20       # of decoded frames, so that a movie can be read backwards
ATTACHED_PICTURE = 0x400    # a cover in a music file
SKIP_RATHER_THAN_SEEK = 32  # frames: up to that many are decoded in passing
# H.273's numbers -> swscale's matrices. 2 means "not said": Blender takes BT.601 then, and a clip must look as there.
MATRICES = {1: Colorspace.ITU709, 4: Colorspace.FCC, 5: Colorspace.ITU601, 6: Colorspace.ITU601,
            7: Colorspace.SMPTE240M, 9: Colorspace.BT2020, 10: Colorspace.BT2020}
HIGH_DYNAMIC_RANGE = (16, 18)       # H.273's numbers of PQ and HLG
FINE = Interpolation.BICUBIC | Interpolation.FULL_CHR_H_INT | Interpolation.ACCURATE_RND


class Source(Protocol):
    """Frames that can be read in any order. fps: None where they have none of their own. sound: whether there is one.

    warnings: sentences for the person; may grow while frames are read.
    """

    path: str
    width: int
    height: int
    num_frames: int
    fps: Fraction | None
    sound: bool
    warnings: list[str]

    def frame(self, index: int) -> np.ndarray: ...
    def close(self) -> None: ...


def open_clip(path: str) -> Source:
    """A movie, a folder of pictures, or one picture. Raises BadClip, or BadStill for a picture that is none."""
    if Path(path).is_dir():
        pictures = [p for p in Path(path).iterdir() if p.suffix.lower() in PICTURE_SUFFIXES and p.is_file()]
        pictures.sort(key=_counted)
        if not pictures:
            raise BadClip(f'The folder "{Path(path).name}" holds no pictures.', "Choose a folder of pictures.")
        return Pictures(path, pictures)
    if Path(path).suffix.lower() in PICTURE_SUFFIXES:
        return Pictures(path, [Path(path)])
    return Movie(path)


def _counted(path: Path) -> list[tuple[str, int]]:
    """A key by which 10 comes after 9."""
    return [(text, int(number or 0)) for text, number in re.findall(r"(\D*)(\d*)", path.name)]


class Pictures:
    """Pictures of one size in the order given; transparent parts are black."""

    def __init__(self, path: str, files: list[Path]) -> None:
        self.path, self._files = path, files
        self.fps: Fraction | None = None
        self.sound, self.warnings = False, list[str]()
        self.num_frames = len(files)
        self.height, self.width = self._read(files[0]).shape[:2]

    def frame(self, index: int) -> np.ndarray:
        picture = self._read(self._files[index])
        if picture.shape[:2] != (self.height, self.width):
            raise BadClip(f'"{self._files[index].name}" has another size than the first picture of its folder.',
                          "Use pictures of one size.")
        return picture

    def close(self) -> None:
        """Nothing is held open."""

    @staticmethod
    def _read(path: Path) -> np.ndarray:
        still = load_still(str(path))
        if still.alpha is None:
            return still.rgb
        return ((still.rgb.astype(np.uint16) * still.alpha[..., None] + 127) // 255).astype(np.uint8)


class Movie:
    """A movie file. The number of frames is counted, not believed; a few decoded frames are kept.

    width, height: as it is seen, after the rotation that phones write. fps: the average rate.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._name = Path(path).name
        readable_file(path, BadClip)
        try:
            self._container = av.open(path)
        except (OSError, FFmpegError) as error:
            raise self._broken() from error
        try:
            videos = [s for s in self._container.streams.video if not int(s.disposition) & ATTACHED_PICTURE]
            if not videos:
                raise BadClip(f'"{self._name}" holds no moving picture.', "Choose a movie.")
            self._stream = videos[0]
            self._stream.thread_type = "AUTO"
            self.sound = bool(self._container.streams.audio)
            self.fps: Fraction | None = self._stream.average_rate or self._stream.guessed_rate
            self._times, self._keys = self._index()
            if not self._times or not self.fps:
                raise BadClip(f'"{self._name}" holds no frame.', "Export it again or choose another movie.")
            self.num_frames = len(self._times)
            self.warnings = self._remarks()
            self._reformatter = VideoReformatter()
            self._kept: OrderedDict[int, VideoFrame] = OrderedDict()
            self._room, self._next, self._frames = 1, 0, iter(())
            first = self._rgb(self._decoded(0))
        except (OSError, FFmpegError) as error:
            self._container.close()
            raise self._broken() from error
        except BaseException:
            self._container.close()
            raise
        self.height, self.width = first.shape[:2]
        self._room = max(2, KEPT_BYTES // (first.nbytes // 2))

    def frame(self, index: int) -> np.ndarray:
        """(H, W, 3) uint8. Raises BadClip where the file is broken."""
        try:
            return self._rgb(self._decoded(index))
        except (OSError, FFmpegError) as error:
            raise BadClip(f'Frame {index + 1} of "{self._name}" cannot be decoded.',
                          "Export the movie again or use a part without that frame.") from error

    def close(self) -> None:
        """Lets go of the file."""
        self._container.close()

    def _index(self) -> tuple[list[int], list[int]]:
        """The time of every frame that is shown, and of those that can be jumped to; both sorted, in stream ticks."""
        times, keys = [], []
        for packet in self._container.demux(self._stream):
            if not packet.size or packet.is_discard:
                continue
            if packet.pts is None:
                return self._index_by_decoding()
            times.append(packet.pts)
            if packet.is_keyframe:
                keys.append(packet.pts)
        return sorted(set(times)), sorted(keys)

    def _remarks(self) -> list[str]:
        remarks: list[str] = []
        steps = np.diff(self._times)
        if len(steps) and steps.max() > 1.5 * np.median(steps):
            remarks.append(f'"{self._name}" has no constant frame rate, so it may run unevenly.')
        if self._stream.codec_context.color_trc in HIGH_DYNAMIC_RANGE:
            remarks.append(f'"{self._name}" has a high dynamic range, which is read as it is: it looks flat.')
        return remarks

    def _index_by_decoding(self) -> tuple[list[int], list[int]]:
        """Where the container has no times: the decoder's own."""
        self._container.seek(0, stream=self._stream)
        times = [frame.pts for frame in self._container.decode(self._stream) if frame.pts is not None]
        return sorted(set(times)), times[:1]

    def _decoded(self, index: int) -> VideoFrame:
        """The frame shown at that place; where it is missing in the file, the one before it."""
        if index in self._kept:
            self._kept.move_to_end(index)
            return self._kept[index]
        key = bisect_right(self._keys, self._times[index]) - 1
        start = bisect_right(self._times, self._keys[max(key, 0)]) - 1 if self._keys else 0
        behind = self._next > index
        far_ahead = index - self._next > SKIP_RATHER_THAN_SEEK and start > self._next
        if not self._next or behind or far_ahead:
            self._container.seek(self._times[start], stream=self._stream)
            self._frames = iter(self._container.decode(self._stream))
        for place, frame in self._placed():
            self._keep(place, frame)
            if place >= index:
                self._next = place + 1
                if place > index and index not in self._kept:
                    return self._missing(index)
                return self._kept[index]
        self._next = self.num_frames
        return self._missing(index)

    def _placed(self) -> Iterator[tuple[int, VideoFrame]]:
        for frame in self._frames:
            if isinstance(frame, VideoFrame) and frame.pts is not None:
                place = bisect_right(self._times, frame.pts) - 1
                if place >= 0 and self._times[place] == frame.pts:
                    yield place, frame

    def _keep(self, place: int, frame: VideoFrame) -> None:
        self._kept[place] = frame
        while len(self._kept) > self._room:
            self._kept.popitem(last=False)

    def _missing(self, index: int) -> VideoFrame:
        earlier = [place for place in self._kept if place < index]
        if not earlier:
            raise BadClip(f'Frame {index + 1} of "{self._name}" cannot be decoded.',
                          "Export the movie again or use a part without that frame.")
        note = f'"{self._name}" is damaged: a frame that is missing shows the one before it.'
        if note not in self.warnings:
            self.warnings.append(note)
        return self._kept[max(earlier)]

    def _rgb(self, frame: VideoFrame) -> np.ndarray:
        name = frame.format.name
        if frame.format.is_rgb or name == "pal8":
            rgb = self._reformatter.reformat(frame, format="rgb24", interpolation=FINE)
        else:
            said = ColorRange(frame.color_range) if frame.color_range in (1, 2) else None
            rgb = self._reformatter.reformat(
                frame, format="rgb24", src_colorspace=MATRICES.get(frame.colorspace, Colorspace.ITU601),
                src_color_range=said or (ColorRange.JPEG if name.startswith("yuvj") else ColorRange.MPEG),
                dst_color_range=ColorRange.JPEG, interpolation=FINE)
        return np.ascontiguousarray(np.rot90(rgb.to_ndarray(), frame.rotation // 90))

    def _broken(self) -> BadClip:
        return BadClip(f'"{self._name}" is no movie that can be read, or it is broken.',
                       "Export it again, for instance as MP4 (H.264), or choose another movie.")

