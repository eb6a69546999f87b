"""``manage.py setup_link``: print the link by which the first owner comes in."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand

from apps.accounts.setup import owner_exists, renew_setup_token


class Command(BaseCommand):
    """Each call makes a new link and ends the one before it."""

    help = "Print the one-time link for the first owner."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare ``--base-url``."""
        parser.add_argument("--base-url", default=settings.PUBLIC_URLS[0])

    def handle(self, *args: object, base_url: str, **options: object) -> None:
        """Print one line."""
        base = base_url.rstrip("/")
        if owner_exists():
            self.stdout.write(f"The panel is at {base}/")
            return
        token = renew_setup_token()
        self.stdout.write(f"Open this link to begin: {base}/setup/{token.reveal()}/")
