"""Every error has its status code, and a client can act on it without reading the message."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import kineseg_core
import kineseg_service
import pytest
from grpc import StatusCode
from kineseg._reasons import ERROR_OF_REASON
from kineseg.v1.errors_pb2 import ErrorReason
from kineseg_core import errors as of_core
from kineseg_core.errors import CoreError, Full, InvalidFrame, InvalidRequest, OutOfRange, StepFailed
from kineseg_service import errors as of_serving
from kineseg_service.api.codes import CODE_NAMES, code_of, error_info
from kineseg_service.errors import ServiceError

PROTOS = Path(__file__).parents[2] / "protos"


def kinds() -> Iterator[type[CoreError]]:
    for kind in (vars(of_core) | vars(of_serving)).values():
        if inspect.isclass(kind) and issubclass(kind, CoreError) and kind not in (CoreError, ServiceError):
            yield kind


@pytest.mark.parametrize("kind", [*kinds()])
def test_every_error_has_a_code_that_is_counted(kind: type[CoreError]) -> None:
    code = code_of(kind)
    assert code not in (StatusCode.OK, StatusCode.UNKNOWN), "give it a code in kineseg_service.api.codes"
    assert code.name in CODE_NAMES
    unavailable = (StatusCode.UNAVAILABLE, StatusCode.RESOURCE_EXHAUSTED)
    assert kind.retryable == (code in unavailable), "clients try these again, and only these"


def test_what_derives_from_an_error_has_its_code() -> None:
    class OfTomorrow(InvalidFrame):
        pass

    assert code_of(OfTomorrow) is code_of(InvalidRequest) is StatusCode.INVALID_ARGUMENT


def test_an_error_says_what_applies_to_it_and_no_more() -> None:
    info = error_info(Full("no room"))
    assert (info.reason, info.domain, dict(info.metadata)) == ("SERVER_FULL", "kineseg", {"retryable": "true"})
    info = error_info(OutOfRange("too fast", field="config.frame_rate_hz", minimum=0, maximum=1000.5))
    assert info.reason == "FIELD_OUT_OF_RANGE"
    said = {"retryable": "false", "field": "config.frame_rate_hz", "minimum": "0", "maximum": "1000.5"}
    assert dict(info.metadata) == said
    failure = StepFailed("it failed")
    assert dict(error_info(failure).metadata) == {"retryable": "false", "error_id": failure.error_id}


def reasons_in_the_code() -> set[str]:
    """What is given as a reason anywhere in the code that serves."""
    found = set()
    for package in (kineseg_core, kineseg_service):
        for path in Path(package.__path__[0]).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.keyword) and node.arg == "reason" and isinstance(node.value, ast.Constant):
                    found.add(node.value.value)
    return found


def test_the_contract_lists_exactly_the_reasons_there_are() -> None:
    listed = {name.removeprefix("ERROR_REASON_") for name in ErrorReason.keys()} - {"UNSPECIFIED"}  # noqa: SIM118
    given = reasons_in_the_code()
    assert all(isinstance(reason, str) and re.fullmatch("[A-Z_]{1,63}", reason) for reason in given | listed)
    of_classes = {kind.default_reason for kind in kinds()}
    assert given | of_classes == listed
    assert set(ERROR_OF_REASON) == listed, "the SDK knows each"


@pytest.mark.parametrize("kind", [*kinds()])
def test_the_contract_says_the_code_of_each_reason(kind: type[CoreError]) -> None:
    text = (PROTOS / "kineseg" / "v1" / "errors.proto").read_text(encoding="utf-8")
    comment = re.search(rf"((?:  //.*\n)+)  ERROR_REASON_{kind.default_reason} = ", text)
    assert comment is not None
    assert code_of(kind).name in comment[1]
    assert kind.retryable == ("retryable" in comment[1])
