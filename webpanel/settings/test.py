"""Settings of the tests: nothing is read from or written to the panel's home.

``WEBPANEL_TEST_DATABASE_URL`` runs them on PostgreSQL; its user must be able to make
databases.
"""

import atexit
import os
import shutil
import tempfile
from pathlib import Path

_SCRATCH = Path(tempfile.mkdtemp(prefix="webpanel-test-"))
(_SCRATCH / "static").mkdir()
_OWNER = os.getpid()


def _remove_scratch() -> None:
    if os.getpid() == _OWNER:
        shutil.rmtree(_SCRATCH, ignore_errors=True)


atexit.register(_remove_scratch)
os.environ["WEBPANEL_HOME"] = str(_SCRATCH)

from webpanel.settings.base import *  # noqa: E402, F403  the home must be set first
from webpanel.settings.databases import database  # noqa: E402  as above

SECRET_KEY = "only-for-tests"  # noqa: S105  signs nothing outside a test
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {"default": database(os.environ.get("WEBPANEL_TEST_DATABASE_URL", ""), _SCRATCH)}
# Threads of consumers close theirs at once, lest one be left when the database is dropped.
DATABASES["default"]["CONN_MAX_AGE"] = 0
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["TEST"] = {"NAME": str(_SCRATCH / "test.sqlite3")}
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
