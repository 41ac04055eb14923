"""Clips go on and gaps are bridged: seams are looked at on the rendered timeline."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import bpy
import numpy as np
import pytest
from PIL import Image, ImageOps

from tests.blender.coded import code, movie, rendered, shown
from tests.blender.generating import A14B
from tests.blender.stills import add_still, photo, psnr, span
from tests.blender.test_finish import settle

PEERS = Path(__file__).resolve().parents[1] / "peers"


def camera_clip(addon: SimpleNamespace, scene: Any, folder: Path, easing: str = "linear", length: int = 12) -> Any:
    """A photo on frames 11 and on, and its clip, which is selected alone."""
    still = add_still(addon, scene.sequence_editor, photo(folder / "photo.png"), start=11, length=length)
    scene.diorama.move, scene.diorama.amount, scene.diorama.easing = "push_in", 0.08, easing
    assert bpy.ops.diorama.camera_move() == {"FINISHED"}
    settle(addon)
    (clip,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]
    still.select, clip.select = False, True
    return clip


def extensions(addon: SimpleNamespace, scene: Any, clip: Any) -> list[Any]:
    return [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip and s != clip]


def steps(pictures: list[np.ndarray]) -> list[float]:
    """How much each frame differs from the one before."""
    return [float(np.abs(a - b).mean()) for a, b in pairwise(pictures)]


@pytest.mark.parametrize("backward", [False, True])
def test_a_camera_move_goes_on_along_its_path(
    addon: SimpleNamespace, scene: Any, tmp_path: Path, backward: bool
) -> None:
    clip = camera_clip(addon, scene, tmp_path)
    clip.transform.scale_x = clip.transform.scale_y = 0.9
    scene.diorama_combine.extend_seconds, scene.diorama_combine.backward = 0.25, backward
    assert bpy.ops.diorama.extend() == {"FINISHED"}
    settle(addon)
    (more,) = extensions(addon, scene, clip)
    assert span(addon, more) == ((5, 11) if backward else (23, 29)) and span(addon, clip) == (11, 23)
    assert more.channel == clip.channel and more.transform.scale_x == pytest.approx(0.9)
    addon.compat.strips_all(scene)["still"].mute = True  # it shows around the smaller clip
    pictures = rendered(scene, range(5, 17) if backward else range(17, 29), tmp_path)
    moved = steps(pictures)
    inside = moved[6:] if backward else moved[:5]
    # One speed throughout: a frame shown twice, left out or out of place would stand out at the seam.
    assert all(0.6 * min(inside) < step < 1.6 * max(inside) for step in moved)
    assert not list((addon.results.default_data_folder() / "footage").glob("*"))


def test_a_move_that_came_to_rest_sets_off_again(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    clip = camera_clip(addon, scene, tmp_path, "ease_in_out")
    scene.diorama_combine.extend_seconds = 0.5
    assert bpy.ops.diorama.extend() == {"FINISHED"}
    settle(addon)
    (more,) = extensions(addon, scene, clip)
    pictures = rendered(scene, (11, 22, 23, 29, 34), tmp_path)
    assert span(addon, more) == (23, 35) and psnr(pictures[1], pictures[2]) > 32
    away = [np.abs(pictures[0] - picture).mean() for picture in pictures[1:]]
    assert away[0] <= away[2] < away[3]


@pytest.mark.parametrize("method", ["push_through", "dissolve"])
def test_a_gap_is_bridged_exactly(addon: SimpleNamespace, scene: Any, tmp_path: Path, method: str) -> None:
    one = add_still(addon, scene.sequence_editor, photo(tmp_path / "one.png"), channel=2, start=1, length=5)
    path = photo(tmp_path / "two.png")
    ImageOps.mirror(Image.open(path)).rotate(180).save(path)
    two = add_still(addon, scene.sequence_editor, path, channel=2, start=15, length=5)
    scene.diorama_combine.bridge = method
    assert bpy.ops.diorama.bridge() == {"FINISHED"}
    settle(addon)
    (bridge,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]
    assert span(addon, bridge) == (6, 15) and bridge.channel == 2
    assert span(addon, one) == (1, 6) and span(addon, two) == (15, 20)
    pictures = rendered(scene, (5, 6, 10, 14, 15), tmp_path)
    assert psnr(pictures[0], pictures[1]) > psnr(pictures[0], pictures[2]) + 3
    assert psnr(pictures[4], pictures[3]) > psnr(pictures[4], pictures[2]) + 3
    assert min(steps(pictures)) > 0.5  # neither end is shown twice
    one.select, two.select = True, False
    with pytest.raises(RuntimeError, match="1 strips are selected"):
        bpy.ops.diorama.bridge()


@pytest.fixture
def counting(addon: SimpleNamespace, scene: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The real engine with a model that counts its frames, tests/peers/counting_engine.py, downloaded and chosen."""
    python, root = addon.runtime.installer.require_python(), addon.results.__file__
    package = Path(root).parents[1]

    class Counting(addon.command.EngineCommand):
        def arguments(self) -> list[str]:
            return [python, str(PEERS / "counting_engine.py")]

    monkeypatch.setattr(addon.runtime, "queue", addon.queue.JobQueue(lambda: Counting(python, str(package))))
    monkeypatch.setattr(type(addon.runtime.installer), "full", property(lambda _: True))
    monkeypatch.setattr(addon.runtime.models, "downloaded", frozenset({A14B}))
    assert bpy.ops.diorama.generate_model(model=A14B) == {"FINISHED"}
    yield
    addon.runtime.queue.close()


