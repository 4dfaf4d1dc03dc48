#!/usr/bin/env -S python3 -I -S
"""Says, after a checkout, a merge or a rebase, that the dev database is ahead of this branch. Never fails."""
# ruff: noqa: E402, PTH110, PTH118, PTH120, S606, SIM105, UP036 -- it must begin to run under any Python, and quickly

import os
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))
PYTHON = os.path.join(ROOT, ".venv", "bin", "python")
WITHIN = "--within"

if WITHIN not in sys.argv and os.path.exists(PYTHON):
    try:
        os.execv(PYTHON, [PYTHON, "-I", os.path.realpath(__file__), WITHIN])
    except OSError:
        pass
if sys.version_info < (3, 11):
    sys.exit(0)
sys.path.insert(0, ROOT)

from scripts.hooks import database_notice

if __name__ == "__main__":
    database_notice.main()
