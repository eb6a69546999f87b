"""The ASGI application: Django for HTTP, Channels for websockets."""

import os

from channels.auth import AuthMiddlewareStack
from channels.routing import ProtocolTypeRouter, URLRouter
from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "webpanel.settings.production")
http_application = get_asgi_application()

from apps.core.bodies import LimitBody  # noqa: E402  as below
from apps.core.origin import SameOriginOnly  # noqa: E402  as below
from webpanel.routing import websocket_urlpatterns  # noqa: E402  needs the apps to be ready

application = ProtocolTypeRouter(
    {
        "http": LimitBody(http_application),
        "websocket": SameOriginOnly(AuthMiddlewareStack(URLRouter(websocket_urlpatterns))),
    }
)
