"""Ends before it has said anything, as when a package is missing."""

import sys

sys.exit("ModuleNotFoundError: No module named 'numba'")
