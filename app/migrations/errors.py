"""The errors a person is meant to read: what happened, then the command to run next.

MigrationError                 2
├── Refused                    2   a rule said no; nothing was changed
├── ConfigurationError         2   a file, a key, a name or a program is wrong; nothing was changed
├── Unreachable                4   the database cannot be reached
├── MigrationFailed            5   a migration failed; the message says what state the database is in
├── NegativeAnswer             1   the question was answered, and the answer is 'no'
└── Interrupted              130   it was told to stop, and has stopped in order

The number is the exit code. Anything else that escapes is a bug (3).
"""

from app.migrations.redaction import redact


class MigrationError(Exception):
    """Two lines for a person: `message` says what happened and what follows, `hint` what to run next.

    Both are redacted here, so that no caller can forget it.
    """

    exit_code = 2

    def __init__(self, message: str, hint: str) -> None:
        self.message = redact(message)
        self.hint = redact(hint)
        super().__init__(self.message, self.hint)

    def __str__(self) -> str:
        return f"error: {self.message}\n  next: {self.hint}"


class Refused(MigrationError):
    """A rule said no before anything was changed."""


class ConfigurationError(MigrationError):
    """A file, a key, a name or a program is not as it has to be; nothing was changed."""


class Unreachable(MigrationError):
    """The database did not answer, or did not let us in."""

    exit_code = 4


class MigrationFailed(MigrationError):
    """A migration failed; the message says what state the database is in."""

    exit_code = 5


class NegativeAnswer(MigrationError):
    """The question was answered, and the answer is 'no'."""

    exit_code = 1


class Interrupted(MigrationError):
    """It was told to stop, and has stopped in order; the message says after what."""

    exit_code = 130
