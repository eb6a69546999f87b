"""Shows at the end of a run how far we agree with the reference tools."""

import pytest

from tests.conformance.oracles import SCORES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print passed/total of each file of recorded answers."""
    for score in SCORES:
        terminalreporter.write_line(f"{score.name}: {score.passed}/{score.total} agree")
