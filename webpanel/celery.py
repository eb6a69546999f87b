"""The panel's Celery app: worker and beat take their work from ``panel.default``.

Commands to hosts leave through it too; see :mod:`apps.operations.sending`.
"""

import os

from celery import Celery
from celery.signals import setup_logging, worker_init

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webpanel.settings.production")

app = Celery("webpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Views run in threads of their own, where "current" would mean another app.
app.set_default()


@worker_init.connect
def add_receiver(**_kwargs: object) -> None:
    """Let the worker read events; needs the apps to be ready, hence not at import."""
    from apps.operations.bootstep import ReceiverStep

    app.steps["worker"].add(ReceiverStep)


@setup_logging.connect
def keep_django_logging(**_kwargs: object) -> None:
    """Leave logging to the settings: Celery sets up none where this signal has a receiver."""
