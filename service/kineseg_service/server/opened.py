"""What a server opens as its settings say, and what of it may fail in words of the settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kineseg_core.errors import CannotStart

from kineseg_service.config import Settings
from kineseg_service.stores.opening import open_store, read_key
from kineseg_service.stores.store import Store, StoreFailed
from kineseg_service.traces import Traces

if TYPE_CHECKING:
    from kineseg_service.stores.sealing import Seal


def opened_store(settings: Settings) -> tuple[Store, Seal] | None:
    """The store of streams and what seals them there; none: they are kept in memory alone.

    Raises:
        BadSetting: The key cannot be used.
        CannotStart: The store cannot be opened.
    """
    key = read_key(settings.store_key)
    try:
        store = open_store(settings.store)
    except StoreFailed as error:
        raise CannotStart(f"store: {error}") from error
    except ModuleNotFoundError as error:
        raise CannotStart(f"store: it needs {error.name}: pip install 'kineseg[redis]'") from error
    if store is None:
        return None
    from kineseg_service.stores.sealing import Seal  # takes long, and is needed only here

    return store, Seal(key)


def opened_traces(settings: Settings) -> Traces | None:
    """Where spans go, if they are wanted."""
    return Traces(settings.traces, settings.traces_ratio, settings.server_id) if settings.traces else None
