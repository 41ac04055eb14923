"""`python -m engine COMMAND`."""

import sys

from .cli import main

sys.exit(main())
