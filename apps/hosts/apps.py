"""How Django loads this app."""

from django.apps import AppConfig


class HostsConfig(AppConfig):
    name = "apps.hosts"
    default_auto_field = "django.db.models.BigAutoField"
