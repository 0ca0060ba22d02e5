"""What `serve run` and `serve deploy` start: replicas, and the directory of them (see ``deploy/ray``)."""

from __future__ import annotations

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator
from ray import serve

from kineseg_service.config import Settings
from kineseg_service.on_ray.directory import Directory
from kineseg_service.on_ray.replica import Replica
from kineseg_service.on_ray.scaling import ByOpenStreams

_ENDING_S = 10.0
"""What a replica may take to end beyond what its streams and its store may."""


class Choices(BaseModel):
    """The arguments of the application."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    settings: dict[str, Any] = Field({}, description="Of each server, as in its TOML file or KINESEG_*.")
    min_replicas: int = Field(1, ge=1, description="Fewest servers.")
    max_replicas: int = Field(16, ge=1, description="Most servers.")
    streams_per_replica: float = Field(100.0, gt=0, description="Open streams for which there is a server.")
    upscale_delay_s: float = Field(10.0, ge=0, description="So long there must be too few before one is started.")
    downscale_delay_s: float = Field(300.0, ge=0, description="So long there must be too many before one is ended.")
    window_s: float = Field(10.0, gt=0, description="Open streams are a mean of so many seconds.")
    cpus: float = Field(1.0, gt=0, description="Cores that Ray sets aside for a server.")
    gpus: float = Field(0.0, ge=0, description="GPUs, or a share of one, that Ray sets aside for a server.")

    @model_validator(mode="after")
    def _together(self) -> Self:
        if self.max_replicas < self.min_replicas:
            raise ValueError(
                f"max_replicas is {self.max_replicas}, less than min_replicas, which is {self.min_replicas}"
            )
        Settings(**self.settings)  # here, where whoever deploys sees what is wrong
        return self


def application(args: dict[str, Any]) -> Any:
    """The application.

    Args:
        args: As of `Choices`.

    Raises:
        pydantic.ValidationError: An argument, or a setting of the servers, cannot be used; names it.
    """
    choices = Choices.model_validate(args)
    replica = serve.deployment(
        Replica,
        name="Server",
        autoscaling_config={
            "min_replicas": choices.min_replicas,
            "max_replicas": choices.max_replicas,
            "upscale_delay_s": choices.upscale_delay_s,
            "downscale_delay_s": choices.downscale_delay_s,
            "metrics_interval_s": choices.window_s / 5,
            "look_back_period_s": choices.window_s,
            "policy": {
                "policy_function": f"{ByOpenStreams.__module__}:{ByOpenStreams.__name__}",
                "policy_kwargs": {"streams_per_replica": choices.streams_per_replica},
            },
        },
        ray_actor_options={"num_cpus": choices.cpus, "num_gpus": choices.gpus},
        health_check_period_s=2.0,
        graceful_shutdown_wait_loop_s=0.1,  # no calls of Serve's are open for long
        graceful_shutdown_timeout_s=2 * Settings(**choices.settings).drain_grace_s + _ENDING_S,
    )
    directory = serve.deployment(Directory, name="Directory", ray_actor_options={"num_cpus": 0.0})
    return directory.bind(replica.bind(choices.settings))
