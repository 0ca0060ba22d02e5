"""`python -m kineseg_service.server` runs a server with the settings of the environment."""

from __future__ import annotations

import asyncio
import sys

from kineseg_core.errors import BadBundle, BadFile

from kineseg_service.config import Settings
from kineseg_service.errors import ServerFailed
from kineseg_service.logs import configure_logs, get_logger
from kineseg_service.serving import serve

_log = get_logger(__name__)


def main() -> None:
    """Serves with the settings of the environment until SIGTERM or SIGINT."""
    settings = Settings()
    configure_logs(settings.log_level, settings.log_format)

    try:
        asyncio.run(serve(settings))
    except (BadBundle, BadFile, RuntimeError, ValueError) as error:
        _log.error("cannot start" if not isinstance(error, ServerFailed) else "ended", error=str(error))
        sys.exit(1)


if __name__ == "__main__":
    main()
