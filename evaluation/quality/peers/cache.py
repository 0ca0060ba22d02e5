"""What peers said is kept on disk: they never change, and some take minutes.

A file is found again as long as the stream, the canonical pose made of it, the peer's source, that of what all peers
share, and the version of the peer's package are the same.
"""

from __future__ import annotations

import hashlib
import inspect
import os
import re
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from evaluation.quality.peers import centroids, signal
from evaluation.quality.peers.peer import Peer
from evaluation.quality.scores import Prediction
from evaluation.quality.stream import AnnotatedStream

_SEEN_AT = 10.0  # Hz, of the pose that goes into the name


@dataclass(frozen=True)
class PeerCache:
    """A folder of predictions.

    Attributes:
        folder: Where; made when first written to.
        fresh: Whether to find nothing, so that all peers run anew.
    """

    folder: Path
    fresh: bool = False

    def find(self, peer: Peer, stream: AnnotatedStream) -> tuple[Prediction, float] | None:
        """What `peer` said about `stream`, and the CPU seconds that it took; None if that is not known."""
        path = self._path(peer, stream)
        if self.fresh or not path.is_file():
            return None
        try:
            with path.open("rb") as file, np.load(file) as kept:
                labels = kept["labels"] if len(kept["labels"]) else None
                return Prediction(kept["boundaries"], kept["emitted"], labels), float(kept["cpu_s"])
        except (OSError, ValueError, KeyError, zipfile.BadZipFile):
            return None  # cut off while it was written: as if it were not there

    def keep(self, peer: Peer, stream: AnnotatedStream, said: Prediction, cpu_s: float) -> None:
        """For `find` to find."""
        path = self._path(peer, stream)
        path.parent.mkdir(parents=True, exist_ok=True)
        unfinished = path.with_suffix(f".{os.getpid()}.npz")
        labels = np.empty(0, dtype=np.int64) if said.labels is None else said.labels
        np.savez_compressed(
            unfinished, boundaries=said.boundaries, emitted=said.emitted, labels=labels, cpu_s=np.float64(cpu_s)
        )
        unfinished.replace(path)

    def _path(self, peer: Peer, stream: AnnotatedStream) -> Path:
        made_of = hashlib.sha256(_digest(stream))
        for part in (peer.name, peer.settings, version(peer.package)):
            made_of.update(part.encode() + b"\0")
        for code in (inspect.getsourcefile(peer.boundaries), centroids.__file__, signal.__file__):
            assert code is not None  # peers are written in Python
            made_of.update(Path(code).read_bytes())
        name = "-".join(re.findall("[a-z0-9]+", peer.name.lower()))
        return self.folder / name / f"{made_of.hexdigest()[:32]}.npz"


@lru_cache(maxsize=64)  # of one set, for peer after peer
def _digest(stream: AnnotatedStream) -> bytes:
    made_of = hashlib.sha256(f"{stream.rate!r} {stream.labels is None}".encode())
    made_of.update(np.ascontiguousarray(stream.recording.frames).tobytes())
    made_of.update(np.ascontiguousarray(stream.signal(_SEEN_AT)).tobytes())
    return made_of.digest()
