"""What Diorama uses of Blender's sound library."""

import numpy as np

error: type[Exception]

class Sound:
    specs: tuple[float, int]
    @staticmethod
    def file(filename: str) -> Sound: ...
    def data(self) -> np.ndarray: ...
