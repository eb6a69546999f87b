"""What agents fetch from the panel over TLS before they have a place in it.

Nothing here is secret but what the join token opens; there are no cookies and no sessions.
"""

import re
from pathlib import Path

import msgspec
from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from agents.protocol.enrolment import EnrolmentProblem, EnrolmentRequest
from apps.core.errors import InvalidInputError, PanelError
from apps.core.http import client_ip
from apps.hosts import joining, pki

MAX_BODY = 64 * 1024
MAX_TOKEN = 256
_INSTALLER = Path(__file__).with_name("installer") / "install.py"
_SERVED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]*\.whl|SHA256SUMS|requirements\.txt")


@csrf_exempt
@require_POST
def enrol(request: HttpRequest) -> HttpResponse:
    """``POST /agent/enrol``: take a host in, see :mod:`agents.protocol.enrolment`."""
    try:
        reply = joining.enrol_host(_read_request(request), ip=client_ip(request))
    except PanelError as error:
        problem = EnrolmentProblem(code=error.code, message=error.message, hint=error.hint)
        return _json(problem, status=error.status)
    return _json(reply)


@csrf_exempt
@require_POST
def token(request: HttpRequest) -> HttpResponse:
    """``POST /agent/token``: what is wrong with the token in the body; no words if nothing is.

    The installer asks before it installs anything; the token is not used up.
    """
    try:
        joining.check_token(request.body[:MAX_TOKEN].decode("ascii", "replace"))
    except PanelError as error:
        return _json(EnrolmentProblem(code=error.code, message=error.message, hint=error.hint))
    return _json(EnrolmentProblem(code="", message=""))


@require_safe
def ca_certificate(request: HttpRequest) -> HttpResponse:
    """``GET /agent/ca.pem``: the authority; agents check it against the pin that they have."""
    return HttpResponse(pki.ca_certificate_pem(), content_type="application/x-pem-file")


@require_safe
def install_script(request: HttpRequest) -> HttpResponse:
    """``GET /agent/install.py``: the script that the pasted line runs; holds no token."""
    return HttpResponse(_INSTALLER.read_bytes(), content_type="text/x-python; charset=utf-8")


@require_safe
def wheels(request: HttpRequest) -> HttpResponse:
    """``GET /agent/wheels/``: the names of the served files, one a line."""
    folder = Path(settings.WHEELS_DIR)
    names = sorted(path.name for path in folder.glob("*") if _SERVED.fullmatch(path.name))
    return HttpResponse("".join(f"{name}\n" for name in names), content_type="text/plain")


@require_safe
def wheel(request: HttpRequest, name: str) -> HttpResponse:
    """``GET /agent/wheels/<name>``: one file."""
    path = Path(settings.WHEELS_DIR) / name
    if not _SERVED.fullmatch(name) or not path.is_file():
        raise Http404
    return HttpResponse(path.read_bytes(), content_type="application/octet-stream")


def _read_request(request: HttpRequest) -> EnrolmentRequest:
    if int(request.headers.get("Content-Length") or 0) > MAX_BODY:
        raise InvalidInputError("The request is too long.")
    try:
        return msgspec.json.decode(request.body, type=EnrolmentRequest)
    except msgspec.MsgspecError as error:
        raise InvalidInputError(f"The request cannot be read: {error}") from error


def _json(message: msgspec.Struct, status: int = 200) -> HttpResponse:
    body = msgspec.json.encode(message)
    return HttpResponse(body, status=status, content_type="application/json")
