"""A real broker of MQTT and a real server of NATS, or the test is skipped."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest

from evaluation.capture import brokers
from evaluation.capture.brokers import MOSQUITTO, Broker, NoBroker

__all__ = ["MOSQUITTO", "Broker", "found", "mosquitto", "nats_server"]


def found(name: str, remedy: str) -> str:
    """A program of the system's, or of this environment."""
    try:
        return brokers.found(name, remedy)
    except NoBroker as error:
        pytest.skip(str(error))


def mosquitto(folder: Path, *settings: str) -> contextlib.AbstractContextManager[Broker]:
    """A broker of MQTT; settings are lines for its file, instead of letting everybody in."""
    found("mosquitto", MOSQUITTO)
    return brokers.mosquitto(folder, *settings)


def nats_server(*options: str) -> contextlib.AbstractContextManager[Broker]:
    """A server of NATS."""
    found("nats-server", brokers.NATS)
    return brokers.nats_server(*options)
