"""Mutants of the rules of life: the same module with one thing in it turned into its opposite.

They are made from the syntax tree, and put into the running module: a function gets the code of its mutant, a table
loses a row. So every other module works with the mutant, and no enum is there twice.
"""

from __future__ import annotations

import ast
import copy
import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any, Final

from provider_py.execution import life

_OPPOSITES: Final[dict[type[ast.cmpop], type[ast.cmpop]]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """One change: its name, and what puts it in force in this process."""

    name: str
    apply: Callable[[], None]


def mutants() -> Sequence[Mutant]:
    """Return all mutants."""
    return [*_of_functions(), *_of_transitions(), *_of_verdicts()]


def _of_transitions() -> Iterator[Mutant]:
    table: Any = life.TRANSITIONS
    for place, event in table:
        yield Mutant(f"transition {place.name} {event.name} switched off", functools.partial(table.pop, (place, event)))


def _of_verdicts() -> Iterator[Mutant]:
    table: Any = life.VERDICTS
    for ending, right in table.items():
        for wrong in life.Verdict:
            if wrong is not right and wrong in set(table.values()):
                yield Mutant(f"verdict {ending.name} {wrong.name}", functools.partial(table.update, {ending: wrong}))


def _of_functions() -> Iterator[Mutant]:
    source = ast.parse(inspect.getsource(life))
    for path, function in _functions(source, ()):
        changes = list(_changes(function))
        names = [f"{'.'.join(path)}:{what}" for what, _ in changes]
        for number, (_, change) in enumerate(changes):
            repeated = names[: number + 1].count(names[number])
            name = names[number] if names.count(names[number]) == 1 else f"{names[number]} #{repeated}"
            yield Mutant(name, functools.partial(_put, source, path, change))


def _functions(node: ast.AST, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], ast.FunctionDef]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef):
            if not any(isinstance(base, ast.Name) and base.id == "Protocol" for base in child.bases):
                yield from _functions(child, (*path, child.name))
        elif isinstance(child, ast.FunctionDef):
            yield (*path, child.name), child


Change = tuple[int, Callable[[Any], ast.AST]]
"""The position of a node in its function's walk, and what it becomes."""


def _changes(function: ast.FunctionDef) -> Iterator[tuple[str, Change]]:
    docstrings = {id(each.value) for each in ast.walk(function) if isinstance(each, ast.Expr)}
    for place, node in enumerate(ast.walk(function)):
        if id(node) not in docstrings:
            for what, become in _becomes(node):
                yield f"{what} in `{_text(node)}`", (place, become)


def _becomes(node: ast.AST) -> Iterator[tuple[str, Callable[[Any], ast.AST]]]:
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in _OPPOSITES:
            opposite = _OPPOSITES[type(operator)]
            yield opposite.__name__, lambda node: ast.Compare(node.left, [opposite()], node.comparators)
        case ast.BoolOp(operation, values):
            other = ast.Or() if isinstance(operation, ast.And) else ast.And()
            yield type(other).__name__, lambda node: ast.BoolOp(other, node.values)
            for number in range(len(values)):
                yield f"without #{number}", functools.partial(_without, number)
        case ast.UnaryOp(ast.Not()):
            yield "no not", lambda node: node.operand
        case ast.Return(ast.Constant(bool())):
            yield "the opposite", lambda node: ast.Return(ast.Constant(not node.value.value))
        case ast.IfExp():
            yield "otherwise", lambda node: ast.IfExp(node.test, node.orelse, node.body)
        case ast.BinOp(_, ast.Add(), ast.Constant(int())):
            yield "nothing added", lambda node: node.left
        case ast.Call(ast.Name("min" | "max" as name)):
            swapped = {"min": "max", "max": "min"}[name]
            yield swapped, lambda node: ast.Call(ast.Name(swapped, ast.Load()), node.args, node.keywords)


def _without(number: int, node: ast.BoolOp) -> ast.AST:
    rest = [each for place, each in enumerate(node.values) if place != number]
    return rest[0] if len(rest) == 1 else ast.BoolOp(node.op, rest)


def _text(node: ast.AST) -> str:
    text = " ".join(ast.unparse(node).split())
    return text if len(text) <= 100 else f"{text[:97]}..."


def _compiled(source: ast.Module, path: tuple[str, ...], change: Change) -> CodeType:
    tree = copy.deepcopy(source)
    function = dict(_functions(tree, ()))[path]
    place, become = change
    target = list(ast.walk(function))[place]
    changed = _Replacing(target, become).visit(function)
    assert changed is function
    code = compile(ast.fix_missing_locations(tree), "<mutant>", "exec")
    for name in path:
        code = next(each for each in code.co_consts if isinstance(each, CodeType) and each.co_name == name)
    return code


class _Replacing(ast.NodeTransformer):
    def __init__(self, target: ast.AST, become: Callable[[Any], ast.AST]) -> None:
        self._target = target
        self._become = become

    def visit(self, node: ast.AST) -> Any:
        return self._become(node) if node is self._target else super().generic_visit(node)


def _put(source: ast.Module, path: tuple[str, ...], change: Change) -> None:
    _function(vars(life), path).__code__ = _compiled(source, path, change)


def _function(namespace: Any, path: tuple[str, ...]) -> FunctionType:
    found = namespace[path[0]]
    for name in path[1:]:
        found = vars(found)[name]
    if isinstance(found, property):
        found = found.fget
    assert isinstance(found, FunctionType)
    return found
