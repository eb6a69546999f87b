"""``manage.py init_pki --name localhost --name 192.0.2.7``: make the panel's keys."""

from argparse import ArgumentParser

from django.core.management.base import BaseCommand

from apps.hosts import pki


class Command(BaseCommand):
    """Idempotent: makes only what is missing, see :func:`apps.hosts.pki.init_pki`."""

    help = "Make the panel's keys and certificates, as far as they are missing."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Declare ``--name``."""
        parser.add_argument(
            "--name", action="append", default=[], help="DNS name or IP address of the panel"
        )

    def handle(self, *args: object, name: list[str], **options: object) -> None:
        """Make them."""
        pki.init_pki(tuple(name) or ("localhost", "127.0.0.1"))
