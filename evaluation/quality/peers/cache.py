"""What peers said is kept on disk: they never change, and some take minutes.

A file is found again as long as the stream, the canonical pose made of it, the peer's source, that of what all peers
share, and the version of the peer's package are the same.
"""

from __future__ import annotations

import hashlib
import inspect
from dataclasses import dataclass
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

import numpy as np

from evaluation import kept_arrays
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
        kept = None if self.fresh else kept_arrays.read(self._path(peer, stream))
        if kept is None:
            return None
        labels = kept["labels"] if len(kept["labels"]) else None
        return Prediction(kept["boundaries"], kept["emitted"], labels), float(kept["cpu_s"])

    def keep(self, peer: Peer, stream: AnnotatedStream, said: Prediction, cpu_s: float) -> None:
        """For `find` to find."""
        labels = np.empty(0, dtype=np.int64) if said.labels is None else said.labels
        path = self._path(peer, stream)
        kept_arrays.write(path, boundaries=said.boundaries, emitted=said.emitted, labels=labels, cpu_s=cpu_s)

    def _path(self, peer: Peer, stream: AnnotatedStream) -> Path:
        made_of = hashlib.sha256(_digest(stream))
        for part in (peer.name, peer.settings, version(peer.package)):
            made_of.update(part.encode() + b"\0")
        for code in (inspect.getsourcefile(peer.boundaries), centroids.__file__, signal.__file__):
            assert code is not None  # peers are written in Python
            made_of.update(Path(code).read_bytes())
        return kept_arrays.place(self.folder, peer.name, made_of.hexdigest())


@lru_cache(maxsize=64)  # of one set, for peer after peer
def _digest(stream: AnnotatedStream) -> bytes:
    made_of = hashlib.sha256(f"{stream.rate!r} {stream.labels is None}".encode())
    made_of.update(np.ascontiguousarray(stream.recording.frames).tobytes())
    made_of.update(np.ascontiguousarray(stream.signal(_SEEN_AT)).tobytes())
    return made_of.digest()
