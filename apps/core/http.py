"""Requests as views see them, typed once."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """Any request: django-htmx's middleware has looked at it."""

    htmx: HtmxDetails


def client_ip(request: HttpRequest) -> str:
    """Return the address of the other end; no header is trusted for it."""
    return str(request.META.get("REMOTE_ADDR", ""))
