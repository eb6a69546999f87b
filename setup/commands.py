"""The commands: up, down, status, logs, test, check, bench."""

from __future__ import annotations

import os
from pathlib import Path

from setup import installation as installations
from setup import panel, redis, supervise, system, tools, wheels
from setup.alone import alone
from setup.checks import check_file_system, check_machine, check_path
from setup.installation import Installation
from setup.places import CHECKOUT, Places
from setup.problem import Problem
from setup.run import run, say, show, step
from setup.stamps import is_current, once


def up(places: Places) -> None:
    """Bring this machine to a running panel, and print one link."""
    check_machine()
    check_path(places.home, "WEBPANEL_HOME")
    check_path(places.run, "WEBPANEL_RUN")
    check_path(CHECKOUT, "where you cloned it")
    check_file_system(places.home)
    with alone(places):
        _bring_up(places)


def _bring_up(places: Places) -> None:
    chosen = installations.load_installation(places)
    if not supervise.is_running(places):
        installations.check_ports(chosen)
    install(places, ("panel", "agent"))
    installations.save_installation(places, chosen)
    start(places, chosen)
    join(places, chosen)
    finish(places, chosen)


def install(places: Places, groups: tuple[str, ...]) -> None:
    """Install system parts, tools, the locked environment and the front end."""
    system.install_packages(system.RUN_PACKAGES)
    tools.install_tools(places)
    tools.sync_environment(places, groups)
    tools.build_front_end()


def start(places: Places, chosen: Installation) -> None:
    """Start Redis, web, worker and beat; restart what runs on older code."""
    panel.write_settings(places, chosen)
    panel.prepare(places, chosen)
    wheels.make_wheels(places)
    redis.configure_redis(places, chosen)
    stale = _stale_programs(places) if supervise.is_running(places) else ()
    supervise.write_configuration(places)
    supervise.start(places)
    if stale:
        supervise.restart(places, stale)
    _remember_running(places)
    supervise.wait_until(
        lambda: panel.answers(places, chosen), 40, "The panel does not answer.", places
    )


def _stale_programs(places: Places) -> tuple[str, ...]:
    """Return the programs that run on older code, settings or certificates."""
    panel_is_old = not is_current(places.stamps / "running", panel.source_digest(places))
    redis_is_old = not is_current(places.stamps / "redis", redis.settings_digest(places))
    return (
        *(("redis",) if redis_is_old else ()),
        *((*supervise.PANEL, *_agent(places)) if panel_is_old or redis_is_old else ()),
    )


def _remember_running(places: Places) -> None:
    places.stamps.mkdir(parents=True, exist_ok=True)
    (places.stamps / "running").write_text(panel.source_digest(places))
    (places.stamps / "redis").write_text(redis.settings_digest(places))


def _agent(places: Places) -> tuple[str, ...]:
    return ("agent",) if (places.agent / "agent.json").exists() else ()


def join(places: Places, chosen: Installation) -> None:
    """Enrol this machine as the first host, as any other host joins, and start its agent."""
    if not _agent(places):
        with step("Joining this machine as a host"):
            _enrol(places, chosen)
    config = str(places.agent / "agent.json")
    once(
        places.stamps / "base-image",
        "busybox",
        lambda: _run_agent(places, "image", "seed", "--config", config),
    )
    supervise.write_configuration(places)
    supervise.start(places)


def _enrol(places: Places, chosen: Installation) -> None:
    folders = ("--root", str(places.agent), "--run", str(places.run / "agent"))
    address = ("--panel", f"https://127.0.0.1:{chosen.https_port}")
    proof = ("--ca-sha256", panel.ca_sha256(places))
    token = panel.manage(places, "local_join_token").strip()
    _run_agent(places, "join", *folders, *address, *proof, "--token", token)


def _run_agent(places: Places, *words: str) -> None:
    run(
        [str(places.python), "-m", "agents", *words],
        cwd=CHECKOUT,
        failed=f"The agent's command {words[0]!r} failed.",
        do=supervise.log_advice(places),
    )


