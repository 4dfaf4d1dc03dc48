#!/usr/bin/env -S python3 -I -S
"""Checks the graph of revisions. Needs Python 3.11 and nothing else: no virtual environment, no package."""
# ruff: noqa: E402, PTH120, UP031, UP036 -- this file must begin to run under any Python, and quickly

import gc
import os
import sys

if sys.version_info < (3, 11):
    sys.stderr.write("error: this check needs Python 3.11 or newer, and this is %d.%d; " % sys.version_info[:2])
    sys.stderr.write("nothing was checked\n  next: put a newer python3 first on PATH\n")
    sys.exit(2)
gc.disable()  # what is read lives until the end: looking for cycles would find none
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.realpath(__file__))))

from scripts.hooks import ends, history

if __name__ == "__main__":
    ends.leave(ends.run(history.main))
