"""Makes reStructuredText of our docstrings: code in them is what is indented, with nothing before it."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_SECTION = re.compile(r"[A-Z][A-Za-z, ]*:$")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("autodoc-process-docstring", _mark_code, priority=100)  # before napoleon takes sections apart
    return {"parallel_read_safe": True}


def _mark_code(app: Sphinx, what: str, name: str, obj: Any, options: Any, lines: list[str]) -> None:
    marked: list[str] = []
    in_section = in_code = False
    for line in lines:
        indented = line.startswith("    ")
        if line and not indented:
            in_section, in_code = bool(_SECTION.match(line)), False
        elif indented and not in_section and not in_code and marked and not marked[-1]:
            marked += [".. code-block:: python", ""]
            in_code = True
        marked.append(line)
    lines[:] = marked
