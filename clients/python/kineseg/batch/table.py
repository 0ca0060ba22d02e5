"""Segments as Parquet: the columns, the parts of a job that runs, and the file of one that is done."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from kineseg._errors import InvalidRequest
from kineseg.batch.segments import Row

SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("segment_id", pa.int64()),
        ("label", pa.int64()),
        ("name", pa.string()),
        ("name_confidence", pa.float64()),
        ("repeat_probability", pa.float64()),
        ("start_frame", pa.int64()),
        ("end_frame", pa.int64()),
        ("start_time_s", pa.float64()),
        ("end_time_s", pa.float64()),
        ("n_frames", pa.int64()),
        ("rate_hz", pa.float64()),
        ("model", pa.string()),
        ("embedding", pa.list_(pa.float32())),
    ]
)
_KEYS = b"kineseg.batch.keys"
_GROUP_ROWS = 50_000


class Parts:
    """The results of single files while a job runs, one Parquet file each, in a folder beside the output.

    Each is complete or not there, so that a job that was cut finds what it had done.

    Args:
        out: The output; the folder has its name, with ``.parts`` behind it.
    """

    def __init__(self, out: Path) -> None:
        self.folder = out.with_name(f"{out.name}.parts")

    def keep(self, key: str, rows: Sequence[Row]) -> None:
        """Keep the result that stands under a key.

        Raises:
            OSError: It cannot be written.
        """
        self.folder.mkdir(exist_ok=True)
        _write_whole(self._path(key), [pa.Table.from_pylist(list(rows), schema=SCHEMA)])

    def has(self, key: str) -> bool:
        """Whether there is one."""
        return self._path(key).exists()

    def read(self, key: str) -> pa.Table:
        """What was kept."""
        return pq.read_table(self._path(key), schema=SCHEMA, partitioning=None)

    def clear(self) -> None:
        """Remove all, where the output holds them."""
        if self.folder.is_dir():
            for path in self.folder.glob("*.parquet*"):
                path.unlink()
            self.folder.rmdir()

    def _path(self, key: str) -> Path:
        return self.folder / f"{key}.parquet"


class Finished:
    """The output of an earlier job, from which the results of files that have not changed are taken.

    Raises:
        InvalidRequest: There is such a file, and no job has written it.
    """

    def __init__(self, out: Path) -> None:
        self._rows: dict[str, pa.Table] = {}
        if not out.exists():
            return
        try:
            table = pq.read_table(out, partitioning=None)
            keys = json.loads((table.schema.metadata or {})[_KEYS])
        except (KeyError, ValueError, pa.ArrowException) as error:
            raise InvalidRequest(
                f"{out} is there, and is no output of an earlier job: name another file, or remove it", field="out"
            ) from error
        places = _places(table)
        for file, key in keys.items():
            self._rows[key] = table.slice(*places.get(file, (0, 0)))

    def has(self, key: str) -> bool:
        """Whether the result that stands under a key is in it."""
        return key in self._rows

    def read(self, key: str) -> pa.Table:
        """That result."""
        return self._rows[key]


def write_output(out: Path, tables: Iterable[pa.Table], keys: dict[str, str]) -> int:
    """Write the output: all of it or nothing; returns how many rows it has.

    Args:
        out: The file.
        tables: The segments of each file, one file after the other.
        keys: For each file the key of its result.

    Raises:
        OSError: It cannot be written.
    """
    return _write_whole(out, _groups(tables), {_KEYS: json.dumps(keys).encode()})


def _places(table: pa.Table) -> dict[str, tuple[int, int]]:
    """For each file the first row and how many there are: they lie together."""
    places: dict[str, tuple[int, int]] = {}
    for row, file in enumerate(table.column("file").to_pylist()):
        first, length = places.get(file, (row, 0))
        places[file] = (first, length + 1)
    return places


def _groups(tables: Iterable[pa.Table]) -> Iterator[pa.Table]:
    held: list[pa.Table] = []
    for table in tables:
        held.append(table.replace_schema_metadata(None))
        if sum(map(len, held)) >= _GROUP_ROWS:
            yield pa.concat_tables(held)
            held = []
    if held:
        yield pa.concat_tables(held)


def _write_whole(path: Path, tables: Iterable[pa.Table], metadata: dict[bytes, bytes] | None = None) -> int:
    rows = 0
    written = path.with_name(f"{path.name}.writing")
    with pq.ParquetWriter(written, SCHEMA.with_metadata(metadata), compression="zstd") as writer:
        for table in tables:
            writer.write_table(table.replace_schema_metadata(metadata))
            rows += len(table)
    with written.open("rb") as file:
        os.fsync(file.fileno())
    written.replace(path)
    return rows
