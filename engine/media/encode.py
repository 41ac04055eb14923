"""Frames into a movie file through PyAV: one recipe for each format. Names and folders are clip.py's business."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from av.container import OutputContainer
from av.error import FFmpegError
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc, VideoReformatter
from av.video.stream import VideoStream

RGB_MATRIX = 0          # "no matrix" in the numbering of the H.273 standard; PyAV's table begins at bt709


@dataclass(frozen=True)
class Recipe:
    """How one movie format is made. pix_fmt: FFmpeg's name. rgb: the codec stores RGB, so that there is no matrix."""

    container: str
    codec: str
    pix_fmt: str
    gop: int
    options: dict[str, str] = field(default_factory=dict)
    rgb: bool = False


_RECIPES = {
    # Chosen by measurement (1080p photos, frame 0 read back against the source). 4:2:0 cannot pass 38 to 40 dB however
    # many bits it gets, since it halves the colour edges; 4:4:4 gives 41 to 44 dB. ultrafast costs half the CPU time of
    # superfast and decodes twice as fast, for files 1.8 times as large. Six frames a group and no B-frames: a jump to
    # any frame decodes at most six; with every frame a key frame the same quality needs half as many bytes more.
    "h264": Recipe("mp4", "libx264", "yuv444p", 6, {"preset": "ultrafast", "crf": "13"}),
    "prores": Recipe("mov", "prores_ks", "yuv422p10le", 1, {"profile": "3", "vendor": "apl0"}),
    # FFmpeg's 4:2:2 encoder leaves a broken column at the right edge of an odd width; its 4444 does not.
    "prores_odd": Recipe("mov", "prores_ks", "yuv444p10le", 1, {"profile": "4", "vendor": "apl0"}),
    "ffv1": Recipe("matroska", "ffv1", "bgr0", 1, {"level": "3", "slices": "4", "slicecrc": "1"}, rgb=True),
}


MOVIE_SUFFIXES = {"h264": ".mp4", "prores": ".mov", "ffv1": ".mkv"}


# Which sound can be put into a format as it is; FFmpeg's names, None = any.
SOUNDS: dict[str, tuple[str, ...] | None] = {
    "h264": ("aac", "mp3", "ac3", "eac3", "opus", "flac", "alac"),
    "prores": ("aac", "mp3", "ac3", "eac3", "alac", "pcm_"), "ffv1": None, "png": (),
}


def takes_sound(clip_format: str, movie: str) -> bool:
    """Whether the first sound of a movie can go into a clip of that format without being changed."""
    with av.open(movie) as container:
        name = container.streams.audio[0].codec_context.name
    kinds = SOUNDS[clip_format]
    return kinds is None or name.startswith(kinds)


def recipe_for(clip_format: str, width: int) -> Recipe:
    """clip_format: a key of MOVIE_SUFFIXES. width: of the clip, pixels."""
    return _RECIPES["prores_odd" if clip_format == "prores" and width % 2 else clip_format]


class MovieEncoder:
    """Writes one movie with a constant frame rate to `path`, which must exist and be empty.

    sound: a movie whose first sound goes along as it is, or "".

    Raises OSError (full disk and the like; PyAV's errors with an errno are OSErrors too) or av.error.FFmpegError.
    """

    def __init__(self, path: Path, recipe: Recipe, width: int, height: int, fps: Fraction, sound: str = "") -> None:
        self._recipe, self._fps = recipe, fps
        self._frames = 0
        # PyAV ignores the result of closing a file that it opened itself, so a full disk could pass unnoticed:
        # with a file of ours every failed write is an OSError.
        self._file = path.open("r+b", buffering=1 << 20)
        self._container = av.open(self._file, "w", format=recipe.container)
        try:
            stream = self._container.add_stream(recipe.codec, rate=fps, options=dict(recipe.options))
            assert isinstance(stream, VideoStream)
            self._stream = stream
            self._stream.width, self._stream.height, self._stream.pix_fmt = width, height, recipe.pix_fmt
            context = self._stream.codec_context
            context.time_base = 1 / fps
            context.gop_size = recipe.gop
            context.max_b_frames = 0
            context.thread_count = min(4, os.cpu_count() or 1)
            # sRGB and bt709 share their primaries. The curve is called bt709, as every player expects of YUV video.
            context.color_primaries = ColorPrimaries.BT709
            context.color_trc = ColorTrc.IEC61966_2_1 if recipe.rgb else ColorTrc.BT709
            context.colorspace = RGB_MATRIX if recipe.rgb else 1
            context.color_range = ColorRange.JPEG if recipe.rgb else ColorRange.MPEG
            self._reformatter = VideoReformatter()
            self._sound = _Sound(sound, self._container) if sound else None
            self._container.start_encoding()
        except BaseException:
            self.abandon()
            raise

    def write(self, frame: np.ndarray) -> None:
        """frame: (H, W, 3) uint8 sRGB, contiguous."""
        picture = av.VideoFrame.from_ndarray(frame, format="rgb24")
        if self._recipe.rgb:
            picture = self._reformatter.reformat(picture, format=self._recipe.pix_fmt)
        else:
            # swscale's own choice would be the bt601 matrix.
            picture = self._reformatter.reformat(
                picture, format=self._recipe.pix_fmt,
                dst_colorspace=Colorspace.ITU709, src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG)
        picture.pts = self._frames
        picture.duration = 1
        picture.time_base = self._stream.codec_context.time_base
        self._frames += 1
        self._container.mux(self._stream.encode(picture))
        if self._sound:
            self._sound.copy_until(self._frames / self._fps)

    def finish(self) -> None:
        """The frames that the codec still holds, the file's index, and all of it on the disk."""
        self._container.mux(self._stream.encode(None))
        if self._sound:
            self._sound.close()
        self._container.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()

    def abandon(self) -> None:
        """Lets go of the file, whatever state it is in. Never raises."""
        for close in (self._container.close, self._file.close):
            try:
                close()
            except (OSError, FFmpegError):
                continue    # the file is thrown away: what its last bytes would have been is of no interest


class _Sound:
    """Copies the packets of a movie's first sound beside the pictures as they are written."""

    def __init__(self, movie: str, container: OutputContainer) -> None:
        self._container = container
        self._source = av.open(movie)
        own = self._source.streams.audio[0]
        assert own.time_base is not None
        self._stream = container.add_stream_from_template(own)
        self._base = own.time_base
        video = self._source.streams.video[0]
        # Against the first picture, which our clip shows at 0.
        self._start = round((video.start_time or 0) * (video.time_base or 0) / own.time_base)
        self._packets = self._source.demux(own)
        self._waiting = next(self._packets, None)

    def copy_until(self, seconds: Fraction) -> None:
        """All that begins before then; what begins after the last picture is never copied."""
        while self._waiting is not None and self._waiting.size:
            packet = self._waiting
            if packet.pts is None or packet.dts is None:
                return
            if (packet.pts - self._start) * self._base >= seconds:
                return
            packet.pts -= self._start
            packet.dts -= self._start
            packet.stream = self._stream
            self._container.mux(packet)
            self._waiting = next(self._packets, None)

    def close(self) -> None:
        self._source.close()
