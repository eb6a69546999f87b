"""How Django loads this app."""

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CoreConfig(AppConfig):
    name = "apps.core"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let every app register who may watch its topics and which events it handles."""
        autodiscover_modules("access", "handlers", "sections", "targets")
