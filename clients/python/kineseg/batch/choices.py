"""How the files of an archive are read and segmented."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from kineseg._version import __version__
from kineseg.motion.tables import TableLayout
from kineseg.motion.upright import UpChoice


@dataclass(frozen=True, slots=True, kw_only=True)
class Choices:
    """What holds for all files of an archive. Plain values, so that it can be sent to other processes and machines.

    Attributes:
        server: ``host:port`` of the server that segments; None: each process does it itself (``kineseg[local]``).
        model: Name of the model; empty: the server's default, or ``"motion"``. Without a server also the path of a
            bundle.
        rate: See `kineseg.motion.read`.
        up: See `kineseg.motion.read`.
        mapping: See `kineseg.motion.read`.
        layout: See `kineseg.motion.read`.
        latency_s: See `kineseg.StreamConfig`.
        boundary_threshold: See `kineseg.StreamConfig`.
        name_bank: File of taught names, see `kineseg.segment`; a server has its own.
    """

    server: str | None = None
    model: str = ""
    rate: float | None = None
    up: UpChoice = "auto"
    mapping: Mapping[str, str] = field(default_factory=dict)
    layout: TableLayout = "auto"
    latency_s: float | None = None
    boundary_threshold: float | None = None
    name_bank: str | None = None

    def key(self, file: str, model: str) -> str:
        """What stands for the result of a file: another one wherever the result may be another.

        Args:
            file: Path of the file.
            model: What identifies the model, such as the hash of its graph.

        Raises:
            OSError: The file is not there.
        """
        status = Path(file).stat()
        # Whoever segments, the segments are the same.
        chosen = {name: value for name, value in asdict(self).items() if name not in ("server", "name_bank")}
        bank = "" if self.name_bank is None else hashlib.sha256(Path(self.name_bank).read_bytes()).hexdigest()
        parts = [__version__, model, bank, chosen, file, status.st_size, status.st_mtime_ns]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]
