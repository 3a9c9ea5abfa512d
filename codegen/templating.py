"""Rendering of our own templates."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from jinja2 import Environment, FileSystemLoader, StrictUndefined

TEMPLATES: Final = Path(__file__).parent / "templates"


def render(template: str, **context: object) -> str:
    """Render a template, named by its path under templates/; an undefined name is an error."""
    environment = Environment(  # noqa: S701  # the output is Python and Markdown, where HTML escapes are wrong
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        keep_trailing_newline=True,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(context)
