"""How Django loads this app."""

from django.apps import AppConfig


class OperationsConfig(AppConfig):
    name = "apps.operations"
    default_auto_field = "django.db.models.BigAutoField"
