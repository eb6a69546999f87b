"""Django's entry to the app ``services``."""

from django.apps import AppConfig


class ServicesConfig(AppConfig):
    name = "apps.services"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the handlers of the agents' events."""
        from apps.services import handlers, sections  # noqa: F401  these register on import
