"""Requests as views see them, typed once."""

from typing import TYPE_CHECKING

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails

if TYPE_CHECKING:
    from apps.accounts.models import User


class HtmxHttpRequest(HttpRequest):
    """Any request: django-htmx's middleware has looked at it."""

    htmx: HtmxDetails


class AuthenticatedHttpRequest(HtmxHttpRequest):
    """A request behind ``login_required``."""

    user: "User"


def client_ip(request: HttpRequest) -> str:
    """Return the address of the other end; no header is trusted for it."""
    return str(request.META.get("REMOTE_ADDR", ""))
