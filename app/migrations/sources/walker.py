"""Follows the statements of a migration in the order in which they would run, and notes what they do. Runs nothing.

Both sides of a condition are followed unless it is known; a loop over a constant list is followed for each item; local
functions are followed where they are called. A name that may have several values has none.
"""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from enum import Enum

from app.migrations.sources import bodies
from app.migrations.sources.operations import Kind, Operation, Place
from app.migrations.sources.values import UNKNOWN, Function, Scope, evaluate, is_known

LONGEST_LOOP = 200
DEEPEST = 8
MUTATING = frozenset({"append", "extend", "insert", "update", "pop", "remove", "clear", "add", "setdefault", "sort"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


class Flow(Enum):
    """How a list of statements ends."""

    ON = "goes on"
    RETURNS = "returns"
    RAISES = "raises"


class Walker:
    """One walk through a function; `operations` are what was met, `unknown` whether code ran that cannot be followed.

    `read` turns one call into operations; none where it is not about the database.
    """

    def __init__(self, read: Callable[[ast.Call, Scope], Iterable[Operation]], module: Scope) -> None:
        self.read = read
        self.module = module
        self.operations: list[Operation] = []
        self.place = Place()
        self.calling: list[str] = []
        self.steps = 0
        self.ended: tuple[ast.expr | None, Flow] = None, Flow.ON

    def run(self, body: Sequence[ast.stmt], scope: Scope) -> Flow:
        """Follow statements up to the first that is certain to return or raise."""
        for statement in body:
            flow = self.step(statement, scope)
            if flow is not Flow.ON:
                return flow
        return Flow.ON

    def step(self, statement: ast.stmt, scope: Scope) -> Flow:
        """Follow one statement."""
        self.steps += 1
        compound = isinstance(statement, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, *FUNCTIONS))
        last = statement.lineno if compound else statement.end_lineno or statement.lineno
        self.place = self.place._replace(first=statement.lineno, last=last)
        if isinstance(statement, (ast.Return, ast.Raise)):
            self._visit(statement, scope)
            return Flow.RETURNS if isinstance(statement, ast.Return) else Flow.RAISES
        if isinstance(statement, ast.If):
            return self._branch(statement, scope)
        if isinstance(statement, ast.With):
            return self._with(statement, scope)
        if isinstance(statement, ast.Try):
            return self._try(statement, scope)
        if isinstance(statement, (ast.For, ast.While, ast.Match)):
            self._repeat(statement, scope)
        elif isinstance(statement, FUNCTIONS):
            scope[statement.name] = Function(statement)
        elif not isinstance(statement, ast.ClassDef):
            self._visit(statement, scope)
            bodies.bind(statement, scope)
            if bodies.sets_autocommit(statement):
                self.note(Operation(Kind.COMMIT))
            if isinstance(statement, ast.Expr) and self.ended == (statement.value, Flow.RAISES):
                return Flow.RAISES
        return Flow.ON

    def call(self, name: str, function: Function, node: ast.Call, scope: Scope) -> Flow:
        """Follow a function of the file into its body; one that calls itself, or too deep, is not known."""
        if name in self.calling or len(self.calling) >= DEEPEST or self.steps > LONGEST_LOOP * 10:
            self.note(Operation(Kind.UNKNOWN, call=node))
            return Flow.ON
        inside = {**self.module, **{key: value for key, value in scope.items() if isinstance(value, Function)}}
        inside.update(bodies.arguments(function.node, node, scope))
        place = self.place
        self.calling.append(name)
        flow = self.run(function.node.body, inside)
        self.calling.pop()
        self.place = place._replace(segment=self.place.segment, settled=self.place.settled)
        return flow

    def note(self, operation: Operation) -> None:
        """Remember an operation with the place that it stands at."""
        node = operation.call
        line = node.lineno if node is not None else self.place.first
        self.operations.append(operation._replace(place=self.place._replace(line=line)))
        if operation.kind is Kind.COMMIT:
            self.place = self.place._replace(settled=False)

    def _visit(self, node: ast.AST, scope: Scope) -> None:
        """Read the calls of a statement or an expression, the inner ones first; what is defined only is passed over."""
        if isinstance(node, (ast.Lambda, *FUNCTIONS, ast.ClassDef)):
            return
        if isinstance(node, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
            scope = dict(scope)
            for generator in node.generators:
                bodies.forget(generator.target, scope)
        for child in ast.iter_child_nodes(node):
            self._visit(child, scope)
        if isinstance(node, ast.Call):
            self._call(node, scope)

    def _call(self, node: ast.Call, scope: Scope) -> None:
        if (
            isinstance(node.func, ast.Attribute)
            and isinstance(node.func.value, ast.Name)
            and node.func.attr in MUTATING
        ):
            owner = scope.get(node.func.value.id, UNKNOWN)
            if is_known(owner) or type(owner) is tuple:
                scope[node.func.value.id] = UNKNOWN
        function = scope.get(node.func.id) if isinstance(node.func, ast.Name) else None
        if isinstance(function, Function) and isinstance(node.func, ast.Name):
            self.ended = node, self.call(node.func.id, function, node, scope)
            return
        for operation in self.read(node, scope):
            self.note(operation)

    def _branch(self, statement: ast.If, scope: Scope) -> Flow:
        self._visit(statement.test, scope)
        test = evaluate(statement.test, scope)
        if is_known(test):
            return self.run(statement.body if test else statement.orelse, scope)
        flows = list(self._alternatives([statement.body, statement.orelse], scope))
        return flows[0] if flows[0] is flows[1] else Flow.ON

    def _alternatives(self, several: Sequence[Sequence[ast.stmt]], scope: Scope) -> Iterator[Flow]:
        """Follow what may run; a name keeps its value where none of them changes it."""
        before, place = dict(scope), self.place
        for body in several:
            inside = dict(before)
            self.place = place._replace(conditional=True, segment=self.place.segment)
            yield self.run(body, inside)
            settled = self.place.settled and place.settled
            for name in {**scope, **inside}:
                if before.get(name) is not inside.get(name):
                    scope[name] = UNKNOWN
            place = place._replace(settled=settled, segment=self.place.segment)
        self.place = place

    def _repeat(self, statement: ast.For | ast.While | ast.Match, scope: Scope) -> None:
        if isinstance(statement, ast.For) and self._each(statement, scope):
            return
        self._visit(statement.iter if isinstance(statement, ast.For) else _head(statement), scope)
        for name in bodies.assigned(statement):
            scope[name] = UNKNOWN
        several = [case.body for case in statement.cases] if isinstance(statement, ast.Match) else [statement.body]
        looped, self.place = self.place.looped, self.place._replace(looped=True)
        for _ in self._alternatives(several, scope):
            pass
        self.place = self.place._replace(looped=looped)

    def _each(self, statement: ast.For, scope: Scope) -> bool:
        """Follow a loop over a list that is written out, for each item; False where it is none."""
        items = evaluate(statement.iter, scope)
        if type(items) is not tuple or not 0 < len(items) * (1 + len(self.calling)) <= LONGEST_LOOP:
            return False
        if any(isinstance(node, (ast.Break, ast.Continue)) for node in ast.walk(statement)):
            return False
        looped = self.place.looped
        for item in items:
            if self.steps > LONGEST_LOOP * 10:
                self.note(Operation(Kind.UNKNOWN))
                break
            bodies.assign(statement.target, item, scope)
            self.place = self.place._replace(looped=True)
            self.run(statement.body, scope)
        self.place = self.place._replace(looped=looped)
        return True

    def _with(self, statement: ast.With, scope: Scope) -> Flow:
        place, autocommit, settled = self.place, False, True
        for item in statement.items:
            self._visit(item.context_expr, scope)
            value = bodies.entered(item.context_expr, scope)
            autocommit = autocommit or value is bodies.AUTOCOMMIT
            settled = settled and value is not UNKNOWN
            if item.optional_vars is not None:
                bodies.assign(item.optional_vars, value, scope)
        if autocommit and not place.autocommit:
            self.place = self.place._replace(segment=self.place.segment + 1, autocommit=True)
            flow = self.run(statement.body, scope)
            self.place = place._replace(segment=self.place.segment + 1, settled=self.place.settled)
            return flow
        if settled:
            return self.run(statement.body, scope)
        before, self.place = self.place.settled, self.place._replace(settled=False)
        flow = self.run(statement.body, scope)
        self.place = self.place._replace(settled=before)
        return flow

    def _try(self, statement: ast.Try, scope: Scope) -> Flow:
        flow = self.run(statement.body, scope)
        for name in bodies.assigned(statement):
            scope[name] = UNKNOWN
        for _ in self._alternatives([handler.body for handler in statement.handlers], scope):
            pass
        flow = Flow.ON if statement.handlers else flow
        self.run(statement.orelse, scope)
        last = self.run(statement.finalbody, scope)
        return flow if last is Flow.ON else last


def _head(statement: ast.While | ast.Match) -> ast.expr:
    return statement.subject if isinstance(statement, ast.Match) else statement.test
