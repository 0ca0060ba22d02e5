"""The Grafana dashboard: it asks for what there is, in words that Prometheus understands, and nothing hides another."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.exported import exported, series

GRAFANA = Path(__file__).parents[2] / "deploy" / "grafana"
DASHBOARD: dict[str, Any] = json.loads((GRAFANA / "dashboards" / "kineseg.json").read_text(encoding="utf-8"))
PANELS = [panel for panel in DASHBOARD["panels"] if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Each query, by its panel."""
    for panel in PANELS:
        for target in panel["targets"]:
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def variables() -> dict[str, dict[str, Any]]:
    return {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}


def test_what_it_asks_for_is_there() -> None:
    of_labels = {"kineseg"}  # the value of a label
    for title, expression in expressions():
        named = set(re.findall(r"\bkineseg_\w+", expression)) - of_labels
        assert named <= series(), title
        assert named or re.search(r"\b(up|ALERTS)\b", expression), title
    for variable in variables().values():
        assert set(re.findall(r"\bkineseg_\w+", str(variable["query"]))) <= series()


def test_it_shows_all_that_there_is() -> None:
    asked = " ".join(expression for _, expression in expressions()) + str(variables())
    unseen = {name for name in exported() if not re.search(rf"\b{name}(_bucket|_sum)?\b", asked)}
    assert not unseen


def test_prometheus_understands_each_query(tmp_path: Path) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    rules = [
        {"record": f"panel:{number}", "expr": re.sub(r"\$\w+", "1m", expression.replace('"$', '"'))}
        for number, (_, expression) in enumerate(expressions())
    ]
    path = tmp_path / "rules.yml"
    path.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}), encoding="utf-8")
    done = subprocess.run([promtool, "check", "rules", str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_variables_and_sources_of_data_are_defined() -> None:
    defined = {"$__rate_interval", "$__all", *(f"${name}" for name in variables())}
    used = set(re.findall(r"\$\w+", json.dumps(DASHBOARD).replace("${datasource}", "$datasource")))
    assert used <= defined
    assert variables()["datasource"]["query"] == "prometheus"
    for panel in PANELS:
        assert panel["datasource"]["uid"] == "${datasource}", panel["title"]
        assert all(target["datasource"] == panel["datasource"] for target in panel["targets"]), panel["title"]


def test_each_panel_has_a_place_and_an_id_of_its_own() -> None:
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in DASHBOARD["panels"]:
        at = panel["gridPos"]
        assert panel["title"]
        assert 0 <= at["x"] < at["x"] + at["w"] <= 24, panel["title"]
    for one, other in combinations(DASHBOARD["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, (one["title"], other["title"])
    for panel in PANELS:
        refs = [target["refId"] for target in panel["targets"]]
        assert len(set(refs)) == len(refs), panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"], panel["title"]


def test_grafana_finds_it_and_prometheus() -> None:
    provisioning = GRAFANA / "provisioning"
    [provider] = yaml.safe_load((provisioning / "dashboards" / "kineseg.yml").read_text())["providers"]
    assert provider["options"]["path"] == "/var/lib/grafana/dashboards"
    [source] = yaml.safe_load((provisioning / "datasources" / "prometheus.yml").read_text())["datasources"]
    assert source["type"] == variables()["datasource"]["query"]
