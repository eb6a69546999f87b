"""Django's entry to the app ``projects``."""

from django.apps import AppConfig


class ProjectsConfig(AppConfig):
    name = "apps.projects"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the handlers of the agents' events."""
        from apps.projects import handlers, retries, sections  # noqa: F401  registered on import
