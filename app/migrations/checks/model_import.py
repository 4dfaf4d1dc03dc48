"""`model-import`: a migration imports code of the application.

Bad:
    from app.models import User


    def upgrade() -> None:
        op.get_bind().execute(User.__table__.update().values(active=True))

Why: the migration stays, the code changes. When a column is renamed there a year later, this revision fails on every
new database, on every scratch build and on every restore of an old backup, because it asks for what is not there yet.
https://www.postgresql.org/docs/current/ddl-alter.html

Instead:
    users = sa.table("users", sa.column("id"), sa.column("active"))


    def upgrade() -> None:
        op.get_bind().execute(users.update().values(active=True))

Way out: `# allow: model-import -- reason`, where what is imported can never change.
"""

import ast
from collections.abc import Iterator

from app.migrations.checks import snippets
from app.migrations.checks.rule import Known, Problem, Rule, allowed
from app.migrations.findings import Severity
from app.migrations.sources.migration import Migration


def find(migration: Migration, known: Known) -> Iterator[Problem]:
    """Return the imports of the project's own code, wherever they stand."""
    for node in _imports(migration.tree):
        own = [alias for alias in node.names if _is_own(_module(node, alias), known.packages)]
        if own:
            module = _module(node, own[0])
            message = f"{module} will go on changing, and this migration will not: it fails once they no longer fit."
            yield Problem(
                node.lineno,
                message,
                _instead(own, module, migration.source),
                node.lineno,
                node.end_lineno or node.lineno,
            )


def _imports(tree: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Return the imports that are carried out: not those for type checkers alone."""
    pending: list[ast.AST] = [tree]
    while pending:
        node = pending.pop(0)
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield node
        elif isinstance(node, ast.If) and ast.unparse(node.test).rpartition(".")[2] == "TYPE_CHECKING":
            pending = [*node.orelse, *pending]
        elif not isinstance(node, ast.expr):
            pending = [*ast.iter_child_nodes(node), *pending]


def _module(node: ast.Import | ast.ImportFrom, alias: ast.alias) -> str:
    if isinstance(node, ast.Import):
        return alias.name
    return "." * node.level + (node.module or "")


def _is_own(module: str, packages: frozenset[str]) -> bool:
    return module.startswith(".") or module.partition(".")[0] in packages


def _instead(names: list[ast.alias], module: str, source: str) -> str:
    """Return a table written out for every class of a model, values for an enum, and the advice to copy the rest."""
    lines, source = [], "".join(source.split())
    for alias in names:
        name = (alias.asname or alias.name).rpartition(".")[2]
        if f"Enum({name}" in source:
            lines.append(f'# write the values of {name} as they are today: sa.Enum("...", name="...")')
        elif name[:1].isupper() and "model" in module:
            table = snippets.text(name.lower() + "s")
            lines.append(
                f'{name} = sa.table({table}, sa.column("id"))  # the table as it is now, and the columns used here'
            )
        else:
            lines.append(f"# write into this file what {name} is today")
    return "\n".join(lines)


RULE = Rule(
    "model-import", Severity.WARNING, find, allowed("model-import", "What is imported can never change?"), __doc__ or ""
)
