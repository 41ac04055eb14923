"""The adapters, one file a family. FAMILIES is the table by name, in no order that matters."""

from __future__ import annotations

from ..family import Family
from .wan import Wan

FAMILIES: dict[str, Family] = {family.name: family() for family in (Wan,)}
