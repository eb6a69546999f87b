"""``manage.py seed_demo``: have the demo project run on the panel's own machine."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand, CommandError

from apps.core.errors import PanelError
from apps.projects.demo import seed_demo


class Command(BaseCommand):
    """Safe to run again: it does nothing once there was a demo."""

    help = "Deploy the demo project to the first host, and wait until it runs."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add ``--wait``."""
        parser.add_argument("--wait", type=float, default=120.0, metavar="SECONDS")

    def handle(self, *args: object, wait: float, **options: object) -> None:
        """Print one line when it runs; raises ``CommandError`` with the reason when not."""
        try:
            project = seed_demo(wait)
        except PanelError as error:
            raise CommandError(f"{error.message} {error.hint}".strip()) from error
        self.stdout.write(f"The project {project.name} is on {project.host.name}.")
