"""Fuzzes one reader, guided by what of its code runs: python -m evaluation.chaos.fuzz_reader READER CORPUS SECONDS

Needs atheris (the extra `fuzz`). Ends with a status that is not 0 where the reader raised what it should not, or took
more time or memory than it may.
"""

from __future__ import annotations

import resource
import sys
import tempfile
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import atheris

# Their code is watched; kernels are not, as they are compiled from code that is as it was written.
_WATCHED = [
    "kineseg.motion",
    "kineseg_core.inference.bundle",
    "kineseg_core.inference.bundle_files",
    "kineseg_core.inference.bundle_graph",
    "kineseg_core.inference.golden_steps",
    "kineseg_core.inference.manifest",
    "kineseg_core.kept",
    "kineseg_core.naming",
    "kineseg_core.rules",
    "kineseg_core.profile_json",
    "kineseg_core.snapshot",
    "kineseg_service.access.token_file",
    "kineseg_service.streams.record",
]
MOST_S, MOST_MIB, MOST_BYTES = 10, 2048, 1 << 17
"""What one file may take, and how large it is at most."""


def main() -> None:
    name, corpus, seconds = sys.argv[1], Path(sys.argv[2]), float(sys.argv[3])
    with atheris.instrument_imports(include=_WATCHED, exclude=list(_not_watched())):
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


def _not_watched() -> Iterator[str]:
    """All other modules of these packages: atheris watches a package whole of which it is to watch a part."""
    for package in {name.partition(".")[0] for name in _WATCHED}:
        spec = find_spec(package)
        assert spec is not None
        for root in map(Path, spec.submodule_search_locations or ()):
            for file in root.rglob("*.py"):
                name = ".".join((package, *file.relative_to(root).with_suffix("").parts)).removesuffix(".__init__")
                if not f"{name}.".startswith(tuple(f"{watched}." for watched in _WATCHED)):
                    yield name


if __name__ == "__main__":
    main()
