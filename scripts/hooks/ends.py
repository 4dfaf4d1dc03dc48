"""How a check ends: 0, 1 for a finding that blocks, 2 for two lines about its use, 3 for one about a bug, 130."""

from __future__ import annotations

import os
import sys

from app.migrations.lean import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import NoReturn

    from app.migrations.findings import Finding


def reported(found: Sequence[Finding], how: str, heads: Sequence[str] | None = None) -> int:
    """Write the findings on stdout, and return the exit code that they mean."""
    if not found and how in {"text", "github"}:
        return 0
    from app.migrations import findings  # noqa: PLC0415 -- most have nothing to say

    findings.write(findings.render(found, how, heads))
    sys.stdout.flush()
    return 1 if findings.blocks(found) else 0


def run(main: Callable[[Sequence[str]], int]) -> int:
    """Call `main` with what stands on the command line, and turn every error into lines and an exit code."""
    try:
        return main(sys.argv[1:])
    except Exception as error:  # noqa: BLE001 -- told below
        return _explained(error)
    except KeyboardInterrupt:
        return 130


def leave(code: int) -> NoReturn:
    """End the process at once: giving back what was read, piece by piece, would take a tenth of the time."""
    try:
        sys.stdout.flush()
        sys.stderr.flush()
    except OSError:  # nobody reads any more
        code = code or 1
    os._exit(code)


def _explained(error: Exception) -> int:
    """Tell an error; what is loaded for that is not needed otherwise."""
    from app.migrations.errors import MigrationError  # noqa: PLC0415
    from app.migrations.redaction import redact  # noqa: PLC0415

    if isinstance(error, MigrationError):
        print(error, file=sys.stderr)
        return error.exit_code
    if isinstance(error, BrokenPipeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # what is left to write goes nowhere
        return 1
    trace = error.__traceback__
    while trace and trace.tb_next:
        trace = trace.tb_next
    place = f" ({trace.tb_frame.f_code.co_filename}:{trace.tb_lineno})" if trace else ""
    print(
        f"error: {type(error).__name__}: {redact(str(error))}{place}; nothing is known of your files", file=sys.stderr
    )
    print("  next: this is a bug of the check, not of your revisions: report the line above", file=sys.stderr)
    return 3
