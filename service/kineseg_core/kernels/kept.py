"""Where compiled kernels are kept: a folder for each state of all of them.

Numba renews what it has kept of a function when that function's own file changes. Kernels are compiled into those of
other files that call them, so what is kept is of all of them: an update never runs half of what was before it. Where
the code lies makes no difference: an environment made anew finds what another one has compiled.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shutil
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Self

import numba
import numpy as np
from numba.core import caching
from platformdirs import user_cache_path

_CACHING: Any = caching
_CONFIG: Any = numba.config
_VERSIONS = (numba.__version__, np.__version__)
_PACKAGE = Path(__file__).parent.parent
_MARK = b"@kernel"
_IMPORTED = re.compile(rb"(?m)^from kineseg_core\.([\w.]+) import")
_FOLDER = "kernels"
_UNUSED_DAYS = 30.0


@cache
def kept_in() -> str:
    """The folder for the code as it is, made if need be; empty: there can be none. Perhaps it can only be read."""
    chosen = _CONFIG.CACHE_DIR
    above = (Path(chosen) if chosen else user_cache_path("kineseg", appauthor=False)) / _FOLDER
    folder = above / state_of(_PACKAGE)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return ""
    with contextlib.suppress(OSError):
        os.utime(folder)
        _forget_unused(above)
    return str(folder)


def state_of(package: Path) -> str:
    """What stands for all kernels of a package as they are now, with the constants that they import, and for what
    compiles them."""
    contents = {file: file.read_bytes() for file in package.rglob("*.py")}
    counted = {file for file, content in contents.items() if _MARK in content}
    counted |= {
        package / (name.decode().replace(".", "/") + ".py")
        for file in counted
        for name in _IMPORTED.findall(contents[file])
    }
    made_of = hashlib.sha256(" ".join(_VERSIONS).encode())
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


class _Place(_CACHING._CacheLocator):  # type: ignore[misc]
    """Of one kernel in the folder, by its name."""

    def __init__(self, function: Callable[..., Any], file: str) -> None:
        self._py_file = file  # numba asks for it by this name
        self._line = function.__code__.co_firstlineno
        self._folder = Path(kept_in(), function.__module__.rpartition(".")[0])

    @classmethod
    def from_function(cls, function: Callable[..., Any], file: str) -> Self:
        """See `numba.core.caching`, as for what follows."""
        return cls(function, file)

    def get_cache_path(self) -> str:
        return str(self._folder)

    def get_source_stamp(self) -> str:
        return ""  # the folder is of one state of the source

    def get_disambiguator(self) -> str:
        return str(self._line)


class _PlacedImpl(_CACHING.CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (_Place,)


class KernelCache(_CACHING.Cache):  # type: ignore[misc]
    """Of one kernel, for numba."""

    _impl_class = _PlacedImpl

    def save_overload(self, sig: Any, data: Any) -> None:
        """Keeps it, unless it cannot be written: the folder may be part of an image."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)
