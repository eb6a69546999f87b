"""Requests as views see them, typed once."""

from django.http import HttpRequest
from django_htmx.middleware import HtmxDetails


class HtmxHttpRequest(HttpRequest):
    """Any request: django-htmx's middleware has looked at it."""

    htmx: HtmxDetails


def client_ip(request: HttpRequest) -> str:
    """Return the address of the other end; no header is trusted for it.

    IPv4 through a socket of both families looks like ``::ffff:192.0.2.7``.
    """
    return str(request.META.get("REMOTE_ADDR", "")).removeprefix("::ffff:")
