"""Fuzzes one reader, guided by what of its code runs: python -m evaluation.chaos.fuzz_reader READER CORPUS SECONDS

Needs atheris (the extra `fuzz`). Ends with a status that is not 0 where the reader raised what it should not, or took
more time or memory than it may.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from pathlib import Path

import atheris

# Their code is watched; kernels are not, as they are compiled from code that is as it was written.
_WATCHED = [
    "kineseg.motion",
    "kineseg_core.inference.bundle",
    "kineseg_core.kept",
    "kineseg_core.naming",
    "kineseg_core.rules",
    "kineseg_core.profile_json",
    "kineseg_core.snapshot",
    "kineseg_service.access.token_file",
    "kineseg_service.streams.record",
]
MOST_S, MOST_MIB, MOST_BYTES = 10, 2048, 1 << 16
"""What one file may take, and how large it is at most."""


def main() -> None:
    name, corpus, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    with atheris.instrument_imports(include=_WATCHED):
        from evaluation.chaos.readers import READERS
    reader = READERS[name]
    for number, seed in enumerate(reader.seeds()):
        (corpus / f"seed-{number}").write_bytes(seed)
    folder = Path(tempfile.mkdtemp(dir=corpus.parent))
    # What whoever started this had in memory at most counts as had by this, too.
    before_mib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    limits = [f"-timeout={MOST_S}", f"-rss_limit_mb={before_mib + MOST_MIB}", f"-max_len={MOST_BYTES}"]
    options = [
        f"-max_total_time={max(1, round(seconds))}",
        f"-artifact_prefix={corpus.parent}/",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], str(corpus), *limits, *options], lambda data: reader.try_on(data, folder))
    atheris.Fuzz()


if __name__ == "__main__":
    main()
