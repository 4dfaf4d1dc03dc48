"""The question before a protected environment is changed."""

import sys

from app.migrations.errors import Refused


def confirm(name: str, yes: bool, word: str | None = None, why: str = "is protected") -> None:
    """Have `word` (by default the environment's name) typed back, unless `yes` was said; `why` ends a sentence on it.

    Raises Refused for another answer, and where there is no terminal to ask at. Ctrl-C passes as KeyboardInterrupt.
    """
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(
            f"{name} {why}, and there is no terminal to ask at; nothing was changed",
            "look at the plan above, then the same command with --yes",
        )
    wanted = word or name
    try:
        answer = input(f'Type "{wanted}" to go on: ').strip()
    except EOFError:
        answer = ""
    if answer != wanted:
        raise Refused(
            f'the answer was "{answer}", not "{wanted}"; nothing was changed', "the same command, if it is meant"
        )
