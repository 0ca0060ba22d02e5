"""What the site consists of: where each page of the repository goes, and in which section it stands."""

from __future__ import annotations

from dataclasses import dataclass

ELSEWHERE = {
    "README.md": "index.md",
    "deploy/README.md": "operations/running.md",
    "deploy/ray/README.md": "operations/ray.md",
    "service/kineseg_core/bundles/default/README.md": "science/model-card.md",
    "CONTRIBUTING.md": "project/contributing.md",
    "CHANGELOG.md": "project/changelog.md",
    "SECURITY.md": "project/reporting.md",
}
"""Pages that do not lie in `docs`, which is the root of the site."""

UNPLACED = "(pages of docs that no section names)"


@dataclass(frozen=True)
class Section:
    """A part of the site.

    Attributes:
        page: Its first page, without suffix.
        entries: The pages in it, in order; a pattern is all that fit.
        title: Of a first page that is made of this; empty: the page is there.
        text: What the made page says first.
    """

    page: str
    entries: tuple[str, ...]
    title: str = ""
    text: str = ""


SECTIONS = (
    Section(
        "guide/index",
        (
            "/first-timeline",
            "/streaming",
            "/files",
            "/batch",
            "/naming",
            "/tuning",
            "/alerts",
            "/page",
            "/scratch",
            "/training",
            UNPLACED,
        ),
        "Guide",
        "One page for each thing that one wants to do. The [gallery](../gallery/index) shows the same as programs that "
        "run.",
    ),
    Section("gallery/index", ()),
    Section("sources/index", ("*",)),
    Section("sinks/index", ("*",)),
    Section(
        "operations/index",
        ("/operations/*", "/metrics", "/runbook", "/chaos", "/security", "/cost", "/latency", "/robustness"),
        "Operations",
        "Servers: how they are run and kept, who may use them, and what they cost.",
    ),
    Section(
        "reference/index",
        ("/reference/api/index", "commands", "/protocol", "/reference/protocol/*", "events", "/alerts-kinds"),
        "Reference",
        "All names, options, messages and events, taken from the code and the contracts when this site is built.",
    ),
    Section("science/index", ("/method", "/labels", "/embedding", "/quality", "/alerts-measured", "*")),
    Section(
        "project/index",
        ("changelog", "/architecture", "contributing", "reporting"),
        "Project",
        "What has changed, how kineseg is built, and how to change it.",
    ),
)
