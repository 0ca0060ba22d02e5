"""A command imports what it needs itself, and nothing of what only others do."""

from __future__ import annotations

import subprocess
import sys

_PROGRAM = """
import sys
from kineseg_cli.app import run
status = run(["serve", "--help"])
import kineseg_service.server
loaded = {name for name in sys.modules if name.startswith("kineseg_cli.commands.")} - {"kineseg_cli.commands.serve"}
dear = {"matplotlib", "narwhals", "pandas", "pyarrow", "ray", "sklearn", "torch"} & sys.modules.keys()
sys.exit(f"{loaded | dear}" if loaded | dear else status)
"""


def test_a_server_loads_nothing_of_the_other_commands() -> None:
    done = subprocess.run([sys.executable, "-c", _PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
