"""``manage.py local_join_token``: print a join token for this machine."""

from django.core.management.base import BaseCommand

from apps.accounts.setup import first_team
from apps.hosts.joining import create_join_token


class Command(BaseCommand):
    """Each call makes a new token, good for one host and one hour."""

    help = "Print a one-time token by which a host joins the first team."

    def handle(self, *args: object, **options: object) -> None:
        """Print the token and nothing else."""
        self.stdout.write(create_join_token(None, first_team()).token.reveal())
