"""A model's folder: found, recognised, examined before it is loaded, loaded. Safetensors only, no code, no network."""

# torch and diffusers belong to the full engine; types are checked in the light one.
# pyright: reportMissingImports=false

from __future__ import annotations

import importlib
import json
import math
import struct
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from engine.errors import BadModel, OutOfMemory, WeightsMissing
from engine.video.catalog import VideoModel, catalog, find_model
from engine.video.families import FAMILIES
from engine.video.family import Ask, Family, FrameRule

INSTALL_FULL = "Install the full engine in Diorama's preferences."
AGAIN = "Download or copy the whole model again."
INDEX, CONFIG = "model_index.json", "config.json"
LIBRARIES = ("diffusers", "transformers")
LONGEST_HEADER = 100_000_000        # of a safetensors file, bytes: its own library refuses more


@dataclass(frozen=True)
class Found:
    """A model on this machine. index: of model_index.json. config: of its first denoiser. rule, controls: its own.

    brought: component -> where it lies, of those that are not in the folder.
    """

    model: VideoModel
    folder: Path
    family: Family
    index: dict[str, Any]
    config: dict[str, Any]
    rule: FrameRule
    controls: frozenset[str]
    brought: dict[str, Path] = field(default_factory=dict)

    def place(self, part: str) -> Path:
        return self.brought.get(part, self.folder / part)


def find(name: str) -> Found:
    """A catalog id or a folder's path -> what is there. Reads only small files.

    Raises BadModel (no such model, no model in the folder, no family for it), WeightsMissing (not downloaded).
    """
    if name in catalog():
        model = find_model(name)
        folder, *others = _folders_of(model)
        return examined(folder, model, dict(zip(model.brought, others, strict=False)))
    folder = Path(name).expanduser()
    if not folder.is_dir():
        if len(folder.parts) > 1:
            raise BadModel(f"There is no model folder at {name}.", "Choose the folder that holds model_index.json.")
        find_model(name)        # raises, and names those that there are
    return examined(folder)


def examined(folder: Path, model: VideoModel | None = None, brought: dict[str, Path] | None = None) -> Found:
    """What a folder holds. model: its entry, or None = recognised by its parts. brought: as in Found.

    Raises BadModel.
    """
    index = _json(folder, INDEX)
    brought = brought or {}
    if model:
        index |= {name: [part.library, part.kind] for name, part in model.brought.items()}
    parts = {name: kind[1] for name, kind in index.items() if isinstance(kind, list) and len(kind) == 2 and kind[1]}
    foreign = [name for name, kind in index.items() if isinstance(kind, list) and kind and kind[0]
               and (not isinstance(kind[0], str) or "." in kind[0])]
    if foreign:
        raise BadModel(f"The model in {folder.name} brings code of its own ({', '.join(foreign)}), which is never run.",
                       "Choose a folder whose parts are all of diffusers and transformers.")
    family = FAMILIES[model.family] if model else None
    config: dict[str, Any] = {}
    for one in [family] if family else FAMILIES.values():
        denoiser = next((part for part in one.denoisers if part in parts), None)
        if denoiser is None:
            continue
        config = _json(brought.get(denoiser, folder / denoiser), CONFIG)
        if one.recognises(parts, config):
            family = one
            break
    else:
        raise BadModel(f"The folder {folder.name} holds no image-to-video model that Diorama knows "
                       f"({index.get('_class_name', 'of an unnamed kind')}).",
                       f"Choose a model of one of these families: {', '.join(FAMILIES)}.")
    assert family
    entry = model or _resembling(family, folder, index, config)
    entry = replace(entry, size_multiple=family.size_multiple(config, entry.size_multiple))
    if size := family.only_size(config):
        entry = replace(entry, width=size[0], height=size[1], fixed_size=True)
    controls = family.controls(index, config, entry.controls)
    return Found(entry, folder, family, index, config, family.frame_rule(config, entry.frames), controls, brought)


