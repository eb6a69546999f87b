"""Websocket addresses of containers."""

from django.urls import URLPattern, URLResolver, path

from apps.services.consumers import FiguresConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/containers/<str:host_uid>/<str:container_id>/figures/", FiguresConsumer.as_asgi()),
]
