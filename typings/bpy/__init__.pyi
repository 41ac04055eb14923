# Blender's module has no types of its own, and those that others made for it say "may be None" at every step. The code
# that touches it is held to our own types only; what Blender really does is the blender tier's business.
from typing import Any

def __getattr__(name: str) -> Any: ...