def check_files(found: Found) -> dict[str, float]:
    """Looks at every file of weights without reading it whole; billions of parameters by component.

    Raises BadModel, which names the file.
    """
    total: dict[str, float] = {}
    for name, kind in found.index.items():
        if not isinstance(kind, list) or kind[0] is None:
            continue
        part = found.place(name)
        if not part.is_dir():
            raise BadModel(f"The model's part '{name}' is missing in {found.folder.name}.", AGAIN)
        if not (part / CONFIG).is_file():
            continue        # a tokenizer, a scheduler, a processor
        weights = sorted(part.glob("*.safetensors"))
        for listing in part.glob("*.safetensors.index.json"):
            wanted = set(_json(part, listing.name).get("weight_map", {}).values())
            weights = sorted({*weights, *(part / file for file in wanted)})
        if not weights:
            raise BadModel(f"The weights of '{name}' are missing in {found.folder.name}: no .safetensors file.", AGAIN)
        total[name] = sum(checked_file(file) for file in weights) / 1e9
    return total


def with_parameters(found: Found) -> Found:
    """The same with the sizes that its files really have. Raises BadModel for files that cannot be loaded.

    What a network of another size than the catalog's holds while it runs goes with the root of its parameters.
    """
    real, model = check_files(found), found.model
    shares = {part: math.sqrt(real[part] / listed) for part, listed in model.parameters.items() if real.get(part)}
    drawing = max((shares[part] for part in found.family.denoisers if part in shares), default=1.0)
    layout = replace(model.layout, activation=model.layout.activation * drawing,
                     decode=model.layout.decode * shares.get("vae", 1.0))
    return replace(found, model=replace(model, parameters=real, layout=layout))


def checked_file(file: Path) -> int:
    """Numbers in a safetensors file, if its size and its own header agree. Raises BadModel."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            (length,) = struct.unpack("<Q", opened.read(8))
            header = json.loads(opened.read(length)) if length < min(size, LONGEST_HEADER) else None
        tensors = [entry for key, entry in header.items() if key != "__metadata__"]  # type: ignore[union-attr]
        ends = [entry["data_offsets"][1] for entry in tensors]
        numbers = sum(math.prod(entry["shape"]) for entry in tensors)
    except FileNotFoundError:
        raise BadModel(f"The file {file.parent.name}/{file.name} is missing.", AGAIN) from None
    except OSError as error:
        raise BadModel(f"The file {file.parent.name}/{file.name} cannot be read: {error.strerror}.", AGAIN) from error
    except (struct.error, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadModel(f"The file {file.parent.name}/{file.name} is damaged: it is no safetensors file.",
                       AGAIN) from error
    if 8 + length + max(ends, default=0) != size:
        raise BadModel(f"The file {file.parent.name}/{file.name} is cut off or damaged.", AGAIN)
    return numbers


def load(
    found: Found, ask: Ask | None, dtypes: dict[str, Any], more: dict[str, Any] | None = None,
    seen: Callable[[int, int], None] = lambda *_: None,
) -> Any:
    """The pipeline on the CPU, in evaluation mode. dtypes: component -> torch dtype, with "default".

    ask: decides the class where a family has two. more: of from_pretrained. seen: called before each part, and before
    each file of a large one, with parts done and in all; may raise.
    Raises BadModel, WeightsMissing, OutOfMemory. Its files were looked at by with_parameters().
    """
    try:
        import diffusers
        from diffusers.utils import logging
        from safetensors import SafetensorError
        from transformers.utils import logging as transformers_logging
    except ImportError as error:
        raise WeightsMissing("Image-to-video needs the full engine, which is not installed.", INSTALL_FULL) from error
    logging.disable_progress_bar()
    transformers_logging.disable_progress_bar()
    kind = getattr(diffusers, found.family.pipeline_name(ask))
    bars, logging.tqdm = logging.tqdm, _Bars(seen)      # the one place that diffusers comes by between two files
    try:
        brought = {name: _brought(found, name, dtypes, more or {}) for name in found.brought}
        pipe = kind.from_pretrained(str(found.folder), dtype=dtypes, local_files_only=True, use_safetensors=True,
                                    **found.family.load_options(found.folder), **brought, **(more or {}))
    except MemoryError as error:
        raise no_memory(found) from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, ImportError, RuntimeError,
            SafetensorError) as error:
        if "allocate memory" in str(error) or "out of memory" in str(error).lower():
            raise no_memory(found) from error
        first = (str(error).strip().splitlines() or [type(error).__name__])[0].rstrip(".")
        raise BadModel(f"The model in {found.folder.name} cannot be loaded: {first}.", AGAIN) from error
    finally:
        logging.tqdm = bars
    pipe.set_progress_bar_config(disable=True)
    return pipe


class _Bars:
    """In place of diffusers' progress bars while it loads: the outer one counts parts, those within it their files."""

    def __init__(self, seen: Callable[[int, int], None]) -> None:
        self._seen, self._at = seen, (0, 1)
        self._depth = 0

    def __call__(self, over: Iterable[Any], **_options: Any) -> Iterator[Any]:
        several = list(over)
        self._depth += 1
        try:
            for number, one in enumerate(several):
                if self._depth == 1:
                    self._at = (number, len(several))
                self._seen(*self._at)
                yield one
        finally:
            self._depth -= 1


