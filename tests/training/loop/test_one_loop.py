"""What the documentation says: every model is trained by the one loop."""

from __future__ import annotations

import ast
from pathlib import Path

import kineseg_training

PACKAGE = Path(kineseg_training.__file__).parent


def test_nothing_but_the_loop_takes_a_gradient_step() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "backward"
    }
    assert found == {"loop/task.py"}
