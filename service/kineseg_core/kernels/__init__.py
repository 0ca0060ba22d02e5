"""``@kernel``: a function of arrays and numbers, compiled once per machine and state of the code."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numba
from numba.core import event, registry

from kineseg_core.kernels.kept import KernelCache, kept_in
from kineseg_core.kernels.parts import COMPILER

_CONFIG: Any = numba.config
_REGISTRY: Any = registry
_EVENTS: Any = event

_log = logging.getLogger("kineseg")

KERNELS: set[str] = set()
"""Names of all that have been imported."""


def name_of(function: Callable[..., Any]) -> str:
    """Of a kernel, among all of them."""
    return f"{function.__module__}.{function.__qualname__}"


def kernel(*, nogil: bool = False, inlined: bool = False) -> Callable[[Callable[..., Any]], Any]:
    """Compiles a function when it is first called with arguments of some types; division by 0 is as NumPy's.

    What is compiled is kept in the user's cache folder, or where ``NUMBA_CACHE_DIR`` says; not at all if neither can be
    written. What a kernel is made of is kept with it alone.

    Args:
        nogil: Whether other threads run meanwhile.
        inlined: Whether it becomes part of each kernel that calls it, and neither makes arrays nor counts references to
            them: of one that does little and is called often, most of the time goes to that, and to being given them.
            It must return no array.
    """

    def compiled(function: Callable[..., Any]) -> Any:
        if _CONFIG.DISABLE_JIT:
            return function
        KERNELS.add(name_of(function))
        return _Kernel(
            function,
            {
                "nopython": True,
                "boundscheck": None,
                "error_model": "numpy",
                "nogil": nogil,
                "forceinline": inlined,
                "_nrt": not inlined,
            },
        )

    return compiled


class _Kernel(_REGISTRY.CPUDispatcher):  # type: ignore[misc]
    """Two of numba's dispatchers: this one is called from Python, the other one by kernels."""

    def __init__(self, function: Callable[..., Any], options: dict[str, Any]) -> None:
        super().__init__(function, targetoptions=options)
        as_part = {**options, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
        self._part = _REGISTRY.CPUDispatcher(function, targetoptions=as_part, pipeline_class=COMPILER)
        if kept_in():
            self._cache = KernelCache(function)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        """What a kernel that calls this one asks for when its types are found."""
        return self._part.get_call_template(args, kws)

    def get_overload(self, sig: Any) -> Any:
        """The same when its code is made."""
        return self._part.get_overload(sig)


class Compiled(_EVENTS.Listener):  # type: ignore[misc]
    """Hears of every kernel that is compiled in this process.

    Args:
        hear: Is called with its name.
    """

    def __init__(self, hear: Callable[[str], None]) -> None:
        self._hear = hear

    def on_start(self, event: Any) -> None:
        """See `numba.core.event`, as for what follows."""

    def on_end(self, event: Any) -> None:
        name = name_of(event.data["dispatcher"].py_func)
        if name in KERNELS:  # numba makes functions of its own
            self._hear(name)


class _FirstCompilation(_EVENTS.Listener):  # type: ignore[misc]
    """Says once in a process why it takes so long."""

    is_said = False

    def on_start(self, event: Any) -> None:
        if not self.is_said and name_of(event.data["dispatcher"].py_func) in KERNELS:
            _FirstCompilation.is_said = True
            _log.warning("compiling kernels, which takes a minute or two, once after an installation or an update")

    def on_end(self, event: Any) -> None:
        pass


def progress_is_said_elsewhere() -> None:
    """This process says by itself that it compiles."""
    _FirstCompilation.is_said = True


_EVENTS.register("numba:compile", _FirstCompilation())
