"""What squawk, a linter of SQL, says about the statements of a revision. Reads no Python and connects to nothing.

Its rules are named as ours where the cause is the same, so that one cause is one finding.
https://squawkhq.com/docs/rules
"""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

from app.migrations.errors import ConfigurationError
from app.migrations.statements import words
from app.migrations.trace_values import Statement

PATIENCE = 60.0
"""Seconds within which it must have answered; it takes hundredths of one."""

NOT_ASKED = (
    "require-lock-timeout", "require-statement-timeout", "require-timeout-settings", "prefer-robust-stmts",
    "transaction-nesting", "ban-uncommitted-transaction",
)  # fmt: skip
"""What the way in which revisions are run here sees to: timeouts, transactions, and a known state after a failure."""

OUR_NAME = {
    "adding-required-field": "not-null-without-default",
    "adding-not-nullable-field": "constraint-not-validated",
    "adding-foreign-key-constraint": "constraint-not-validated",
    "constraint-missing-not-valid": "constraint-not-validated",
    "adding-field-with-default": "volatile-default",
    "changing-column-type": "type-change",
    "renaming-column": "rename",
    "renaming-table": "rename",
    "renaming-object": "rename",
    "ban-drop-column": "drop-column",
    "ban-drop-table": "drop-table",
    "require-concurrent-index-creation": "index-not-concurrent",
    "require-concurrent-index-deletion": "index-not-concurrent",
    "disallowed-unique-constraint": "index-not-concurrent",
    "adding-serial-primary-key-field": "index-not-concurrent",
    "ban-concurrent-index-creation-in-transaction": "concurrently-in-transaction",
}
STYLE = frozenset({"prefer-text-field", "prefer-bigint-over-int", "prefer-bigint-over-smallint", "prefer-identity",
                   "prefer-timestamp-tz", "ban-char-field", "identifier-too-long", "prefer-repack",
    "require-enum-value-ordering"})  # fmt: skip
"""Rules of taste: nothing waits for what they find."""

NOT_READ = frozenset({"SELECT", "INSERT", "UPDATE", "DELETE", "MERGE", "COPY", "WITH", "SET", "SHOW", "RESET"})
"""Statements about rows: squawk has no rule for them, and their values may have been cut."""

NOT_VALID, INDEX_OF_CONSTRAINT = (
    "constraint-missing-not-valid",
    {"disallowed-unique-constraint", "adding-serial-primary-key-field"},
)
"""The former is also said of constraints that are indexes, which cannot be NOT VALID."""

Answer = Sequence[Mapping[str, object]]


class Remark(NamedTuple):
    """What squawk says about one statement; `rule` is its own name, `help` may be empty."""

    statement: Statement
    rule: str
    message: str
    help: str

    @property
    def cause(self) -> str:
        """Return the name of the cause: our rule's where we have one."""
        return OUR_NAME.get(self.rule, self.rule)

    @property
    def is_style(self) -> bool:
        """Return whether this is a matter of taste."""
        return self.rule in STYLE


def program() -> Path | None:
    """Return squawk: that of this Python's environment, else of the PATH; None where there is none."""
    beside = Path(sys.executable).parent / "squawk"
    found = str(beside) if beside.is_file() else shutil.which("squawk")
    return Path(found) if found else None


def lint(squawk: Path, statements: Sequence[Statement], server_major: int, root: Path) -> list[Remark]:
    """Return what squawk says about the statements of one revision, in their order.

    Each transaction, and each stretch outside of one, is read by itself. A `.squawk.toml` in `root` is heeded.
    Raises ConfigurationError where squawk cannot be run.
    """
    remarks = []
    for (_, transactional), segment in groupby(statements, key=lambda one: (one.segment, one.transactional)):
        ask = partial(_ask, squawk, server_major, transactional, root)
        remarks += _about([one for one in segment if _is_read(one)], ask)
    return remarks


def _about(statements: Sequence[Statement], ask: Callable[[str], Answer]) -> list[Remark]:
    """Lint one segment; a statement that squawk cannot parse silences it, so the others are shown to it again."""
    answer = ask(_script(statements)) if statements else []
    remarks = list(_remarks(statements, answer))
    unread = {id(one.statement) for one in remarks if one.rule == "syntax-error"}
    if unread:
        return _about([one for one in statements if id(one) not in unread], ask)
    indexed = {id(one.statement) for one in remarks if one.rule in INDEX_OF_CONSTRAINT}
    return [one for one in remarks if one.rule != NOT_VALID or id(one.statement) not in indexed]


def _is_read(statement: Statement) -> bool:
    found = words(statement.sql)
    return bool(found) and found[0] not in NOT_READ and not statement.failed


def _script(statements: Sequence[Statement]) -> str:
    return "\n".join(f"{one.sql.rstrip().removesuffix(';')}\n;" for one in statements)


def _ask(squawk: Path, server_major: int, transactional: bool, root: Path, script: str) -> Answer:
    # not with --exclude for NOT_ASKED: that puts the exclusions of the project's own settings out of force
    asked = [str(squawk), "--reporter=json", f"--pg-version={server_major}.0"]
    if transactional:
        asked.append("--assume-in-transaction")
    try:
        done = subprocess.run(
            asked, input=script, cwd=root, capture_output=True, text=True, timeout=PATIENCE, check=False
        )
        answer = json.loads(done.stdout or "[]")
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        raise _not_run(str(error)) from error
    if done.returncode not in (0, 1) or not isinstance(answer, list):
        raise _not_run(done.stderr.strip().partition("\n")[0] or f"it ended with {done.returncode}")
    return answer


def _remarks(statements: Sequence[Statement], answer: Answer) -> Iterator[Remark]:
    """Give each answer to the statement in whose lines it lies."""
    lines = [number for number, one in enumerate(statements) for _ in range(_height(one))]
    for said in answer:
        place, rule = said.get("line"), str(said.get("rule_name"))
        if not isinstance(place, int) or rule in NOT_ASKED:
            continue
        statement = statements[lines[min(max(place, 0), len(lines) - 1)]]
        yield Remark(statement, rule, str(said.get("message") or ""), str(said.get("help") or ""))


def _height(statement: Statement) -> int:
    return statement.sql.rstrip().removesuffix(";").count("\n") + 2


def _not_run(reason: str) -> ConfigurationError:
    return ConfigurationError(
        f"squawk could not be run: {reason}; its rules were not applied",
        "./scripts/inv setup, or `pip install squawk-cli`, and the same command again",
    )
