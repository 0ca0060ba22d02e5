"""What a release says of what it stands on: licences that go with ours, and their words."""

from __future__ import annotations

from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.packaging.release import EXTRAS, forbidden, licence, notices
from tests.packaging.test_extras import requirements


@pytest.mark.parametrize(
    "licences",
    ["AGPL-3.0-only", "GNU General Public License v3 (GPLv3)", "GPL-2.0-or-later", "SSPL-1.0", "Other/Proprietary"],
)
def test_what_does_not_go_with_our_licence_is_refused(licences: str) -> None:
    assert forbidden(licences)


@pytest.mark.parametrize(
    "licences",
    ["MIT", "Apache-2.0 AND MIT", "EPL-2.0 OR BSD-3-Clause", "GPL-2.0-only OR MIT", "LGPL-2.1-or-later",
     "GNU Lesser General Public License v3 (LGPLv3)", "Mozilla Public License 2.0 (MPL 2.0)"],
)  # fmt: skip
def test_what_goes_with_our_licence_is_not(licences: str) -> None:
    assert not forbidden(licences)


def test_what_is_installed_with_a_release_goes_with_our_licence() -> None:
    needed = requirements(set(EXTRAS)) - {"onnxruntime", "onnxruntime-gpu"}  # one of the two, as the platform is
    for name in needed:
        named = licence(distribution(name))
        assert named, name
        assert not forbidden(named), f"{name}: {named}"


def test_notices_have_the_words_of_each_licence_and_of_the_data_of_the_model() -> None:
    text = "\n".join(notices([distribution("numpy"), distribution("aiohttp")]))
    assert text.index("mocap.cs.cmu.edu") < text.index("\naiohttp ") < text.index("\nnumpy ")
    for name in ("numpy", "aiohttp"):
        (first, *_) = (
            path for path in map(str, distribution(name).files or ()) if Path(path).name.startswith("LICENSE")
        )
        words = Path(str(distribution(name).locate_file(first))).read_text(encoding="utf-8").strip()
        assert words in text
