"""Prometheus takes the shipped files, the alerts fire as they should, and a server has those metrics at once."""

from __future__ import annotations

import re
import shutil
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import grpc
import pytest
import yaml
from kineseg.v1 import segmentation_pb2 as pb
from kineseg.v1 import segmentation_pb2_grpc as pb_grpc
from kineseg_core import errors as of_core
from kineseg_service import errors as of_serving
from kineseg_service.api.codes import code_of
from kineseg_service.config import Settings
from kineseg_service.server import BackgroundServer
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.exported import exported, series

DEPLOY = Path(__file__).parents[2] / "deploy"
DOCS = DEPLOY.parent / "docs"
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)


@pytest.mark.parametrize(
    "command",
    ["check config prometheus.yml", "check rules kineseg.rules.yml", "test rules kineseg.rules.test.yml"],
)
def test_promtool_finds_no_fault(command: str) -> None:
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("promtool is not installed (Debian: prometheus)")
    done = subprocess.run([promtool, *command.split()], cwd=DEPLOY, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def counted(server: BackgroundServer, family: str) -> dict[str, float]:
    """The samples of a counter by its label."""
    with urllib.request.urlopen(f"http://127.0.0.1:{server.metrics_port}/metrics") as response:
        text = response.read().decode()
    return {
        next(iter(sample.labels.values())): sample.value
        for metric in text_string_to_metric_families(text)
        for sample in metric.samples
        if sample.name == f"{family}_total"
    }


def test_counters_are_there_at_0_before_anything_happens_and_the_first_error_makes_one_1() -> None:
    settings = Settings(port=0, metrics_port=0, packaged_bundle=False, log_level="error")
    with BackgroundServer(settings) as server, grpc.insecure_channel(server.address) as channel:
        before = counted(server, "kineseg_errors")
        raised = {
            code_of(kind).name
            for kind in (vars(of_core) | vars(of_serving)).values()
            if isinstance(kind, type) and issubclass(kind, of_core.CoreError)
        }
        assert set(before) == raised >= {"INTERNAL", "NOT_FOUND", "RESOURCE_EXHAUSTED", "UNAVAILABLE"}
        assert set(before.values()) == {0.0}
        kinds = {field.name for field in pb.Event.DESCRIPTOR.oneofs_by_name["detail"].fields}
        assert counted(server, "kineseg_events") == dict.fromkeys(kinds, 0.0)
        with pytest.raises(grpc.RpcError):
            pb_grpc.SegmentationServiceStub(channel).GetSession(pb.GetSessionRequest(session_id="nobody"))
        assert counted(server, "kineseg_errors") == before | {"NOT_FOUND": 1.0}


def test_the_docs_list_all_metrics_and_no_others() -> None:
    text = (DOCS / "metrics.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `(kineseg_\w+)` \| (\w+) \|", text, re.MULTILINE))
    assert listed == exported()


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((DEPLOY / "kineseg.rules.yml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_each_alert_is_seen_to_fire_and_not_to() -> None:
    cases = yaml.safe_load((DEPLOY / "kineseg.rules.test.yml").read_text(encoding="utf-8"))["tests"]
    seen = {(of["alertname"], bool(of["exp_alerts"])) for case in cases for of in case["alert_rule_test"]}
    assert seen == {(rule["alert"], fires) for rule in rules() for fires in (True, False)}


def test_each_alert_says_what_to_do() -> None:
    text = (DOCS / "runbook.md").read_text(encoding="utf-8")
    anchors = {re.sub(r"[^a-z0-9 _-]", "", title.lower()).replace(" ", "-") for title in HEADING.findall(text)}
    for rule in rules():
        page, _, anchor = rule["annotations"]["runbook_url"].partition("#")
        assert page == "https://github.com/kineseg/kineseg/blob/main/docs/runbook.md"
        assert anchor in anchors, rule["alert"]
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_alerts_are_about_metrics_that_there_are() -> None:
    for rule in rules():
        named = set(re.findall(r"\bkineseg_\w+", rule["expr"]))
        assert named <= series(), rule["alert"]
