"""Kernels that are part of others, compiled only as far as that takes.

Numba makes of every function that a kernel calls a library of its own: optimized, with machine code, and with entries
for Python and for C. Nothing of it is used but the code for linking. Without the rest compiling takes half as long.

That is done by what numba keeps to itself, as it is in one version. With others kernels are compiled as numba does.
"""

from __future__ import annotations

from typing import Any

import numba
from numba import _dynfunc  # type: ignore[attr-defined]
from numba.core import codegen, compiler, compiler_machinery, typed_passes

_DYNFUNC: Any = _dynfunc
_CODEGEN: Any = codegen
_COMPILER: Any = compiler
_MACHINERY: Any = compiler_machinery
_PASSES: Any = typed_passes
_KNOWN = "0.68."


class _PartLibrary(_CODEGEN.JITCodeLibrary):  # type: ignore[misc]
    """Code to be linked into that of a kernel."""

    def _finalize_final_module(self) -> None:
        self._finalize_dynamic_globals()
        self._finalized = True


class _InlinedLibrary(_PartLibrary):
    """Of what is optimized where it is inlined, which is everywhere."""

    def _optimize_final_module(self) -> None:
        cheap, passes = self._codegen._module_pass_manager(
            loop_vectorize=False, slp_vectorize=False, opt=0, cost="cheap"
        )
        cheap.run(self._final_module, passes)


@_MACHINERY.register_pass(mutates_CFG=True, analysis_only=False)
class _PartLowering(_PASSES.NativeLowering):  # type: ignore[misc]
    """Makes code for linking, and none to be run."""

    _name = "kineseg_part_lowering"

    def run_pass(self, state: Any) -> bool:
        library = _InlinedLibrary if state.flags.forceinline else _PartLibrary
        state.library = library(state.targetctx.codegen(), state.func_id.func_qualname)
        state.flags.no_compile = True
        super().run_pass(state)
        described, environment = state["cr"].fndesc, state["cr"].env
        # What callers know it by. It cannot be run: a kernel gives only its other half to Python.
        known_by = _DYNFUNC.make_function(
            described.lookup_module(), described.qualname, described.qualname, 0, environment, (state.library,)
        )
        state.targetctx.insert_user_function(known_by, described, [state.library])
        state.reload_init.extend(state.library._reload_init)
        state["cr"] = state["cr"]._replace(cfunc=known_by)
        return True


class PartCompiler(_COMPILER.CompilerBase):  # type: ignore[misc]
    """As numba compiles, but for the last step."""

    def define_pipelines(self) -> list[Any]:
        """See `numba.core.compiler.CompilerBase`."""
        passes = _COMPILER.DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.passes = [
            (_PartLowering if each is _PASSES.NativeLowering else each, said) for each, said in passes.passes
        ]
        passes.finalize()
        return [passes]


COMPILER: Any = PartCompiler if numba.__version__.startswith(_KNOWN) else _COMPILER.Compiler
"""What compiles a kernel that is part of others."""
