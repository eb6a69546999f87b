"""``manage.py password_link NAME``: print a link by which NAME chooses a new password."""

from argparse import ArgumentParser

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from apps.accounts.models import User
from apps.accounts.passwords import make_password_path


class Command(BaseCommand):
    """For an owner who has nobody to ask."""

    help = "Print a one-time link by which somebody chooses a new password."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare the name and ``--base-url``."""
        parser.add_argument("name")
        parser.add_argument("--base-url", default=settings.PUBLIC_URLS[0])

    def handle(self, *args: object, name: str, base_url: str, **options: object) -> None:
        """Print one line."""
        user = User.objects.filter(username__iexact=name, is_active=True).first()
        if user is None:
            raise CommandError(f"Nobody is called {name}.")
        self.stdout.write(base_url.rstrip("/") + make_password_path(user))
