"""What peers made of streams is kept on disk: they do not change, and some take minutes.

A file is found again as long as the stream, its trials, the sources of the peer and of what all peers share, and the
version of its package are the same.
"""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path

import kineseg_core
import numpy as np
from kineseg_core.inference.bundle import load_bundle, packaged_bundle

from evaluation import kept_arrays
from evaluation.alerts import watch
from evaluation.alerts.peers import SURPRISE, Peer, components, signal
from evaluation.alerts.stream import AlertStream
from evaluation.alerts.trials import Trial
from evaluation.alerts.watch import Seen, Watched

_WATCHES = "anomalies"  # the room of the core that surprise does not depend on


@dataclass(frozen=True)
class PeerCache:
    """A folder of what peers made of streams.

    Attributes:
        folder: Where; made when first written to.
        fresh: Whether to find nothing, so that all peers run anew.
    """

    folder: Path
    fresh: bool = False

    def find(self, peer: Peer, stream: AlertStream, trials: Sequence[Trial]) -> Watched | None:
        """What `peer` made of a stream and its trials; None if that is not known."""
        kept = None if self.fresh else kept_arrays.read(self._path(peer, stream, trials))
        if kept is None:
            return None
        edges = np.cumsum([len(trial.times) for trial in trials])[:-1]
        faulty = np.split(kept["faulty"], edges) if trials else []
        return Watched(Seen(kept["clean"]), tuple(map(Seen, faulty)), float(kept["cpu_s"]))

    def keep(self, peer: Peer, stream: AlertStream, trials: Sequence[Trial], watched: Watched) -> None:
        """For `find` to find."""
        faulty = np.concatenate([np.empty(0), *(seen.scores for seen in watched.faulty)])
        path = self._path(peer, stream, trials)
        kept_arrays.write(path, clean=watched.clean.scores, faulty=faulty, cpu_s=watched.cpu_s)

    def _path(self, peer: Peer, stream: AlertStream, trials: Sequence[Trial]) -> Path:
        made_of = hashlib.sha256(f"{peer.name} {peer.settings} {stream.recording.rate!r} {stream.units}".encode())
        for array in (stream.values, stream.times, *(part for trial in trials for part in (trial.values, trial.times))):
            made_of.update(np.ascontiguousarray(array).tobytes())
        made_of.update(_sources(peer))
        return kept_arrays.place(self.folder, peer.name, made_of.hexdigest())


@cache
def _sources(peer: Peer) -> bytes:
    own = inspect.getsourcefile(peer.make)
    assert own is not None  # peers are written in Python
    files = [Path(own), *(Path(str(module.__file__)) for module in (watch, signal, components))]
    made_of = hashlib.sha256()
    if peer.name == SURPRISE:
        core = Path(str(kineseg_core.__file__)).parent
        files += [file for file in sorted(core.rglob("*.py")) if _WATCHES not in file.parts]
        if (bundle := packaged_bundle()) is not None:
            made_of.update(load_bundle(bundle).sha256.encode())
    else:
        made_of.update(version(peer.package).encode())
    for file in files:
        made_of.update(file.read_bytes())
    return made_of.digest()
