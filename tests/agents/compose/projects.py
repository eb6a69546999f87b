"""Short ways to load a project in a test."""

from textwrap import dedent

from agents.compose import Checked, Problem, Project, Service, check, load


def check_text(text: str, **options: object) -> Checked:
    """Check one compose file named ``compose.yml`` in a project named demo."""
    files = {"compose.yml": dedent(text), **options.pop("files", {})}
    return check(files, **{"project_name": "demo", **options})


def load_text(text: str, **options: object) -> Project:
    """Load one compose file; raises ComposeErrors."""
    files = {"compose.yml": dedent(text), **options.pop("files", {})}
    return load(files, **{"project_name": "demo", **options})


def load_service(body: str, **options: object) -> Service:
    """Load a project of one service ``web`` with an image and the given keys."""
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    text = f"services:\n  web:\n    image: app\n{lines}"
    return load_text(text, **options).services["web"]


def service_problems(body: str, **options: object) -> list[Problem]:
    """Return what is wrong with a service ``web`` that has the given keys."""
    lines = "".join(f"    {line}\n" for line in dedent(body).strip().splitlines())
    text = f"services:\n  web:\n    image: app\n{lines}"
    return list(check_text(text, **options).problems)
