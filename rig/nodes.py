"""Materials and their shader nodes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from . import compat


def new_tree(material: Any) -> tuple[Any, Callable[..., Any]]:
    """Empties a material's tree. Returns it, and node(kind, column, row, **settings), which adds a shader node."""
    compat.use_nodes(material)
    tree = material.node_tree
    tree.nodes.clear()

    def node(kind: str, column: int, row: int = 0, **settings: Any) -> Any:
        made = tree.nodes.new(f"ShaderNode{kind}")
        made.location = (column * 200, -row * 260)
        for key, value in settings.items():
            setattr(made, key, value)
        return made

    return tree, node


def materials_of(item: Any) -> list[Any]:
    """The materials in an object's slots."""
    return [slot.material for slot in item.material_slots if slot.material]


def pictures_of(material: Any) -> list[Any]:
    """The pictures that a material shows."""
    nodes = material.node_tree.nodes if material.node_tree else ()
    return [node.image for node in nodes if node.type == "TEX_IMAGE" and node.image]
