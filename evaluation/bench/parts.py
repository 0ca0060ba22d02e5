"""What a part of the bench gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.table import Table

Rows = list[dict[str, Any]]
Report = tuple[Rows, Table]
"""What was measured, as rows for JSON, and as a table to look at."""
Part = Callable[[float], Report]
"""Measures for about so many seconds a load."""
