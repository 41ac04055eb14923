"""Dies in its first job and behaves in its second life: the file named by FIRST_LIFE tells which this is."""

import os
import runpy
import sys
from pathlib import Path

import speak

first_life = Path(os.environ["FIRST_LIFE"])
if first_life.exists():
    runpy.run_path(str(Path(__file__).with_name("obey.py")))
else:
    first_life.touch()
    speak.hello()
    speak.next_job()
    sys.exit("the first life ends")
