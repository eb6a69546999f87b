"""The panel's Celery app: worker and beat take their work from ``panel.default``.

Commands to hosts leave through it too; see :mod:`apps.operations.sending`.
"""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webpanel.settings.production")

app = Celery("webpanel")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
