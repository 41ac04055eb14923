"""Finishing measured on real photographs: frames between, colour match, camera lock, upscaling.

The truth between the two photos of a stereo pair is the view from half way: the disparity carried half way, nearest
first, both photos read there. Only pixels that both show alike count.
"""

from __future__ import annotations

import argparse
import time
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np

from benchmarks.measure import markdown
from engine.finish import colour, stabilise, upscale
from engine.finish.between import Flow, blend, hold
from engine.finish.frames import Frames
from engine.finish.rife import rife
from engine.media.still import load_still

STEREO = ("cloth3", "motorcycle", "teddy")
SETS = (*STEREO, "livingroom_0_5")
ALIKE = 20              # levels: a pixel that the two photos show differently is seen by one of them only
GRADES = ((0.75, (1.1, 0.95, 0.8)), (1.4, (0.85, 1.0, 1.15)), (1.0, (1.2, 1.1, 0.9)))   # gamma, gains


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--kit", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    data = options.kit / "data"
    options.out.mkdir(parents=True, exist_ok=True)
    tables = [between(data, options.out), colours(data), lock(data), sizes(data)]
    (options.out / "finish.md").write_text("\n\n".join(tables), encoding="utf-8")


def photo(data: Path, name: str, side: str = "left") -> np.ndarray:
    return load_still(str(data / name / f"{side}.png")).rgb


def half_way(disparity: np.ndarray) -> np.ndarray:
    """(H, W) of the left photo, px -> of the view half way to the right; NaN where nothing is known."""
    rows, columns = np.nonzero(np.isfinite(disparity))
    values = disparity[rows, columns].astype(np.float64)
    middle = np.full(disparity.shape, -1.0)
    for places in (np.floor(columns - values / 2).astype(int), np.ceil(columns - values / 2).astype(int)):
        inside = (places >= 0) & (places < disparity.shape[1])
        np.maximum.at(middle, (rows[inside], places[inside]), values[inside])
    return np.where(middle < 0, np.nan, middle)


def between(data: Path, out: Path) -> str:
    ways = {"hold": hold, "blend": blend, "flow": Flow(), "RIFE 4.0": rife()}
    rows: list[list[str]] = []
    for name in STEREO:
        left, right = photo(data, name), photo(data, name, "right")
        middle = half_way(np.load(data / name / "geometry.npz")["disparity_left"])
        known, shift = np.isfinite(middle), np.nan_to_num(middle).astype(np.float32) / 2
        y, x = np.mgrid[: left.shape[0], : left.shape[1]].astype(np.float32)
        one, two = (cv2.remap(p, x + sign * shift, y, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE).astype(float)
                    for p, sign in ((left, 1), (right, -1)))
        both = known & (np.abs(one - two).mean(axis=2) < ALIKE)
        truth = (one + two) / 2
        scores, pictures, seconds = [], [truth.astype(np.uint8)], []
        for way in ways.values():
            started = time.process_time()
            picture = way(left, right, 0.5)
            seconds.append(time.process_time() - started)
            scores.append(10 * np.log10(255**2 / np.mean((picture[both].astype(float) - truth[both]) ** 2)))
            pictures.append(picture)
        cv2.imwrite(str(out / f"between_{name}.png"), np.hstack(pictures)[..., ::-1])
        rows.append([f"{name}, {left.shape[1]}x{left.shape[0]}, up to {np.nanmax(middle):.0f} px", f"{both.mean():.0%}",
                     *(f"{score:.2f}" for score in scores), f"{scores[3] - scores[1]:+.2f}",
                     f"{seconds[2]:.2f} / {seconds[3]:.2f}"])
    header = ["the frame half way, PSNR in dB", "pixels that count", *ways, "RIFE over blend (goal: +4)"]
    return markdown([*header, "CPU s, flow / RIFE"], rows)


def graded(picture: np.ndarray, grade: tuple[float, tuple[float, ...]]) -> np.ndarray:
    values = (picture / 255.0) ** grade[0] * np.array(grade[1])
    return np.rint(values.clip(0, 1) * 255).astype(np.uint8)


def colours(data: Path) -> str:
    pairs = {
        "two views of a scene, the second graded": [
            (photo(data, name), graded(photo(data, name, "right"), grade)) for name in SETS for grade in GRADES],
        "two different photos": [(photo(data, a), photo(data, b)) for a, b in permutations(SETS, 2)],
    }
    rows: list[list[str]] = []
    for what, photos in pairs.items():
        for method in ("mean", "histogram"):
            steps = [colour.match(Frames.of([b]), Frames.of([a]), method, at_seam=True)[1] for a, b in photos]
            falls = [100 * (1 - step["after"] / step["before"]) for step in steps]
            rows.append([f"{what}, {method}", str(len(photos)), f"{np.mean([step['before'] for step in steps]):.1f}",
                         f"{np.mean([step['after'] for step in steps]):.2f}", f"{np.mean(falls):.0f} %",
                         f"{min(falls):.0f} %"])
    header = ["step in colour at a seam, Lab", "pairs", "before", "after", "falls by (goal: 70 %)", "worst"]
    return markdown(header, rows)


def lock(data: Path) -> str:
    """A hand-held shot of a photograph, before which a disc goes its own way."""
    scene = photo(data, "motorcycle")
    size, count, shot = (600, 400), 30, []
    middle = np.array([scene.shape[1], scene.shape[0]]) / 2 - 0.5
    for k in range(count):
        shown = cv2.circle(scene.copy(), (100 + 9 * k, 260), 60, (200, 30, 30), -1)
        angle, zoom = 0.009 * np.sin(k / 3), 1 + 0.01 * np.sin(k / 4)
        turn = zoom * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        sway = np.array([8 * np.sin(k / 2.3), 5 * np.sin(k / 1.7)])
        shift = middle + sway - turn @ (np.array(size) / 2 - 0.5)
        shot.append(cv2.warpAffine(shown, np.c_[turn, shift], size, flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP))
    rows: list[list[str]] = []
    for method in ("crop", "fill"):
        started = time.process_time()
        steady, facts = stabilise.lock(Frames.of(shot), method, [], lambda *_: None)
        pictures = list(steady)
        seconds = (time.process_time() - started) / count
        left = stabilise.motion_of(Frames.of(pictures), lambda *_: None).largest_shift(*size)
        rows.append([f"{method}, {size[0]}x{size[1]}", f"{facts['removed_px']:.1f}", f"{left:.3f}", f"{seconds:.3f}"])
    header = ["camera lock, largest motion of a corner in px", "before", "after (goal: 0.3)", "CPU s a frame"]
    return markdown(header, rows)


def sizes(data: Path) -> str:
    rows: list[list[str]] = []
    for method, factor, width, height in (("video", 2, 480, 270), ("video", 4, 480, 270), ("photo", 4, 128, 128)):
        picture = np.ascontiguousarray(cv2.resize(photo(data, "motorcycle"), (width, height)))
        frames, facts = upscale.upscaled(Frames.of([picture]), factor, method, "", lambda: None, [])
        started = time.process_time()
        frames.frame(0)
        rows.append([f"{method} x{factor}, {width}x{height} on {facts['device']}",
                     f"{time.process_time() - started:.2f}"])
    return markdown(["Real-ESRGAN", "CPU s a frame"], rows)


if __name__ == "__main__":
    main()
