"""The image-to-video models known by name: what each can do, needs and forbids. Data: catalog.toml, and a person's own.

Reads files and nothing else: no network, no torch. docs/models.md explains the fields for people who add a model.
"""

from __future__ import annotations

import functools
import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from engine.errors import BadModel
from engine.hub import CHOICE, WANTED, Source
from engine.video.family import CONTROLS, FrameRule

DEFAULT_MODEL = "wan-2.2-ti2v-5b"
OWN_CATALOG = "DIORAMA_VIDEO_MODELS"        # environment: a person's own file, in the form of catalog.toml
# What diffusers reads of a repository: folders. Beside them may lie the same weights once more, as single files.
FOLDERS = ("model_index.json", *(f"*/{kind}" for kind in WANTED))


@dataclass(frozen=True)
class Layout:
    """How the model's latents lie, for what a run will take.

    temporal, spatial: pixels a latent. patch: latents a token, along each side. width: of a token in the denoiser.
    channels: of a latent. activation: what the denoiser holds in one pass, in copies of all its tokens. decode: what
    the VAE holds while it decodes, kilobytes a pixel of the picture; both computed, see engine/video/plan.py.
    piece: frames that the denoiser sees at once, where it makes a clip piece by piece; 0 = all of them.
    """

    temporal: int = 4
    spatial: int = 8
    patch: int = 2
    width: int = 3072
    channels: int = 16
    activation: float = 20.0
    decode: float = 20.0
    piece: int = 0


@dataclass(frozen=True)
class MemoryFigure:
    """What others measured. mode: of MEMORY_MODES. gigabytes: peak on the GPU. source: "doc" (of diffusers), "page"
    (of the model's authors or users) or "unchecked"; at: the size and frames it was measured at, as told."""

    mode: str
    gigabytes: float
    source: str
    at: str = ""


@dataclass(frozen=True)
class FewSteps:
    """A LoRA for few steps, at the speeds balanced and draft. files: one, or one an expert."""

    repository: str
    files: tuple[str, ...]
    num_inference_steps: int
    guidance_scale: float
    weight: float = 1.0
    megabytes: int = 0


@dataclass(frozen=True)
class Part:
    """A component that lies in another repository than the rest. folder: where in it, "" = at its top.

    library, kind: its class, as model_index.json names one.
    """

    repository: str
    library: str
    kind: str
    folder: str = ""


@dataclass(frozen=True)
class VideoModel:
    """One entry of the catalog; the fields are explained at the head of catalog.toml."""

    id: str
    name: str
    family: str
    frames: FrameRule
    fps: float
    size_multiple: int
    width: int
    height: int
    num_inference_steps: int
    guidance_scale: float
    controls: frozenset[str]
    parameters: dict[str, float]
    licence: str
    repository: str = ""
    revision: str = "main"
    folder: str = ""
    megabytes: int = 0
    megabytes_seen: bool = False
    licence_seen: bool = False
    forbids: str = ""
    ask: bool = False
    role: str = ""
    note: str = ""
    negative_prompt: str = ""
    fixed_size: bool = False
    needs: frozenset[str] = frozenset()
    dtypes: dict[str, str] = field(default_factory=dict)
    layout: Layout = field(default_factory=Layout)
    memory: tuple[MemoryFigure, ...] = ()
    few_steps: FewSteps | None = None
    brought: dict[str, Part] = field(default_factory=dict)
    caches: tuple[str, ...] = ()
    match: dict[str, Any] = field(default_factory=dict)
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def sources(self) -> tuple[Source, ...]:
        """What a download brings: its repository first, the parts from others, the LoRA of its few steps.

        Nothing for a person's own folder.
        """
        if self.folder:
            return ()
        skip = (*CHOICE, *(f"{name}/*" for name in self.brought))
        few = (Source(self.few_steps.repository, files=self.few_steps.files, needed=False),) if self.few_steps else ()
        files: dict[str, tuple[str, ...]] = {}
        for part in self.brought.values():
            inside = tuple(f"{part.folder}/{kind}" if part.folder else kind for kind in WANTED)
            files[part.repository] = (*files.get(part.repository, ()), *inside)
        parts = (Source(repository, files=wanted) for repository, wanted in files.items())
        return (Source(self.repository, self.revision, FOLDERS, skip), *parts, *few)


@functools.cache
def catalog() -> dict[str, VideoModel]:
    """id -> model, in the order in which they are offered; a person's own come last. Raises BadModel."""
    found = read_catalog(Path(__file__).with_name("catalog.toml"))
    own = os.environ.get(OWN_CATALOG, "")
    return found | read_catalog(Path(own)) if own else found


def read_catalog(path: Path) -> dict[str, VideoModel]:
    """The models of one file. Raises BadModel, which names the entry that is wrong."""
    remedy = f"Compare it with the fields explained in docs/models.md: {path}"
    try:
        plain = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise BadModel(f"The list of models {path.name} cannot be read: {error}.", remedy) from error
    models: dict[str, VideoModel] = {}
    for key, entry in plain.items():
        try:
            models[key] = _model(key, entry)
        except (TypeError, ValueError, KeyError, AttributeError) as error:
            raise BadModel(f"The model '{key}' in {path.name} is not described rightly: {error}.", remedy) from error
    return models


def find_model(model_id: str) -> VideoModel:
    """The entry of that id. Raises BadModel, which names those that there are."""
    try:
        return catalog()[model_id]
    except KeyError as error:
        raise BadModel(f"There is no image-to-video model called {model_id!r}.",
                       f"Choose one of {', '.join(catalog())}, or the folder of a model.") from error


def _model(key: str, entry: dict[str, Any]) -> VideoModel:
    plain = dict(entry)
    plain["frames"] = FrameRule(**plain["frames"])
    plain["controls"] = frozenset(plain["controls"])
    plain["needs"] = frozenset(plain.get("needs", ()))
    plain["layout"] = Layout(**plain.get("layout", {}))
    plain["memory"] = tuple(MemoryFigure(**figure) for figure in plain.get("memory", ()))
    plain["caches"] = tuple(plain.get("caches", ()))
    plain["brought"] = {name: Part(**part) for name, part in plain.get("brought", {}).items()}
    if "few_steps" in plain:
        few = plain["few_steps"]
        plain["few_steps"] = FewSteps(**few | {"files": tuple(few["files"])})
    if unknown := (plain["controls"] | plain["needs"]) - set(CONTROLS):
        raise ValueError(f"unknown controls: {', '.join(sorted(unknown))}")
    model = VideoModel(id=key, **plain)
    if not model.repository and not model.folder:
        raise ValueError("it needs a repository or a folder")
    return model
