"""Websocket addresses of the panel; each app lists its own."""

from django.urls import URLPattern, URLResolver, path, re_path

from apps.core.consumers import NothingConsumer, UpdatesConsumer
from apps.logs import routing as logs
from apps.operations.consumers import OperationConsumer
from apps.services import routing as services

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/updates/", UpdatesConsumer.as_asgi()),
    path("ws/operations/<str:uid>/", OperationConsumer.as_asgi()),
    *logs.websocket_urlpatterns,
    *services.websocket_urlpatterns,
    re_path("", NothingConsumer.as_asgi()),
]
