"""Looking into a container on its host, at the moment of the request."""

import msgspec

from agents.protocol.control import ContainerFindings, Look, LookAtContainer
from apps.core.errors import UnavailableError
from apps.core.ids import new_uid
from apps.operations.control import ask_host
from apps.services.models import Container

_DECODER = msgspec.json.Decoder(ContainerFindings)


def look_at(container: Container, what: Look) -> ContainerFindings:
    """Return what the host finds; blocks for some seconds at most.

    Raises :class:`UnavailableError` when the host is offline or does not answer, or says what
    it finds in a way that cannot be read.
    """
    host = container.host
    if not host.is_online:
        raise UnavailableError(f"{host.name} is offline.", hint="It answers once it is back.")
    request_id = new_uid()
    request = LookAtContainer(request_id=request_id, container_id=container.container_id, what=what)
    answer = ask_host(host, request, request_id, "findings")
    try:
        findings = _DECODER.decode(answer)
    except msgspec.MsgspecError as error:
        raise UnavailableError(
            f"What {host.name} answers cannot be read.", hint="Bring its agent up to date."
        ) from error
    if not findings.error and getattr(findings, what) is None:
        raise UnavailableError(f"{host.name} did not say.", hint="Bring its agent up to date.")
    return findings
