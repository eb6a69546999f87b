"""What every answer bears, and how the panel's own errors reach people."""

import json
import secrets
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.core.errors import PanelError

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-{nonce}'; "
    "img-src 'self' data:; font-src 'self'; connect-src 'self'; form-action 'self'; "
    "manifest-src 'self'; frame-ancestors 'none'; base-uri 'none'"
)
_FEATURES = "camera=(), microphone=(), geolocation=()"
_GetResponse = Callable[[HttpRequest], HttpResponse]


class SecurityHeadersMiddleware:
    """Sets a strict Content-Security-Policy; marks cookies secure on a secure request.

    ``request.csp_nonce`` is for styles that the editor makes at run time.
    """

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the headers."""
        nonce = secrets.token_urlsafe(16)
        request.csp_nonce = nonce  # type: ignore[attr-defined]  # read by templates
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=nonce))
        response.headers.setdefault("Permissions-Policy", _FEATURES)
        if request.is_secure():
            for cookie in response.cookies.values():
                cookie["secure"] = True
        return response


class PanelErrorMiddleware:
    """Shows a :class:`PanelError` that a view lets through: a page, or a toast for htmx."""

    def __init__(self, get_response: _GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer as the view does."""
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """Turn the panel's own errors into answers; leave all others to Django."""
        if not isinstance(error, PanelError):
            return None
        if request.headers.get("HX-Request"):
            return _toast(error)
        return render(request, "core/error.html", {"error": error}, status=error.status)


def _toast(error: PanelError) -> HttpResponse:
    """Leave the page as it is and say what is wrong; see static/js/toast.js."""
    toast = {"tone": "danger", "title": error.message, "text": error.hint}
    headers = {"HX-Reswap": "none", "HX-Trigger": json.dumps({"toast": toast})}
    return HttpResponse(status=error.status, headers=headers)
