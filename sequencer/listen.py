"""Where a sound strikes: the moments at which a cut feels right."""

from __future__ import annotations

from pathlib import Path

import numpy as np

WINDOW, HOP = 1024, 512  # samples of a spectrum, and from one to the next
NEIGHBOURS = 10  # hops to each side: what counts as loud depends on what is around
LEAST_APART = 0.2  # seconds
AUDIBLE = 1e-3  # of full scale; quieter spectra count as silence


def onsets(samples: np.ndarray, rate: float) -> np.ndarray:
    """(K, 2): seconds from the start and strength of each onset, in the order of time.

    samples: (N,) or (N, channels), -1..1. The spectral flux, as in Bello et al., A Tutorial on Onset Detection (2005):
    where the logarithm of a spectrum rises; picked where it is the highest around and well above the mean around.
    """
    mono = samples if samples.ndim == 1 else samples.mean(axis=1)
    count = max((len(mono) - WINDOW) // HOP + 1, 0)
    if count < 3:
        return np.zeros((0, 2))
    frames = np.lib.stride_tricks.sliding_window_view(mono, WINDOW)[::HOP][:count]
    spectra = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)) / WINDOW
    flux = np.maximum(np.diff(np.log(spectra + AUDIBLE), axis=0), 0).sum(axis=1)
    padded = np.pad(flux, NEIGHBOURS, mode="edge")
    around = np.lib.stride_tricks.sliding_window_view(padded, 2 * NEIGHBOURS + 1)
    peaks = np.flatnonzero((flux >= around.max(axis=1)) & (flux > 1.5 * around.mean(axis=1) + 1e-6))
    kept: list[int] = []
    for peak in peaks:
        if not kept or (peak - kept[-1]) * HOP / rate >= LEAST_APART:
            kept.append(int(peak))
    # The rise lies at the end of the later window of the two.
    seconds = (np.array(kept) * HOP + WINDOW) / rate
    return np.stack([seconds, flux[kept]], axis=1) if kept else np.zeros((0, 2))


def beats(path: Path, start: float, rate: float) -> np.ndarray:
    """(K, 2): frame and strength of each onset of a sound file that begins at frame `start`. As read()."""
    found = onsets(*read(path))
    return np.stack([start + found[:, 0] * rate, found[:, 1]], axis=1)


def read(path: Path) -> tuple[np.ndarray, float]:
    """(N, channels) samples and their rate, by Blender's own sound library. Raises RuntimeError without or for a
    file that it cannot read; takes as long as decoding takes, so call it in a thread."""
    try:
        import aud
    except ImportError as error:
        raise RuntimeError("This Blender was built without sound") from error
    try:
        sound = aud.Sound.file(str(path))
        return sound.data(), float(sound.specs[0])
    except aud.error as error:
        raise RuntimeError(str(error)) from error
