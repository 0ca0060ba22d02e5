"""The Helm chart, rendered by Helm's own library with several values: each object is as Kubernetes' schemas say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import helm_python
import kubernetes_validate
import yaml

CHART = Path(__file__).parents[1] / "helm" / "kineseg"
RULES = CHART.parents[1] / "kineseg.rules.yml"
KUBERNETES = "1.33"
_WARNING = 2
_OF_OPERATORS = ("monitoring.coreos.com/",)  # whose schemas are elsewhere

SAFE: dict[str, Any] = {"tls": {"secret": "motion-tls"}}
EVERYTHING: dict[str, Any] = {
    "image": {"repository": "registry.example.org/kineseg", "tag": "0.1.0", "pullPolicy": "Always"},
    "imagePullSecrets": [{"name": "pull"}],
    "settings": {"max_sessions": 128, "drain_grace_s": 30, "processes": 2, "silent_s": 20.5},
    "env": [{"name": "KINESEG_TRACES", "value": "http://collector:4318/v1/traces"}],
    "tls": {"secret": "motion-tls", "clientCASecret": "motion-clients"},
    "tokensSecret": "motion-tokens",
    "store": {"keySecret": "motion-store"},
    "redis": {"enabled": True, "storageClassName": "fast"},
    "gpu": True,
    "nodeSelector": {"floor": "2"},
    "tolerations": [{"key": "gpu", "operator": "Exists"}],
    "affinity": {"nodeAffinity": {}},
    "autoscaling": {"enabled": True, "minReplicas": 3, "maxReplicas": 9},
    "service": {"type": "LoadBalancer", "annotations": {"example.org/internal": "true"}},
    "monitoring": {
        "serviceMonitor": True,
        "rules": True,
        "dashboard": True,
        "tokenSecret": "motion-admin",
        "labels": {"release": "prometheus"},
    },
    "relay": {
        "enabled": True,
        "sinks": ["alertmanager+http://alertmanager:9093", "mqtts://floor:${MQTT_PASSWORD}@broker/motion"],
        "kinds": "anomaly",
        "env": [{"name": "MQTT_PASSWORD", "valueFrom": {"secretKeyRef": {"name": "mqtt", "key": "password"}}}],
        "caSecret": "motion-tls",
        "tokenSecret": "motion-token",
        "storageClassName": "fast",
    },
}
WRONG: dict[str, dict[str, Any]] = {
    "tls.secret is missing": {},
    "store.keySecret is missing": SAFE | {"redis": {"enabled": True}},
    "give one of them": SAFE | {"redis": {"enabled": True}, "store": {"keySecret": "k", "urlSecret": "u"}},
    "relay.sinks is empty": SAFE | {"relay": {"enabled": True}},
    "monitoring.tokenSecret is missing": SAFE | {"tokensSecret": "t", "monitoring": {"serviceMonitor": True}},
    "which needs TLS": {"insecure": True, "tls": {"clientCASecret": "c"}},
    "more than maxReplicas": SAFE | {"autoscaling": {"minReplicas": 9, "maxReplicas": 3}},
    "replicas": SAFE | {"replicas": "two"},
    "imag": SAFE | {"imag": {}},
    "settings": SAFE | {"settings": {"port": 1}},
}


def rendered(values: dict[str, Any]) -> list[dict[str, Any]]:
    """All objects that these values make.

    Raises:
        HelmError: The chart, or a value, cannot be used.
    """
    with helm_python.Chart.load(CHART) as chart:
        chart.validate_schema(values)
        files = chart.render(values, name="motion", namespace="floor")
    texts = [text for path, text in files.items() if path.endswith(".yaml")]
    return [document for text in texts for document in yaml.safe_load_all(text) if document]


def check() -> None:
    """Raises where anything is not as it should be."""
    report = helm_python.lint(CHART, SAFE, strict=True)
    faults = [*report["errors"], *(found for found in report["messages"] if found["severity"] >= _WARNING)]
    assert not faults, faults
    objects = 0
    for values in (SAFE, {"insecure": True}, EVERYTHING):
        for document in rendered(values):
            objects += 1
            if document["kind"] == "PrometheusRule":
                assert document["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))
            if not document["apiVersion"].startswith(_OF_OPERATORS):
                kubernetes_validate.validate(document, KUBERNETES, strict=True)
    for message, values in WRONG.items():
        try:
            rendered(values)
        except helm_python.HelmError as error:
            if message not in str(error):
                raise
        else:
            raise AssertionError(f"these values are taken: {values}")
    print(f"{objects} objects are valid, and {len(WRONG)} wrong values are refused")


if __name__ == "__main__":
    check()