def bars(scene: Any, frames: range, folder: Path) -> list[int]:
    """Which place the bar has at each of these frames of the timeline."""
    return [int(picture[90, :, 1].argmax()) // 20 for picture in rendered(scene, frames, folder)]


@pytest.mark.parametrize(("backward", "span_of", "expected"), [
    (False, (9, 15), [1, 2, 3, 4, 5, 6]),
    (True, (-1, 5), [6, 5, 4, 3, 2, 1]),
])  # fmt: skip
def test_a_model_goes_on_from_the_last_frame(
    addon: SimpleNamespace, scene: Any, counting: None, tmp_path: Path,
    backward: bool, span_of: tuple[int, int], expected: list[int],
) -> None:  # fmt: skip
    strip = add_still(addon, scene.sequence_editor, photo(tmp_path / "one.png"), channel=2, start=5, length=4)
    settings = scene.diorama_combine
    settings.extend_by, settings.extend_seconds, settings.backward = "generate", 0.25, backward
    assert bpy.ops.diorama.extend() == {"FINISHED"}
    settle(addon)
    (more,) = extensions(addon, scene, strip)
    assert (span(addon, more), more.channel, span(addon, strip)) == (span_of, 2, (5, 9))
    assert bars(scene, range(*span_of), tmp_path) == expected
    assert not list((addon.results.default_data_folder() / "footage").glob("*"))


def test_a_model_comes_away_from_the_last_frame(
    addon: SimpleNamespace, scene: Any, counting: None, tmp_path: Path
) -> None:
    """The counting model draws nothing of the photo: without an overlap all of it would be gone in one step."""
    strip = add_still(addon, scene.sequence_editor, photo(tmp_path / "one.png"), channel=2, start=5, length=4)
    settings = scene.diorama_combine
    settings.extend_by, settings.extend_seconds = "generate", 0.5
    assert bpy.ops.diorama.extend() == {"FINISHED"}
    settle(addon)
    (more,) = extensions(addon, scene, strip)
    assert span(addon, more) == (9, 21)
    right = [picture[:, 260:] for picture in rendered(scene, range(8, 19), tmp_path)]  # where no bar comes
    away = [float(np.abs(picture - right[-1]).mean()) for picture in right]
    assert away[0] > 20 and away[1] > 0.9 * away[0] and away[8] < 0.1 * away[0]
    assert max(a - b for a, b in pairwise(away)) < 0.3 * away[0] and away == sorted(away, reverse=True)


def test_a_model_bridges_a_gap(addon: SimpleNamespace, scene: Any, counting: None, tmp_path: Path) -> None:
    path = photo(tmp_path / "one.png")
    add_still(addon, scene.sequence_editor, path, channel=2, start=1, length=4)
    add_still(addon, scene.sequence_editor, path, channel=2, start=10, length=4)
    scene.diorama_combine.bridge = "generate"
    assert bpy.ops.diorama.bridge() == {"FINISHED"}
    settle(addon)
    (bridge,) = [s for s in addon.compat.strips_all(scene) if s.diorama.is_clip]
    assert (span(addon, bridge), bridge.channel) == ((5, 10), 2)
    # Its first and its last frame are the neighbours' own and are not shown twice.
    assert bars(scene, range(5, 10), tmp_path) == [1, 2, 3, 4, 5]
    # The model draws nothing of the photo, 20 levels away and more, but its clip comes from there and arrives there.
    assert max(steps([picture[:, 260:] for picture in rendered(scene, (4, 5, 9, 10), tmp_path)])) < 4
    assert not list((addon.results.default_data_folder() / "footage").glob("*"))


def test_a_model_closes_a_loop(addon: SimpleNamespace, scene: Any, counting: None, tmp_path: Path) -> None:
    path = movie(tmp_path / "footage.mp4", 1, 20)
    strip = addon.compat.strips(scene.sequence_editor).new_movie("footage", str(path), 2, 5, fit_method="ORIGINAL")
    addon.compat.set_span(strip, 8, 18)
    strip.select = True
    settings = scene.diorama_combine
    settings.time, settings.loop_by, settings.time_frames = "loop", "generate", 6
    assert bpy.ops.diorama.change_time() == {"FINISHED"}
    (job,) = addon.runtime.queue.jobs
    stills = [Image.open(path).convert("RGB") for path in (job.request.image, job.request.last_image)]
    ends = [np.asarray(still)[90, 160] for still in stills]
    assert [code(pixel) for pixel in ends] == [(1, 12), (1, 3)]  # it goes from the last frame shown to the first
    settle(addon)
    (back,) = extensions(addon, scene, strip)
    assert (span(addon, back), back.channel, span(addon, strip), strip.mute) == ((18, 24), 2, (8, 18), False)
    # The model's first and last frame are the strip's own and are not shown twice.
    assert bars(scene, range(18, 24), tmp_path) == [1, 2, 3, 4, 5, 6]
    assert shown(scene, (8, 17), tmp_path) == [(1, 3), (1, 12)]


def test_what_cannot_be_extended_is_told(addon: SimpleNamespace, scene: Any, tmp_path: Path) -> None:
    still = add_still(addon, scene.sequence_editor, photo(tmp_path / "photo.png"), start=11)
    with pytest.raises(RuntimeError, match="was not made by Camera Move"):
        bpy.ops.diorama.extend()
    addon.compat.strips(scene.sequence_editor).remove(still)
    clip = camera_clip(addon, scene, tmp_path)
    addon.compat.set_right_handle(clip, 20)
    with pytest.raises(RuntimeError, match="trimmed there"):
        bpy.ops.diorama.extend()
    scene.diorama_combine.extend_by = "generate"
    with pytest.raises(RuntimeError, match="full engine"):
        bpy.ops.diorama.extend()
