"""The depth models offered by name: data (catalog.toml). How they come and go: engine/hub.py."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from pathlib import Path

from engine import hub
from engine.errors import BadRequest

DEFAULT_MODEL = "depth-anything-v2-small"
OFFER = "Draft depth works without any download."
INSTALL_FULL = f"{hub.INSTALL_FULL} {OFFER}"


@dataclass(frozen=True)
class DepthModel:
    """One entry of the catalog. megabytes: about what a download takes. ask: the licence must be accepted first."""

    id: str
    name: str
    repository: str
    megabytes: int
    licence: str
    licence_seen: bool
    note: str
    ask: bool = False
    focal: bool = False

    @property
    def sources(self) -> tuple[hub.Source, ...]:
        return (hub.Source(self.repository),)


@functools.cache
def catalog() -> dict[str, DepthModel]:
    """id -> model, in the order in which they are offered."""
    with (Path(__file__).parent / "catalog.toml").open("rb") as file:
        return {key: DepthModel(key, **entry) for key, entry in tomllib.load(file).items()}


def find_model(model_id: str) -> DepthModel:
    """The entry of that id. Raises BadRequest, which names those that there are."""
    try:
        return catalog()[model_id]
    except KeyError as error:
        raise BadRequest(f"There is no depth model called {model_id!r}.",
                         f"Choose draft, {', '.join(catalog())}, or the folder of a model.") from error
