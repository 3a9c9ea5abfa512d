"""The provider's registry -> Python constructs.

A back end is one `Backend`: templates, and the toolkit that they import. The types of arguments, the provider's checks
and the handling of expressions are shared by all back ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from codegen.described import context
from codegen.output import finish_package, format_python
from codegen.registry import Registry
from codegen.templating import render

PACKAGE: Final = "workflow_constructs"
_ORIGIN: Final = "the provider's schema"


@dataclass(frozen=True, slots=True)
class Backend:
    """A toolkit that constructs are generated for; `modules` maps a module to its template."""

    library: str
    modules: Mapping[str, str]


SHARED: Final = Backend("", {name: name for name in ("expressions", "models", "node", "validation")})
BACKENDS: Final = (Backend("cdktf", {"_cdktf": "cdk_base", "cdktf": "cdk"}),)


def generate(registered: Registry, package: Path) -> None:
    """Generate the package of constructs."""
    package.mkdir(parents=True)
    (package / "__init__.py").write_text('"""Typed constructs that declare workflow runs from Python."""\n', "utf-8")
    for backend in (SHARED, *BACKENDS):
        described = context(registered, backend.library)
        for module, template in backend.modules.items():
            text = render(f"constructs/{template}.py.j2", **described)
            (package / f"{module}.py").write_text(text, "utf-8")
    format_python(package, fix=True)
    finish_package(package, _ORIGIN)
