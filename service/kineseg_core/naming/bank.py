"""The name bank: names and their examples, by model, in one small JSON file.

    {"schema_version": 1,
     "models": [{"model": "cmu", "sha256": "...", "names": {"walking": [{"point": [0.25, ...], "source": "..."}]}}]}

A point is of one graph's embedding space and means nothing in another, hence the graph's SHA-256.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from kineseg_core.errors import BadBank, InvalidRequest, UnknownName
from kineseg_core.whole_file import check_writable, write_whole

SCHEMA_VERSION = 1
MOST_NAMES, MOST_EXAMPLES = 256, 64  # of a model, of a name
LONGEST_NAME, LONGEST_SOURCE = 64, 200
_MOST_BYTES = 64 << 20
_MOST_DIMS = 65_536


@dataclass(frozen=True, slots=True)
class Example:
    """A segment that has the name.

    Attributes:
        point: Where it lies in the embedding space, (E,).
        source: Where it comes from, for people.
    """

    point: tuple[float, ...]
    source: str = ""

    @classmethod
    def of(cls, embedding: Iterable[float], source: str = "") -> Self:
        """From single-precision numbers, written with as many digits as those have."""
        return cls(tuple(float(f"{value:.9g}") for value in embedding), source)


@dataclass(frozen=True, slots=True)
class NamedExamples:
    """A name of one model, and its examples in the order taught."""

    name: str
    model: str
    sha256: str
    examples: tuple[Example, ...]


class NameBank:
    """An immutable bank: what changes it gives another one, so that a failed write changes nothing.

    Args:
        entries: The names, each once for a model.
    """

    def __init__(self, entries: tuple[NamedExamples, ...] = ()) -> None:
        self.entries = tuple(sorted(entries, key=lambda taught: (taught.model, taught.sha256, taught.name)))

    @classmethod
    def load(cls, path: Path) -> Self:
        """Reads a bank; one that is not there yet is empty.

        Raises:
            BadBank: It cannot be read or is not a bank; says where and why.
        """
        try:
            if not path.exists():
                if not path.parent.is_dir():
                    reason = f"there is no folder {path.parent} to keep it in; make that, or name another file"
                    raise BadBank(path, reason)
                return cls()
            if path.stat().st_size > _MOST_BYTES:
                raise BadBank(path, f"it is larger than {_MOST_BYTES >> 20} MiB")
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(tuple(_entries(content)))
        except OSError as error:
            raise BadBank(path, f"it cannot be read ({error.strerror or error})") from error
        except (_WrongFormError, InvalidRequest) as error:
            raise BadBank(path, str(error)) from error
        except (ValueError, RecursionError, OverflowError) as error:  # bytes, syntax, depth, endless numbers
            raise BadBank(path, f"it is not JSON ({error})") from error

    @staticmethod
    def check_writable(path: Path) -> None:
        """Does what `save` does first, and takes it back.

        Raises:
            BadBank: A bank could not be saved there; says why and what to do.
        """
        try:
            check_writable(path)
        except OSError as error:
            reason = f"no file can be written in {path.resolve().parent} ({error.strerror or error})"
            raise BadBank(path, f"{reason}; let the server's user write there, or name another file") from error

    def save(self, path: Path) -> None:
        """Writes the bank; the file is the old one or the new one at every moment.

        Raises:
            OSError: It cannot be written.
        """
        models: dict[tuple[str, str], dict[str, object]] = {}
        for taught in self.entries:
            models.setdefault((taught.model, taught.sha256), {})[taught.name] = [
                {"point": list(example.point), "source": example.source} for example in taught.examples
            ]
        content = {
            "schema_version": SCHEMA_VERSION,
            "models": [{"model": model, "sha256": sha, "names": names} for (model, sha), names in models.items()],
        }
        write_whole(path, json.dumps(content, ensure_ascii=False, allow_nan=False) + "\n")

    def examples(self, model: str, sha256: str) -> list[tuple[str, tuple[float, ...]]]:
        """Names and points of one graph, for `KnownNames`."""
        return [
            (taught.name, example.point)
            for taught in self.entries
            if (taught.model, taught.sha256) == (model, sha256)
            for example in taught.examples
        ]

    def find(self, name: str, model: str, sha256: str) -> NamedExamples:
        """What is known by that name; without examples if nothing is."""
        for taught in self.entries:
            if (taught.name, taught.model, taught.sha256) == (name, model, sha256):
                return taught
        return NamedExamples(name, model, sha256, ())

    def teach(self, name: str, model: str, sha256: str, example: Example) -> NameBank:
        """The bank with one more example. A point has one name, the one that it was given last.

        Raises:
            InvalidRequest: The name or the point cannot be used, or there are too many; names the field.
        """
        check_name(name)
        check_example(example)
        of_model, others = [], []
        for taught in self.entries:
            if (taught.model, taught.sha256) != (model, sha256):
                others.append(taught)
            elif kept := tuple(known for known in taught.examples if known.point != example.point):
                of_model.append(replace(taught, examples=kept))
        before = NameBank(tuple(of_model)).find(name, model, sha256)
        if any(len(known.point) != len(example.point) for taught in of_model for known in taught.examples[:1]):
            raise InvalidRequest(
                f"the point has {len(example.point)} numbers, other examples of model {model!r} have another number",
                field="point.embedding",
            )
        if not before.examples and len(of_model) >= MOST_NAMES:
            raise InvalidRequest(
                f"model {model!r} has {MOST_NAMES} names already; forget one first",
                field="name", reason="NAME_BANK_FULL", maximum=MOST_NAMES,
            )  # fmt: skip
        if len(before.examples) >= MOST_EXAMPLES:
            raise InvalidRequest(
                f"{name!r} has {MOST_EXAMPLES} examples already; forget it and teach the best ones",
                field="name", reason="NAME_BANK_FULL", maximum=MOST_EXAMPLES,
            )  # fmt: skip
        taught = NamedExamples(name, model, sha256, (*before.examples, example))
        return NameBank((*others, *(entry for entry in of_model if entry.name != name), taught))

    def forget(self, name: str, model: str = "") -> tuple[NameBank, int]:
        """The bank without a name, of one model or of all, and the number of examples that are gone.

        Raises:
            UnknownName: There is no such name.
        """
        gone = [taught for taught in self.entries if taught.name == name and model in ("", taught.model)]
        if not gone:
            what = f" for model {model[:64]!r}" if model else ""
            raise UnknownName(f"no name {name[:LONGEST_NAME]!r} has been taught{what}", field="name")
        kept = tuple(taught for taught in self.entries if taught not in gone)
        return NameBank(kept), sum(len(taught.examples) for taught in gone)


def check_name(name: str) -> None:
    """Raises InvalidRequest unless that can be a name."""
    if not 1 <= len(name) <= LONGEST_NAME or not name.isprintable() or name != name.strip():
        raise InvalidRequest(
            f"a name must be 1 to {LONGEST_NAME} printable characters without spaces at its ends", field="name"
        )


def check_example(example: Example) -> None:
    """Raises InvalidRequest unless that can be an example."""
    if not 1 <= len(example.point) <= _MOST_DIMS or not all(map(math.isfinite, example.point)):
        raise InvalidRequest("the point must be finite numbers, at least one", field="point.embedding")
    if len(example.source) > LONGEST_SOURCE or not (example.source.isprintable() or not example.source):
        raise InvalidRequest(f"source must be at most {LONGEST_SOURCE} printable characters", field="source")


class _WrongFormError(Exception):
    """The file is JSON, and not a bank."""


def _entries(content: object) -> Iterator[NamedExamples]:
    """The names of a file, each checked as if it were taught now."""
    bank = _object(content, "the file")
    version = bank.get("schema_version")
    if version != SCHEMA_VERSION:
        raise _WrongFormError(f"schema_version is {version!r}, this version reads {SCHEMA_VERSION}")
    seen: set[tuple[str, str]] = set()
    for number, entry in enumerate(_list(bank.get("models"), "models")):
        where = f"models[{number}]"
        of_model = _object(entry, where)
        model, sha256 = (_text(of_model.get(key), f"{where}.{key}") for key in ("model", "sha256"))
        if (model, sha256) in seen:
            raise _WrongFormError(f"{where}: model {model!r} with this sha256 is there twice")
        seen.add((model, sha256))
        names = _object(of_model.get("names"), f"{where}.names")
        if len(names) > MOST_NAMES:
            raise _WrongFormError(f"{where}.names: {len(names)} names, at most {MOST_NAMES} are allowed")
        dims: set[int] = set()
        for name, examples in names.items():
            check_name(name)
            read = tuple(_example(one, f"{where}.names.{name}") for one in _list(examples, f"{where}.names.{name}"))
            if not 1 <= len(read) <= MOST_EXAMPLES:
                raise _WrongFormError(f"{where}.names.{name}: must have 1 to {MOST_EXAMPLES} examples")
            dims |= {len(example.point) for example in read}
            yield NamedExamples(name, model, sha256, read)
        if len(dims) > 1:
            raise _WrongFormError(f"{where}: all points must have the same number of dimensions, not {sorted(dims)}")


def _example(content: object, where: str) -> Example:
    example = _object(content, where)
    point = _list(example.get("point"), f"{where}.point")
    numbers = [float(value) for value in point if isinstance(value, int | float) and not isinstance(value, bool)]
    if len(numbers) != len(point):
        raise _WrongFormError(f"{where}.point: must be numbers")
    read = Example(tuple(numbers), _text(example.get("source", ""), f"{where}.source"))
    check_example(read)
    return read


def _object(value: object, where: str) -> dict[str, object]:
    if not isinstance(value, dict):
        raise _WrongFormError(f"{where} must be an object")
    return value


def _list(value: object, where: str) -> list[object]:
    if not isinstance(value, list):
        raise _WrongFormError(f"{where} must be a list")
    return value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        raise _WrongFormError(f"{where} must be a text")
    return value
