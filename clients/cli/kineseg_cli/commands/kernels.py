"""`kineseg kernels`: compiles ahead what servers otherwise compile at their first start."""

from __future__ import annotations

from rich.console import Console

from kineseg_cli.extras import needed
from kineseg_cli.failures import CommandError
from kineseg_cli.standard_output import print_line


def kernels() -> None:
    """Compile the kernels ahead: for container images, or so that no first start has to."""
    with needed("service", "compiling"):
        from kineseg_core.ahead import compile_ahead
        from kineseg_service.compiling import compilation_shown
    with compilation_shown() as said:
        folder = compile_ahead(said)
    if folder is None:
        raise CommandError("compiled kernels cannot be kept: name a folder that can be written in NUMBA_CACHE_DIR")
    print_line(f"The kernels are compiled: {folder}", Console())
