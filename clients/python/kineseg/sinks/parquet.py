"""``parquet:FOLDER``: tables of events, for pandas, DuckDB, Spark and the like."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet

from kineseg.sinks.address import SinkAddress
from kineseg.sinks.columns import flat_schema
from kineseg.sinks.event import SinkEvent
from kineseg.sinks.recorder import Recorder
from kineseg.sinks.sink import Sink

_TYPES = {
    "string": pyarrow.string(),
    "integer": pyarrow.int64(),
    "number": pyarrow.float64(),
    "boolean": pyarrow.bool_(),
}
_TIME = "emitted_at"


def _type_of(key: str, schema: dict[str, Any]) -> pyarrow.DataType:
    if key == _TIME:
        return pyarrow.timestamp("us", tz="UTC")
    if schema.get("type") == "array":
        return pyarrow.list_(_TYPES[schema["items"]["type"]])
    return _TYPES[schema["type"]]


def write(path: Path, events: Sequence[SinkEvent]) -> None:
    """Write a file: a row an event, a column for each key that any kind has; what a kind does not have is null."""
    columns = flat_schema()
    table = pyarrow.schema([(key, _type_of(key, schema)) for key, schema in columns.items()])
    rows = [{**event.flat, _TIME: datetime.fromisoformat(event.emitted_at)} for event in events]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows, schema=table), path, compression="zstd")


def open_parquet(address: SinkAddress) -> Sink:
    """``parquet:FOLDER?every=60``."""
    return Recorder(address, ".parquet", write)
