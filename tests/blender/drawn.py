"""A layout that draws nothing and remembers what it was told to draw."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any


class Drawn:
    """A layout that remembers what was drawn: texts, properties and operators."""

    def __init__(self, said: list[str] | None = None) -> None:
        self.said = [] if said is None else said
        self.enabled = self.active = self.alert = self.use_property_split = self.use_property_decorate = True
        self.scale_x = self.scale_y = 1.0

    def label(self, text: str = "", **_: Any) -> None:
        self.said.append(text)

    def prop(self, _owner: Any, name: str, **_: Any) -> None:
        self.said.append(name)

    def progress(self, text: str = "", **_: Any) -> None:
        self.said.append(text)

    def operator(self, name: str, text: str = "", **_: Any) -> Any:
        self.said += [name, text] if text else [name]
        return SimpleNamespace()

    def prop_search(self, _owner: Any, name: str, *_: Any, **__: Any) -> None:
        self.said.append(name)

    def menu(self, name: str, text: str = "", **_: Any) -> None:
        self.said += [name, text]

    def textbox(self, _owner: Any, name: str, **_: Any) -> None:
        self.said.append(name)

    def template_ID(self, _owner: Any, name: str, **_: Any) -> None:  # noqa: N802 (Blender's own name)
        self.said.append(name)

    def separator(self) -> None:
        self.said.append("")

    def panel(self, _name: str, **_: Any) -> tuple[Drawn, Drawn]:
        return Drawn(self.said), Drawn(self.said)

    def row(self, **_: Any) -> Drawn:
        return Drawn(self.said)

    column = box = row
