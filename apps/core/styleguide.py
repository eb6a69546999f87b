"""The examples of ``/styleguide``: each component in each of its states."""

from dataclasses import dataclass
from typing import get_args

from django import forms

from apps.core.components import Crumb, KeyValue, Tab, Tone
from apps.core.icons import icon_names

TONES: tuple[str, ...] = get_args(Tone)

COMPOSE_FILE = """\
services:
  web:
    build: ./web
    ports: ["8080:80"]
    environment:
      GREETING: "hello"  # shown on the page
    depends_on: [cache]
  cache:
    image: redis:7
    restart: unless-stopped
"""


@dataclass(frozen=True, kw_only=True)
class State:
    """A state as a choice gives it: a label and a tone."""

    label: str
    tone: Tone


@dataclass(frozen=True, kw_only=True)
class ServiceRow:
    """One line of the example table."""

    name: str
    image: str
    state: State
    ports: str
    cpu: str


@dataclass(frozen=True, kw_only=True)
class Line:
    """One example line of a log."""

    time: str
    source: str
    series: int
    text: str
    stream: str = "stdout"


class ExampleForm(forms.Form):
    """One field of each kind; bound to wrong values it shows its errors."""

    name = forms.CharField(help_text="Lower-case letters, digits and dashes.")
    host = forms.ChoiceField(choices=[("atlas", "atlas"), ("boreas", "boreas")])
    notes = forms.CharField(widget=forms.Textarea(attrs={"rows": 3}), required=False)
    start = forms.BooleanField(label="Start it at once", required=False)


RUNNING = State(label="Running", tone="success")
STATES = (
    State(label="Created", tone="neutral"),
    State(label="Building", tone="busy"),
    RUNNING,
    State(label="Degraded", tone="warning"),
    State(label="Failed", tone="danger"),
    State(label="Scheduled", tone="info"),
)
ROWS = (
    ServiceRow(name="web", image="shop/web:3.2", state=RUNNING, ports="8080 → 80", cpu="3.1 %"),
    ServiceRow(name="worker", image="shop/web:3.2", state=STATES[1], ports="", cpu="–"),
    ServiceRow(name="mail", image="mailer:1.0", state=STATES[4], ports="2525 → 25", cpu="–"),
    ServiceRow(name="cache", image="redis:7", state=RUNNING, ports="", cpu="0.4 %"),
)
LINES = (
    Line(time="14:03:07.042", source="web", series=1, text="GET /healthz 200 in 1.2 ms"),
    Line(time="14:03:07.118", source="cache", series=2, text="Background saving started by pid 41"),
    Line(
        time="14:03:07.480",
        source="mail",
        series=3,
        stream="stderr",
        text="connect to smtp.example.org:25: connection refused, trying again in 5 s",
    ),
    Line(time="14:03:08.001", source="web", series=1, text="GET /cart 200 in 8.7 ms"),
)
TABS = (
    Tab(label="Services", url="#services", icon="service", active=True, count=4),
    Tab(label="Files", url="#files", icon="file"),
    Tab(label="Logs", url="#logs", icon="logs"),
    Tab(label="Operations", url="#operations", icon="operations", count=12),
)
PANELS = (
    Tab(label="Overview", panel="panel-overview", active=True),
    Tab(label="Environment", panel="panel-environment", count=3),
    Tab(label="Labels", panel="panel-labels"),
)
CRUMBS = (
    Crumb(label="Projects", url="/projects/"),
    Crumb(label="shop", url="/projects/"),
    Crumb(label="Logs"),
)
VALUES = (
    KeyValue(label="Engine", value="native"),
    KeyValue(label="Address", value="10.0.4.17"),
    KeyValue(label="Kernel", value="6.1.0-26-amd64"),
    KeyValue(label="Description", value=""),
)


def examples() -> dict[str, object]:
    """The values that templates/core/styleguide.html shows."""
    return {
        "tones": TONES,
        "states": STATES,
        "rows": ROWS,
        "lines": LINES,
        "tabs": TABS,
        "panels": PANELS,
        "crumbs": CRUMBS,
        "values": VALUES,
        "icons": sorted(icon_names()),
        "compose_file": COMPOSE_FILE,
        "form": ExampleForm(initial={"name": "shop", "start": True}),
        "wrong_form": ExampleForm({"name": "", "host": "zephyr", "notes": "Nightly copy."}),
    }
