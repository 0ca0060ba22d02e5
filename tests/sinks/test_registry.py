"""Which sinks there are, how their URLs are read, and that other packages can add some."""

from __future__ import annotations

import re
import textwrap
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kineseg.sinks import SinkAddress, SinkError, Terms, open_sink, schemes
from kineseg.sinks.registry import EXTRAS
from kineseg.sinks.terms import kinds_of

from tests.sinks.made_events import events

DOCS = Path(__file__).parents[2] / "docs" / "sinks"


def test_every_scheme_is_documented() -> None:
    pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
    for scheme in schemes():
        assert re.search(rf"`{re.escape(scheme)}:", pages), scheme
        extra = EXTRAS.get(scheme)
        assert extra is None or f"kineseg[{extra}]" in pages


def test_an_address_is_taken_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WORD", "p@ss/#?&=1")
    monkeypatch.setenv("HOOK", "hooks.example.org/services/T0/B0")
    broker = SinkAddress.parse("mqtt://me:${WORD}@broker:1884/motion?kinds=anomaly&token=${WORD}")
    assert (broker.scheme, broker.host, broker.port, broker.path) == ("mqtt", "broker", 1884, "/motion")
    assert (broker.user, broker.password, broker.options["token"]) == ("me", "p@ss/#?&=1", "p@ss/#?&=1")
    hook = SinkAddress.parse("webhook+https://${HOOK}?key=1#kinds=anomaly&batch=3")
    assert hook.target == "https://hooks.example.org/services/T0/B0?key=1"
    assert dict(hook.options) == {"kinds": "anomaly", "batch": "3"}
    file = SinkAddress.parse(r"jsonl:C:\what?.jsonl?max_mb=3")
    assert (file.path, dict(file.options)) == (r"C:\what?.jsonl", {"max_mb": "3"})


def test_no_secret_is_shown() -> None:
    for url in ("mqtt://me:secret@broker/x?token=secret", "webhook+https://host/x#token=secret"):
        address = SinkAddress.parse(url)
        assert "secret" not in address.where
        assert "secret" not in Terms.of(address, batch=1).name


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("events.jsonl", "scheme"),
        ("mqtt://host:99999", "port"),
        ("nonsense:x", "there are:"),
        ("jsonl:x.jsonl?speed=1", "no option 'speed'"),
        ("jsonl:x.jsonl?kinds=anomalies", "no kind 'anomalies'"),
        ("jsonl:x.jsonl?batch=many", "batch must be a number"),
        ("jsonl:x.jsonl?provisional=maybe", "yes or no"),
        ("jsonl:${NO_SUCH_VARIABLE_IS_SET}", "NO_SUCH_VARIABLE_IS_SET"),
    ],
)
def test_what_is_no_sink(url: str, says: str) -> None:
    with pytest.raises(SinkError, match=re.escape(says)):
        open_sink(url)


def test_a_sink_gets_what_it_wants() -> None:
    made = events(10)
    terms = Terms(name="x", kinds=kinds_of("anomaly, segment_closed"), session="line-*")
    assert [event.kind for event in made if terms.wants(event)] == ["anomaly", "anomaly_cleared", "segment_closed"]
    assert kinds_of("anomaly_raised") == {"anomaly"}
    final = Terms(name="x", provisional=False)
    assert {event.kind for event in made if not final.wants(event)} == {"segment_started"}


async def test_another_package_adds_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_horn.py").write_text(
        textwrap.dedent(
            """
            from kineseg.sinks import Terms

            class Horn:
                linger_s = 0.0
                where = "the horn"

                def __init__(self, address):
                    self.terms = Terms.of(address, batch=1)
                    self.heard = []

                async def deliver(self, events):
                    self.heard += events

                async def close(self):
                    pass
            """
        )
    )
    info = tmp_path / "their_horn-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-horn\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kineseg.sinks]\nhorn = their_horn:Horn\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "horn" in schemes()
    horn = open_sink("horn:loud?kinds=anomaly")
    await horn.deliver(events(1))
    assert horn.heard  # type: ignore[attr-defined]


@given(st.text(max_size=60), st.sampled_from(["", "mqtt://", "webhook+https://", "jsonl:", "kafka://me:"]))
def test_whatever_is_written_is_an_address_or_refused(text: str, scheme: str) -> None:
    with suppress(SinkError):
        found = SinkAddress.parse(scheme + text)
        assert found.scheme == found.scheme.lower()
        assert found.port is None or 0 <= found.port < 65536
