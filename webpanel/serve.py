"""The web process: ``python -m webpanel.serve``.

One event loop with two listeners: plain HTTP on loopback, for the machine's own browser,
and HTTPS on all addresses with the panel's certificate.
"""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import django
import uvicorn

GRACE_SECONDS = 3
WEBSOCKET_MESSAGE_BYTES = 1024 * 1024


class Listener(uvicorn.Server):
    """A uvicorn server that leaves signals to :func:`serve`, as there are two."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Change nothing."""
        yield


def main() -> None:
    """Serve until SIGTERM or SIGINT."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webpanel.settings.production")
    django.setup()
    asyncio.run(serve())


async def serve() -> None:
    """Run both listeners; a signal, or the end of one, ends both."""
    from django.conf import settings

    from apps.hosts.pki import pki_path

    plain = make_listener()
    secure = make_listener(pki_path("panel.pem"), pki_path("panel.key"))
    _stop_on_signals(plain, secure)
    tasks = [
        asyncio.create_task(plain.serve([open_socket(settings.HTTP_HOST, settings.HTTP_PORT)])),
        asyncio.create_task(secure.serve([open_socket("", settings.HTTPS_PORT)])),
    ]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    plain.should_exit = secure.should_exit = True
    await asyncio.gather(*tasks)


def make_listener(certificate: Path | None = None, key: Path | None = None) -> Listener:
    """Return a server of the panel's application, over TLS if given a certificate."""
    from webpanel.asgi import application

    return Listener(
        uvicorn.Config(
            application,
            loop="asyncio",
            lifespan="off",
            ws="websockets-sansio",
            ws_max_size=WEBSOCKET_MESSAGE_BYTES,
            log_config=None,
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_graceful_shutdown=GRACE_SECONDS,
            ssl_certfile=certificate,
            ssl_keyfile=key,
        )
    )


def open_socket(host: str, port: int) -> socket.socket:
    """Listen on ``host``, or on all addresses of both families if it is ""."""
    if not host and socket.has_dualstack_ipv6():
        return socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
        )
    return socket.create_server((host, port), backlog=512)


def _stop_on_signals(*listeners: Listener) -> None:
    def stop() -> None:
        for listener in listeners:
            listener.should_exit = True

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)


if __name__ == "__main__":
    main()
