"""Movies for tests: every frame says its number in colours that survive any codec, any blend is seen in them."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from engine.media.clip import ClipWriter
from engine.media.movie import open_clip

SUFFIXES = {"h264": ".mp4", "prores": ".mov", "ffv1": ".mkv"}


def coded(number: int, width: int = 48, height: int = 32) -> np.ndarray:
    """(height, width, 3) uint8: grey 8 * number on the left, its complement on the right; number 0 .. 30."""
    picture = np.full((height, width, 3), 8 * number, np.uint8)
    picture[:, width // 2:] = 255 - 8 * number
    return picture


def number_of(picture: np.ndarray) -> float:
    """What coded() was given; between two numbers for a blend."""
    columns = picture.shape[1]
    return float(picture[:, : columns // 4].mean()) / 8


def numbers(path: str) -> list[float]:
    """Of every frame of a clip, rounded to a tenth."""
    return [round(number_of(picture), 1) for picture in pictures(path)]


def pictures(path: str) -> list[np.ndarray]:
    source = open_clip(path)
    try:
        return [source.frame(index) for index in range(source.num_frames)]
    finally:
        source.close()


def write(path: Path, frames: list[np.ndarray], fps: Fraction = Fraction(24)) -> str:
    """Lossless (.mkv), or as the name's ending says."""
    kind = {suffix: name for name, suffix in SUFFIXES.items()}[path.suffix]
    height, width = frames[0].shape[:2]
    with ClipWriter(str(path), kind, width, height, fps) as writer:
        for frame in frames:
            writer.write(frame)
        writer.commit()
    return str(path)


def write_with_sound(path: Path, count: int, fps: int = 24, codec: str = "aac") -> str:
    """coded() frames and a tone of the same length."""
    with av.open(str(path), "w") as container:
        video, audio = container.add_stream("libx264", rate=fps), container.add_stream(codec, rate=48000)
        video.width, video.height, video.pix_fmt = 48, 32, "yuv444p"
        video.codec_context.options = {"crf": "1"}
        audio.layout = "mono"
        for index in range(count):
            frame = av.VideoFrame.from_ndarray(coded(index), format="rgb24")
            frame.pts = index
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        tone = (8000 * np.sin(np.arange(48000 * count // fps) / 20)).astype(np.int16)
        for start in range(0, len(tone), 1024):
            sound = av.AudioFrame.from_ndarray(tone[None, start:start + 1024], format="s16", layout="mono")
            sound.sample_rate, sound.pts = 48000, start
            container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return str(path)


def textured(width: int, height: int, seed: int = 3) -> np.ndarray:
    """(height, width, 3) uint8: soft blobs of many sizes, something to hold on to everywhere."""
    import cv2

    chance = np.random.default_rng(seed)
    total = np.zeros((height, width, 3), np.float32)
    for sigma in (1.5, 4, 12):
        blobs = cv2.GaussianBlur(chance.normal(size=(height, width, 3)).astype(np.float32), (0, 0), sigma)
        total += blobs / blobs.std()
    return (128 + 26 * total).clip(0, 255).astype(np.uint8)
