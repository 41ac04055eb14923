"""Sentences in a narrow sidebar: Blender's labels do not wrap by themselves."""

from __future__ import annotations

import textwrap
from typing import Any


def draw_sentence(layout: Any, context: Any, text: str, icon: str = "NONE", alert: bool = False) -> None:
    """Draws a sentence over as many lines as the region is narrow."""
    scale = context.preferences.system.ui_scale
    letters = max(24, int(context.region.width / (6.6 * scale)) - 9) if context.region else 60
    column = layout.column(align=True)
    column.scale_y = 0.8
    column.alert = alert
    for number, line in enumerate(textwrap.wrap(text, letters)):
        column.label(text=line, icon=icon if number == 0 else "BLANK1" if icon != "NONE" else "NONE")
