"""What a release has beside wheel and sdist: python -m tests.packaging.release

A bill of materials (CycloneDX) and the notices of third parties, both of an environment in which the wheel is installed
with all that serving, streaming and drawing need. A licence that does not go with ours, and a distribution that names
none, end it.
"""

from __future__ import annotations

import argparse
import json
import re
import tempfile
from collections.abc import Iterable, Iterator
from importlib.metadata import Distribution, distributions
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from tests.packaging.environments import ROOT, Environment
from tests.packaging.package import demand, tool

EXTRAS = ("batch", "c3d", "cli", "live", "motion", "page", "plot", "redis", "service", "sinks", "traces")
SPEC = "1.6"
# Of what would have to be given away, or bought: GPL but not LGPL, and the like.
_FORBIDDEN = re.compile(r"\b(AGPL|GPL|SSPL|BUSL|Affero|proprietary)|(?<!Lesser )General Public License", re.IGNORECASE)
_TEXTS = re.compile(r"(^|/)(licen[cs]es?|copying|notices?)([-._/][^/]*)?(/|$)", re.IGNORECASE)
_OF_ITSELF = "service/kineseg_core/bundles/default/README.md"


def licence(distribution: Distribution) -> str:
    """What a distribution says that its licence is; empty: nothing."""
    metadata = distribution.metadata
    if expression := metadata.get("License-Expression"):
        return str(expression)
    classified = [
        each.rpartition(" :: ")[2] for each in metadata.get_all("Classifier") or () if each.startswith("License :: ")
    ]
    if classified:
        return ", ".join(classified)
    lines = (metadata.get("License") or "").strip().splitlines()
    return lines[0].strip() if lines else ""


def forbidden(licences: str) -> bool:
    """Whether none of the licences that are offered goes with ours."""
    offered = re.split(r"\bOR\b|,", licences)
    return all(_FORBIDDEN.search(each) for each in offered)


def notices(found: Iterable[Distribution]) -> Iterator[str]:
    """The lines of the notices: what is used, and under which words."""
    card = (ROOT / _OF_ITSELF).read_text(encoding="utf-8")
    yield from ("kineseg is under the Apache License 2.0. The model in it:", "")
    yield card.partition("## Licence and credit")[2].partition("\n## ")[0].strip()
    yield from ("", "With it these are installed, each under a licence of its own, as its extra needs it.")
    for distribution in sorted(found, key=lambda each: canonicalize_name(each.name)):
        yield from ("", "=" * 100, f"{distribution.name} {distribution.version}: {licence(distribution)}")
        if home := _home(distribution):
            yield home
        for path in sorted(map(str, distribution.files or ())):
            if _TEXTS.search(path) and not path.endswith((".py", ".pyc", ".pyi")):
                text = Path(str(distribution.locate_file(path))).read_text(encoding="utf-8", errors="replace").strip()
                yield from ("", f"-- {path.rpartition('dist-info/')[2]}", "", text)


def _home(distribution: Distribution) -> str:
    urls = dict(each.split(", ", 1) for each in distribution.metadata.get_all("Project-URL") or ())
    named = {name.lower(): url for name, url in urls.items()}
    return named.get("homepage") or named.get("source") or distribution.metadata.get("Home-page") or ""


def check_bill(bill: Path, found: Iterable[Distribution]) -> None:
    """The bill names every distribution with its version."""
    parts = json.loads(bill.read_text(encoding="utf-8"))["components"]
    named = {(canonicalize_name(part["name"]), part["version"]) for part in parts}
    missing = {(canonicalize_name(each.name), each.version) for each in found} - named
    demand(not missing, f"{bill} lacks {missing}")


def _say_version(bill: Path, wheel: Path) -> None:
    """The version is not in pyproject.toml, where the bill is made from: it is that of the wheel."""
    content = json.loads(bill.read_text(encoding="utf-8"))
    content["metadata"]["component"]["version"] = parse_wheel_filename(wheel.name)[1].public
    bill.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder with the wheel, of `make package`")
    parser.add_argument("--out", type=Path, default=ROOT / "dist-beside", help="folder for the files")
    chosen = parser.parse_args()
    wheels = sorted(chosen.dist.glob("kineseg-*.whl"))
    demand(len(wheels) == 1, f"there is no one wheel in {chosen.dist}: make package makes it")
    chosen.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        environment = Environment(Path(name) / "environment")
        environment.install("-c", ROOT / "constraints.txt", f"{wheels[0].resolve()}[{','.join(EXTRAS)}]")
        (site,) = Path(name).glob("environment/[lL]ib/**/site-packages")
        found = [each for each in distributions(path=[str(site)]) if each.name != "kineseg"]
        nameless = [each.name for each in found if not licence(each)]
        demand(not nameless, f"no licence is named by {', '.join(nameless)}: look at them, and say so in this file")
        refused = [f"{each.name} ({licence(each)})" for each in found if forbidden(licence(each))]
        demand(not refused, f"licences that do not go with ours: {', '.join(refused)}")
        bill = chosen.out / f"{wheels[0].stem.rpartition('-py3')[0]}.cdx.json"
        options = ("--pyproject", ROOT / "pyproject.toml", "--mc-type", "library", "--spec-version", SPEC)
        tool("cyclonedx_py", "environment", *options, "--output-reproducible", "-o", bill, environment.python)
        _say_version(bill, wheels[0])
        check_bill(bill, found)
        text = chosen.out / "THIRD_PARTY_NOTICES.txt"
        text.write_text("\n".join(notices(found)) + "\n", encoding="utf-8")
    print(f"{bill}, {text}: {len(found)} distributions")


if __name__ == "__main__":
    main()
