"""Every tier sees the add-on side as package `diorama` and the engine as package `engine`."""

from devtools.house import addon_side

addon_side()
