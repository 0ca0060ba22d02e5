"""Says where long names and addresses may go over to another line: behind what joins their parts."""

from __future__ import annotations

import re
from typing import Any

from sphinx.application import Sphinx

_CODE = re.compile(r'(?<=<span class="pre">)[^<]{16,}(?=</span></code>)')
_JOINT = re.compile(r"(?<=[_/+=?#])(?=\w)")


def setup(app: Sphinx) -> dict[str, bool]:
    """Sphinx calls it."""
    app.connect("html-page-context", _with_breaks)
    return {"parallel_read_safe": True}


def _with_breaks(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    if body := context.get("body"):
        context["body"] = _CODE.sub(lambda code: _JOINT.sub("<wbr>", code[0]), body)
