"""Which sources there are, how their URLs are read, and that other packages can add some."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from kineseg.sources import SourceAddress, SourceError, open_source, schemes
from kineseg.sources.registry import EXTRAS
from kineseg.sources.twins import twin_schemes

DOCS = Path(__file__).parents[2] / "docs" / "sources"


def test_every_scheme_is_documented_and_has_a_twin() -> None:
    index = (DOCS / "README.md").read_text()
    pages = "".join(page.read_text() for page in DOCS.glob("*.md"))
    for scheme in schemes():
        assert re.search(rf"`{re.escape(scheme)}(:|`)", pages), scheme
        extra = EXTRAS.get(scheme)
        assert extra is None or f"kineseg[{extra}]" in index
    assert set(schemes()) - set(twin_schemes()) == {"-", "exec", "file"}


def test_every_page_says_what_a_user_needs() -> None:
    for page in DOCS.glob("*.md"):
        text = page.read_text()
        if page.name != "README.md":
            assert f"({page.name})" in (DOCS / "README.md").read_text()
            assert "**What wrong looks like**" in text
            assert "kineseg stream" in text


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("vmc://0.0.0.0:39539", ("vmc", "0.0.0.0", 39539, "", {})),
        ("MVN://[::1]:9763?unit=cm&up=z", ("mvn", "::1", 9763, "", {"unit": "cm", "up": "z"})),
        ("lsl:My stream?up=z", ("lsl", "", None, "My stream", {"up": "z"})),
        ("exec:python -u x.py?y=1 --z", ("exec", "", None, "python -u x.py?y=1 --z", {})),
        ("file:what?.bvh", ("file", "", None, "what?.bvh", {})),
        (r"file:C:\takes\take.bvh?speed=2", ("file", "", None, r"C:\takes\take.bvh", {"speed": "2"})),
        ("-", ("-", "", None, "", {})),
    ],
)
def test_an_address_is_taken_apart(url: str, parts: tuple[str, str, int | None, str, dict[str, str]]) -> None:
    found = SourceAddress.parse(url)
    assert (found.scheme, found.host, found.port, found.path, dict(found.options)) == parts


@pytest.mark.parametrize("url", ["take.bvh", r"C:\take.bvh", "", "vmc://host:99999", "vmc://host:x"])
def test_what_is_no_address(url: str) -> None:
    with pytest.raises(SourceError):
        SourceAddress.parse(url)


async def test_another_package_adds_a_scheme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "their_suit.py").write_text(
        textwrap.dedent(
            """
            from kineseg.sources.ndjson import from_command

            def open_suit(address, mapping):
                return from_command(address, mapping)
            """
        )
    )
    info = tmp_path / "their_suit-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-suit\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[kineseg.sources]\nsuit = their_suit:open_suit\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert "suit" in schemes()
    async with open_source("suit:echo [1,2]") as source:
        assert "echo [1,2]" in source.where
