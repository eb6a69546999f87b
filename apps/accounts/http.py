"""Requests of people who are signed in."""

from apps.accounts.models import User
from apps.core.http import HtmxHttpRequest


class AuthenticatedHttpRequest(HtmxHttpRequest):
    """A request behind ``login_required``."""

    user: User
