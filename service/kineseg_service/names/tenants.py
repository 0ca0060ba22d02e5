"""The name banks of every tenant: each has a file of its own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from kineseg_core.inference.bundle import Bundle

from kineseg_service.access.caller import DEFAULT_TENANT
from kineseg_service.names.keeper import Everywhere, NameKeeper


class TenantNames:
    """What every tenant has taught. To be used in one event loop.

    Args:
        bundles: The models, by name.
        path: The bank of the default tenant; that of "lab" is "names.lab.json" beside "names.json". None: nothing can
            be taught.
        everywhere: The other processes; none: this is the only one.

    Raises:
        BadBank: The default tenant's file is not a bank or cannot be written, or its points are not of a model's
            dimensions.
    """

    def __init__(self, bundles: Mapping[str, Bundle], path: Path | None, everywhere: Everywhere | None = None) -> None:
        self._bundles = bundles
        self._path = path
        self._everywhere = everywhere
        self._keepers: dict[str, NameKeeper] = {}
        self.of(DEFAULT_TENANT)

    def of(self, tenant: str) -> NameKeeper:
        """Those of one tenant.

        Raises:
            BadBank: Its bank cannot be used.
        """
        keeper = self._keepers.get(tenant)
        if keeper is None:
            keeper = NameKeeper(self._bundles, self._path and bank_of(self._path, tenant), self._everywhere)
            self._keepers[tenant] = keeper
        return keeper

    async def reload(self) -> None:
        """Takes over what another process has written.

        Raises:
            BadBank: A file is not a bank any more.
        """
        for keeper in list(self._keepers.values()):
            await keeper.reload()


def bank_of(path: Path, tenant: str) -> Path:
    """Where the names of a tenant are kept."""
    return path if tenant == DEFAULT_TENANT else path.with_suffix(f".{tenant}{path.suffix}")
