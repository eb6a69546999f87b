"""The panel that tests share: set up once per run, removed at its end."""

import os
from collections.abc import Iterator

import pytest

from tests.installed import InstalledPanel, make_installed_panel


@pytest.fixture(scope="session")
def installed_panel() -> Iterator[InstalledPanel]:
    """A real installation, as ``python3 -m setup up`` leaves it: nobody has signed up yet.

    Whoever needs an account takes it from :meth:`InstalledPanel.owner` or
    :meth:`InstalledPanel.sign_in`.
    """
    if os.geteuid() != 0:
        pytest.skip("Setting a panel up needs root.")
    panel = make_installed_panel()
    try:
        panel.up()
        yield panel
    finally:
        panel.purge()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Add the end of the panel's logs to the report of a test that failed on it."""
    outcome = yield
    report = outcome.get_result()
    panel = getattr(item, "funcargs", {}).get("installed_panel")
    if report.failed and panel is not None:
        report.sections.append(("Logs of the installed panel", panel.logs()))
