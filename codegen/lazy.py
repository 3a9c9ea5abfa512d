"""Client packages that load nothing until a name is used.

A generator writes an `__init__` that imports everything, or nothing. The first makes the mere import of a client cost
the HTTP library and every model; the second makes `from vcd_client import api` useless, because `api.workflows` is not
an attribute before someone imported it. So each `__init__` is replaced, with the names it imported: submodules and
names become attributes that load on first access (PEP 562). What type checkers see moves to a stub beside it: a block
under `TYPE_CHECKING` would be compiled and loaded too, and is most of the cost of a package with hundreds of names.
"""

from __future__ import annotations

import ast
from pathlib import Path

from codegen.output import format_python
from codegen.templating import render


def make_lazy(package: Path) -> None:
    """Replace the `__init__` of a package and of every package in it; they export what they exported before."""
    for init in sorted(package.rglob("__init__.py")):
        module = ast.parse(init.read_text("utf-8"))
        context = {"docstring": ast.get_docstring(module), "modules": _submodules(init.parent) | _exports(module)}
        stub = init.with_suffix(".pyi")
        init.write_text(render("lazy/__init__.py.j2", **context), "utf-8")
        stub.write_text(render("lazy/__init__.pyi.j2", **context), "utf-8")
        format_python(init, stub)


def _submodules(folder: Path) -> dict[str, list[str]]:
    names = {path.stem for path in folder.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    return {name: [] for name in sorted(names) if not name.startswith("_")}


def _exports(init: ast.Module) -> dict[str, list[str]]:
    exports: dict[str, list[str]] = {}
    for node in ast.walk(init):
        if isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
            exports.setdefault(node.module, []).extend(alias.name for alias in node.names)
    return {name: sorted(names) for name, names in exports.items()}
