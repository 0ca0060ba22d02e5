"""The contracts as pages: every service, message and field with its comment, as the .proto files have them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)
from staging import ROOT, SOURCE_URL

_BUF = Path(sys.executable).with_name("buf")  # of this environment, which need not be on the path

Place = tuple[int, ...]
_MESSAGE, _ENUM, _SERVICE = 4, 5, 6  # numbers of fields of FileDescriptorProto
_FIELD, _NESTED, _NESTED_ENUM, _VALUE, _METHOD = 2, 3, 4, 2, 2
_SCALARS = {
    number: name.removeprefix("TYPE_").lower()
    for name, number in FieldDescriptorProto.Type.items()
    if name not in ("TYPE_MESSAGE", "TYPE_ENUM", "TYPE_GROUP")
}


def protocol_pages() -> Iterator[tuple[str, str]]:
    """Name and text of a page for each .proto file. Needs buf, and no network."""
    with tempfile.TemporaryDirectory() as folder:
        image = Path(folder, "protos.binpb")
        subprocess.run([str(_BUF), "build", "protos", "-o", str(image)], cwd=ROOT, check=True)
        files = FileDescriptorSet.FromString(image.read_bytes()).file
    for file in files:
        if file.package == "kineseg.v1":
            yield f"reference/protocol/{Path(file.name).stem}.md", "\n".join(_Page(file).lines()) + "\n"


class _Page:
    def __init__(self, file: FileDescriptorProto) -> None:
        self._file = file
        self._comments: dict[Place, str] = {
            tuple(location.path): _text(location.leading_comments or location.trailing_comments)
            for location in file.source_code_info.location
        }
        (self._about,) = (
            _text(location.leading_comments) for location in file.source_code_info.location if location.path == [2]
        )
        self._own: set[str] = set()

    def lines(self) -> Iterator[str]:
        file, url = self._file, SOURCE_URL.format(kind="blob", path=f"protos/{self._file.name}")
        self._own = {f".{file.package}.{name}" for name in _names(file)}
        yield from (f"# {Path(file.name).name}", "", self._about, "", f"[The file itself]({url}).", "")
        for number, service in enumerate(file.service):
            yield from self._service(service, (_SERVICE, number))
        for number, message in enumerate(file.message_type):
            yield from self._message(message, (_MESSAGE, number), "")
        for number, kind in enumerate(file.enum_type):
            yield from self._enum(kind, (_ENUM, number), "")

    def _service(self, service: ServiceDescriptorProto, path: Place) -> Iterator[str]:
        yield from (f"## {service.name}", "", self._comment(path), "")
        for number, method in enumerate(service.method):
            taken = f"{'stream ' if method.client_streaming else ''}{self._link(method.input_type)}"
            given = f"{'stream ' if method.server_streaming else ''}{self._link(method.output_type)}"
            yield from (f"### {method.name}", "", f"{taken} → {given}", "")
            yield from (self._comment((*path, _METHOD, number)), "")

    def _message(self, message: DescriptorProto, path: Place, within: str) -> Iterator[str]:
        name = f"{within}{message.name}"
        yield from (f"## {name}", "", self._comment(path), "")
        if message.field:
            yield from _head("field", "type")
        for number, entry in enumerate(message.field):
            oneof = ""
            if entry.HasField("oneof_index") and not entry.proto3_optional:
                oneof = f" One of `{message.oneof_decl[entry.oneof_index].name}`."
            about = self._comment((*path, _FIELD, number)) + oneof
            yield _row(f"`{entry.name}` = {entry.number}", self._type(message, entry), about)
        yield ""
        for number, nested in enumerate(message.nested_type):
            if not nested.options.map_entry:
                yield from self._message(nested, (*path, _NESTED, number), f"{name}.")
        for number, kind in enumerate(message.enum_type):
            yield from self._enum(kind, (*path, _NESTED_ENUM, number), f"{name}.")

    def _enum(self, kind: EnumDescriptorProto, path: Place, within: str) -> Iterator[str]:
        yield from (f"## {within}{kind.name}", "", self._comment(path), "")
        yield from _head("value", "number")
        for number, value in enumerate(kind.value):
            yield _row(f"`{value.name}`", str(value.number), self._comment((*path, _VALUE, number)))
        yield ""

    def _type(self, message: DescriptorProto, entry: FieldDescriptorProto) -> str:
        for nested in message.nested_type:
            if nested.options.map_entry and entry.type_name.endswith(f".{message.name}.{nested.name}"):
                key, value = nested.field
                return f"map of {self._type(nested, key)} to {self._type(nested, value)}"
        name = _SCALARS.get(entry.type) or self._link(entry.type_name)
        if entry.label == FieldDescriptorProto.LABEL_REPEATED:
            return f"repeated {name}"
        return f"optional {name}" if entry.proto3_optional else name

    def _link(self, full_name: str) -> str:
        short = full_name.removeprefix(f".{self._file.package}.").lstrip(".")
        anchor = short.lower().replace(".", "")
        return f"[{short}](#{anchor})" if full_name in self._own else short

    def _comment(self, path: Place) -> str:
        return self._comments.get(path, "")


def _names(file: FileDescriptorProto) -> Iterator[str]:
    def inside(message: DescriptorProto, within: str) -> Iterator[str]:
        yield f"{within}{message.name}"
        yield from (f"{within}{message.name}.{kind.name}" for kind in message.enum_type)
        for nested in message.nested_type:
            yield from inside(nested, f"{within}{message.name}.")

    for message in file.message_type:
        yield from inside(message, "")
    yield from (kind.name for kind in file.enum_type)


def _head(*columns: str) -> tuple[str, str]:
    return _row(*columns, ""), "|---" * (len(columns) + 1) + "|"


def _row(*cells: str) -> str:
    return "| " + " | ".join(cell.replace("|", r"\|").replace("\n", " ") for cell in cells) + " |"


def _text(comment: str) -> str:
    return "\n".join(line.strip() for line in comment.strip().splitlines()).replace("<", r"\<")