def no_memory(found: Found) -> OutOfMemory:
    return OutOfMemory(f"There is not enough memory for {found.model.name}.",
                       "Choose a smaller size, fewer seconds or a smaller model, or close other programs.")


def _brought(found: Found, name: str, dtypes: dict[str, Any], more: dict[str, Any]) -> Any:
    """A component from a place of its own, as from_pretrained would load it. more: what that is given."""
    library, kind = found.index[name]
    place = found.place(name)
    options: dict[str, Any] = {"local_files_only": True}
    if (place / CONFIG).is_file():
        options |= {"dtype": dtypes.get(name, dtypes["default"]), "use_safetensors": True}
        if "quantization_config" in more:
            options["quantization_config"] = more["quantization_config"].quant_mapping.get(name)
    return getattr(importlib.import_module(library), kind).from_pretrained(str(place), **options)


def _folders_of(model: VideoModel) -> list[Path]:
    """Its folder, then the places of the parts that it brings, in their order."""
    if model.folder:
        folder = Path(model.folder).expanduser()
        if not folder.is_dir():
            raise BadModel(f"The folder of {model.name} is not there: {folder}.", "Mend its entry in your own catalog.")
        return [folder]
    from engine.hub import local_folder

    here = {source.repository: local_folder(source) for source in model.sources}
    parts = [(here[part.repository], part.folder) for part in model.brought.values()]
    places = [folder / inside for folder, inside in [(here[model.repository], ""), *parts] if folder]
    if len(places) <= len(model.brought):
        raise WeightsMissing(
            f"{model.name} is not downloaded ({model.megabytes} MB, licence: {model.licence}).",
            f"Download it in Diorama's preferences or with `models download {model.id}`.")
    return places


def _resembling(family: Family, folder: Path, index: dict[str, Any], config: dict[str, Any]) -> VideoModel:
    """The catalog's entry for a folder, under the folder's name: the one with most fitting values."""
    def fits(model: VideoModel) -> int:
        values = [(index.get(key, config.get(key)), wish) for key, wish in model.match.items()]
        good = [_is_set(value) if wish == "*" else value == wish for value, wish in values]
        return len(good) if all(good) else -1

    siblings = [model for model in catalog().values() if model.family == family.name]
    best = max(siblings, key=fits, default=None)
    if best is None:
        raise BadModel(f"The catalog has no model of the family {family.name}.", "See docs/models.md.")
    return replace(best, name=folder.resolve().name, folder=str(folder), repository="", role="", memory=())


def _is_set(value: Any) -> bool:
    return bool(value[0]) if isinstance(value, list) and value else bool(value)


def _json(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads((folder / name).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BadModel(f"The folder {folder.name} holds no {name}, so it is no model's folder.",
                       "Choose the folder that holds model_index.json and the model's parts.") from None
    except (OSError, ValueError) as error:
        raise BadModel(f"The file {name} in {folder.name} cannot be read.", AGAIN) from error
    if not isinstance(found, dict):
        raise BadModel(f"The file {name} in {folder.name} does not describe a model.", AGAIN)
    return found
