"""``@kernel``: a function of arrays and numbers, compiled once per machine and state of the code.

Numba renews what it has kept of a function when that function's own file changes. Kernels are compiled into those of
other files that call them, so what is kept lies in a folder for each state of all of them: an update never runs
half of what was before it.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numba
from numba.core import event
from platformdirs import user_cache_path

_NUMBA: Any = numba
_CONFIG: Any = numba.config
_EVENTS: Any = event
_MARK = b"@kernel"
_IMPORTED = re.compile(rb"(?m)^from kineseg_core\.([\w.]+) import")
_FOLDER = "kernels"
_UNUSED_DAYS = 30.0

_log = logging.getLogger("kineseg")


def kernel(*, nogil: bool = False, inlined: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Compiles a function when it is first called with arguments of some types; division by 0 is as NumPy's.

    What is compiled is kept in the user's cache folder, or where ``NUMBA_CACHE_DIR`` says; not at all if neither can be
    written.

    Args:
        nogil: Whether other threads run meanwhile.
        inlined: Whether it becomes part of each kernel that calls it, and neither makes arrays nor counts references to
            them: of one that does little and is called often, most of the time goes to that, and to being given them.
            It must return no array.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        folder = _kept_in()
        before = _CONFIG.CACHE_DIR
        _CONFIG.CACHE_DIR = folder  # it is looked at here, not when the kernel is compiled
        try:
            return _NUMBA.njit(
                cache=bool(folder), error_model="numpy", nogil=nogil, forceinline=inlined, _nrt=not inlined
            )(function)
        finally:
            _CONFIG.CACHE_DIR = before

    return compiled


@cache
def _kept_in() -> str:
    """The folder for the code as it is, made if need be; empty: there can be none."""
    chosen = _CONFIG.CACHE_DIR
    above = (Path(chosen) if chosen else user_cache_path("kineseg", appauthor=False)) / _FOLDER
    folder = above / state_of(Path(__file__).parent)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        os.utime(folder)
    except OSError:
        return ""
    if not os.access(folder, os.W_OK):
        return ""
    _forget_unused(above)
    return str(folder)


def state_of(package: Path) -> str:
    """What stands for all kernels of a package as they are now, with the constants that they import."""
    contents = {file: file.read_bytes() for file in package.rglob("*.py")}
    counted = {file for file, content in contents.items() if _MARK in content}
    counted |= {
        package / (name.decode().replace(".", "/") + ".py")
        for file in counted
        for name in _IMPORTED.findall(contents[file])
    }
    made_of = hashlib.sha256()
    for file in sorted(counted & contents.keys()):
        made_of.update(file.relative_to(package).as_posix().encode() + b"\0" + contents[file] + b"\0")
    return made_of.hexdigest()[:16]


def _forget_unused(folder: Path) -> None:
    """Removes what no code has asked for in a month."""
    for each in folder.iterdir():
        try:
            if time.time() - each.stat().st_mtime > _UNUSED_DAYS * 86400.0:
                shutil.rmtree(each)
        except OSError:  # another process removes it, too
            continue


class _FirstCompilation(event.Listener):
    """Says once in a process why it takes so long."""

    is_said = False

    def on_start(self, event: Any) -> None:
        # What numba makes itself has no module.
        module = event.data["dispatcher"].py_func.__module__ or ""
        if not self.is_said and module.startswith(__package__ + "."):
            self.is_said = True
            _log.warning("compiling kernels, which takes a minute or two, once after an installation or an update")

    def on_end(self, event: Any) -> None:
        pass


_EVENTS.register("numba:compile", _FirstCompilation())
