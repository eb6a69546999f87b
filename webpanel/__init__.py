"""The Django project: wiring only."""

from webpanel.celery import app as celery_app

__all__ = ["celery_app"]