def finish(places: Places, chosen: Installation) -> None:
    """Start the demo project at the first time, and print the link."""
    if not (places.stamps / "demo").exists():
        with step("Deploying the demo project"):
            panel.manage(places, "seed_demo")
        (places.stamps / "demo").write_text("seeded")
    link = panel.manage(places, "setup_link", "--base-url", installations.link_base(chosen)).strip()
    say("")
    say(link)


def down(places: Places) -> None:
    """Stop the panel; what it deployed goes on running."""
    supervise.stop(places)
    say("The panel is stopped. Containers go on; `make up` takes them up again.")


def status(places: Places) -> None:
    """Say what runs. Exits with 1 if something does not."""
    if not supervise.is_running(places):
        say("The panel is stopped. Start it with: make up")
        raise SystemExit(1)
    lines = supervise.status_lines(places)
    say(lines.rstrip())
    chosen = installations.load_installation(places)
    say(f"address  {installations.link_base(chosen)}")
    raise SystemExit(0 if all("RUNNING" in line for line in lines.splitlines()) else 1)


def logs(places: Places) -> None:
    """Follow the logs of all programs until Ctrl+C."""
    files = sorted(str(path) for path in places.logs.glob("*.log"))
    if not files:
        raise Problem(f"There are no logs in {places.logs}.", "Start the panel with: make up")
    show(["tail", "-n", os.environ.get("LINES", "40"), "-F", *files])


def password(places: Places, name: str = "") -> None:
    """Print a link by which somebody who forgot their password chooses a new one."""
    if not name:
        raise Problem("Whose password?", "Give the name: make password NAME=ada")
    base = installations.link_base(installations.load_installation(places))
    say(panel.manage(places, "password_link", name, "--base-url", base).strip())


def purge(places: Places) -> None:
    """Stop everything, containers included, and remove what this installation made."""
    agent = places.agent / "agent.json"
    if places.supervisor_config.exists():
        supervise.stop(places)
    if agent.exists():
        with step("Removing containers, networks and images"):
            _run_agent(places, "purge", "--config", str(agent))
    _remove_tree(places.home)
    _remove_tree(places.run)


def _remove_tree(folder: Path) -> None:
    """Remove a folder, but never through a mount point."""
    if folder.exists():
        run(["rm", "--recursive", "--force", "--one-file-system", str(folder)])


def test(places: Places, *arguments: str) -> None:
    """Set up what the tests need and run them all. Exits with pytest's code."""
    check_machine()
    system.install_packages((*system.RUN_PACKAGES, *system.test_packages()))
    install(places, ("panel", "agent", "dev"))
    code = show([str(places.python), "-m", "pytest", *arguments], cwd=CHECKOUT)
    node = show(tools.npm_argv(["test", "--silent"]), cwd=CHECKOUT, env=tools.node_environment())
    raise SystemExit(code or node)


def check(places: Places) -> None:
    """Check style, types, imports and migrations without running the tests."""
    check_machine()
    install(places, ("panel", "agent", "dev"))
    python = str(places.python)
    env = {"DJANGO_SETTINGS_MODULE": "webpanel.settings.test"}
    failed = [
        " ".join(words)
        for words in (
            ["-m", "ruff", "check", "."],
            ["-m", "ruff", "format", "--check", "."],
            ["-m", "mypy", "agents", "apps", "webpanel", "setup"],
            ["-c", "from importlinter.cli import lint_imports_command as c; c()"],
            ["manage.py", "check", "--fail-level", "WARNING"],
            ["manage.py", "makemigrations", "--check", "--dry-run"],
        )
        if show([python, *words], cwd=CHECKOUT, env=env) != 0
    ]
    if failed:
        raise Problem("These checks failed: " + "; ".join(failed) + ".", "Mend what they name.")


def bench(places: Places) -> None:
    """Measure, print a table and write build/bench.json."""
    check_machine()
    system.install_packages((*system.RUN_PACKAGES, *system.test_packages()))
    install(places, ("panel", "agent", "dev"))
    raise SystemExit(show([str(places.python), "-m", "benchmarks"], cwd=CHECKOUT))
