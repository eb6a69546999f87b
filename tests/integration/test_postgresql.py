"""The panel on PostgreSQL, as compose.yml runs it: a server of its own, the panel's own tests."""

import os
import subprocess
import sys

import pytest

from tests.installed import ROOT
from tests.postgresql import running_postgresql

# What speaks to the database in its own way: guarded changes, locks, upserts, long texts.
TESTS = (
    "tests/apps/test_at_the_same_time.py",
    "tests/apps/accounts",
    "tests/apps/hosts",
    "tests/apps/operations",
    "tests/apps/projects",
    "tests/apps/services",
)


@pytest.mark.slow
@pytest.mark.redis
def test_the_panels_own_tests_pass_on_postgresql() -> None:
    with running_postgresql() as server:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-q", *TESTS],
            cwd=ROOT,
            env={**os.environ, "WEBPANEL_TEST_DATABASE_URL": server.url},
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, f"{done.stdout}\n{server.log}"
