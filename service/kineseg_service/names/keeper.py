"""The server's name bank: loaded at its start, written on every change, and handed to the streams of each model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Protocol

from kineseg_core.errors import BadBank, CannotTeach, InvalidRequest, StepFailed, UnknownModel
from kineseg_core.inference.bundle import Bundle
from kineseg_core.naming.bank import Example, NameBank, NamedExamples
from kineseg_core.naming.known import KnownNames

from kineseg_service.logs import get_logger

_log = get_logger(__name__)


class Everywhere(Protocol):
    """The other processes that use the bank."""

    def alone(self) -> AbstractAsyncContextManager[None]:
        """None of them changes the bank meanwhile."""

    async def changed(self) -> None:
        """The bank has been written: all of them, and this one, call `NameKeeper.reload`."""


class NameKeeper:
    """Teaches and forgets names. To be used in one event loop.

    Args:
        bundles: The models, by name.
        path: The bank's file; none: nothing can be taught.
        everywhere: The other processes; none: this is the only one.

    Raises:
        BadBank: The file is not a bank or cannot be written, or its points are not of a model's dimensions.
    """

    def __init__(self, bundles: Mapping[str, Bundle], path: Path | None, everywhere: Everywhere | None = None) -> None:
        self._everywhere = everywhere
        self._bundles = bundles
        self._path = path
        self._known = {name: KnownNames() for name in bundles}
        self._writing = asyncio.Lock()
        self._reloading = asyncio.Lock()
        self._bank = NameBank()
        if path is not None:
            self._bank = NameBank.load(path)
            NameBank.check_writable(path)  # now, not when somebody teaches the first name
        for model, sha256 in sorted({(taught.model, taught.sha256) for taught in self._bank.entries}):
            self._look_at(model, sha256)
        self._hand_out()

    def known(self, model: str) -> KnownNames:
        """What has been taught for a model, as it is now and whenever it changes."""
        return self._known[model]

    def names(self, model: str = "") -> list[NamedExamples]:
        """What has been taught, for one model or for all."""
        return [taught for taught in self._bank.entries if model in ("", taught.model)]

    def in_use(self, taught: NamedExamples) -> bool:
        """Whether streams get that name: the server runs the very graph that the examples are of."""
        bundle = self._bundles.get(taught.model)
        return bundle is not None and bundle.sha256 == taught.sha256

    async def teach(self, name: str, model: str, example: Example, sha256: str = "") -> NamedExamples:
        """Adds an example of a name; segments decided from now on are named by it.

        Args:
            name: The name.
            model: Name of the model that the point is of.
            example: The point, and where it comes from.
            sha256: Of the graph that made the point; empty: the model's.

        Raises:
            CannotTeach: There is no bank, the model cannot learn names, or the point is of another graph.
            UnknownModel: There is no such model.
            InvalidRequest: The name or the point cannot be used; names the field.
        """
        self._writable()
        bundle = self._bundles.get(model)
        if bundle is None:
            known = ", ".join(self._bundles) or "none that can learn names"
            raise UnknownModel(f"there is no model {model[:64]!r} to teach; there are: {known}", field="point.model")
        if sha256 not in ("", bundle.sha256):
            raise CannotTeach(
                f"the point was made by another graph than that of model {model!r} here (sha256 {sha256[:12]}..., not "
                f"{bundle.sha256[:12]}...): teach it from the recording",
                field="point.model_sha256",
                reason="MODEL_CHANGED",
            )
        if len(example.point) != bundle.embedding_dim:
            raise InvalidRequest(
                f"the point has {len(example.point)} numbers, the embedding of model {model!r} has "
                f"{bundle.embedding_dim}",
                field="point.embedding",
            )
        async with self._alone():
            await self._write(self._bank.teach(name, model, bundle.sha256, example))
        _log.info("name taught", model=model, name=name, source=example.source)
        return self._bank.find(name, model, bundle.sha256)

    async def forget(self, name: str, model: str = "") -> int:
        """Forgets a name, for one model or for all, and returns the number of examples that are gone.

        Raises:
            CannotTeach: There is no bank.
            UnknownName: No such name has been taught.
        """
        self._writable()
        async with self._alone():
            bank, examples = self._bank.forget(name, model)
            await self._write(bank)
        _log.info("name forgotten", name=name, examples=examples)
        return examples

    async def reload(self) -> None:
        """Takes over what another process has written.

        Raises:
            BadBank: The file is not a bank any more.
        """
        if self._path is not None:
            async with self._reloading:  # so that the last to be read is the last to be used
                self._bank = await asyncio.to_thread(NameBank.load, self._path)
                self._hand_out()

    @asynccontextmanager
    async def _alone(self) -> AsyncIterator[None]:
        """No one else changes the bank meanwhile, which is as it was left last."""
        async with self._writing:
            if self._everywhere is None:
                yield
            else:
                async with self._everywhere.alone():
                    await self.reload()
                    yield

    def _writable(self) -> None:
        if self._path is None:
            raise CannotTeach(
                "the server keeps no name bank: start it with --label-bank FILE (KINESEG_LABEL_BANK)",
                field="label_bank",
                reason="NAME_BANK_MISSING",
            )

    async def _write(self, bank: NameBank) -> None:
        """First the file, then the streams: what cannot be kept is not used either."""
        assert self._path is not None
        try:
            await asyncio.to_thread(bank.save, self._path)
        except OSError as error:
            failure = StepFailed("the name bank could not be written")
            _log.exception("the name bank could not be written", path=str(self._path), error_id=failure.error_id)
            raise failure from error
        self._bank = bank
        self._hand_out()
        if self._everywhere is not None:
            await self._everywhere.changed()

    def _hand_out(self) -> None:
        for name, bundle in self._bundles.items():
            self._known[name].replace(self._bank.examples(name, bundle.sha256))

    def _look_at(self, model: str, sha256: str) -> None:
        bundle = self._bundles.get(model)
        if bundle is None:
            _log.warning("names of a model that is not served are not used", bank=str(self._path), model=model)
        elif bundle.sha256 != sha256:
            _log.warning(
                "names taught for another version of a model are not used: teach them again",
                bank=str(self._path), model=model, taught_for=sha256, served=bundle.sha256,
            )  # fmt: skip
        else:
            for name, point in self._bank.examples(model, sha256):
                if len(point) != bundle.embedding_dim:
                    reason = f"{name!r} has an example of {len(point)} numbers, the embedding of model {model!r} has "
                    raise BadBank(self._path, f"{reason}{bundle.embedding_dim}")
