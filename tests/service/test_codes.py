"""Every error has its status code, and a client can act on it without reading the message."""

from __future__ import annotations

import inspect
from collections.abc import Iterator

import pytest
from grpc import StatusCode
from kineseg_core import errors as of_core
from kineseg_core.errors import CoreError, Full, InvalidFrame, InvalidRequest
from kineseg_service import errors as of_serving
from kineseg_service.api.codes import CODE_NAMES, code_of, trailing_metadata
from kineseg_service.errors import ServiceError


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


def test_metadata_tell_the_field_where_there_is_one() -> None:
    assert trailing_metadata(Full("no room")) == (("kineseg-retryable", "true"),)
    told = trailing_metadata(InvalidRequest("too fast", field="config.frame_rate_hz"))
    assert told == (("kineseg-retryable", "false"), ("kineseg-field", "config.frame_rate_hz"))
