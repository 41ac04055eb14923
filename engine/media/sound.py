"""Sound that came with a clip, as a WAV file of 16 bits."""

from __future__ import annotations

import io
import wave

import numpy as np

from ..files import write_whole


def save_sound(path: str, samples: np.ndarray, rate: int, seconds: float) -> str:
    """samples: (channels, N) float -1..1. seconds: exactly so long, cut off or filled with silence. Raises
    OutputFailed."""
    count = round(seconds * rate)
    whole = np.zeros((samples.shape[0], count), np.float32)
    kept = min(count, samples.shape[1])
    whole[:, :kept] = np.nan_to_num(samples[:, :kept])
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setnchannels(samples.shape[0])
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(np.rint(whole.T.clip(-1, 1) * 32767).astype("<i2").tobytes())
    return write_whole(path, buffer.getvalue())
