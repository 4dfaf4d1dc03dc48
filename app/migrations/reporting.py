"""The one place where an exception becomes an exit code."""

import os
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager

from app.migrations.errors import MigrationError
from app.migrations.redaction import redact

INTERRUPTED = 130
BUG = 3


@contextmanager
def two_lines(exits: bool = True) -> Iterator[None]:
    """Print an expected error as two lines on stderr and exit with its code; with `exits` false, let it pass."""
    try:
        yield
    except MigrationError as error:
        if not exits:
            raise
        print(error, file=sys.stderr)  # noqa: T201
        raise SystemExit(error.exit_code) from error


@contextmanager
def exit_codes() -> Iterator[None]:
    """Give a whole task its exit code: expected errors their own, an interrupt 130, anything else 3.

    A bug shows its traceback, redacted. SystemExit passes.
    """
    try:
        with two_lines():
            yield
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)  # noqa: T201
        raise SystemExit(INTERRUPTED) from None
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None
    except Exception as error:
        print(redact(traceback.format_exc()), file=sys.stderr)  # noqa: T201
        print("this is a bug of the tools, not of your migration: report the lines above", file=sys.stderr)  # noqa: T201
        raise SystemExit(BUG) from error
