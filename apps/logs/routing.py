"""Websocket addresses of the log viewer."""

from django.urls import URLPattern, URLResolver, path

from apps.logs.consumers import ContainerLogConsumer, ProjectLogConsumer

websocket_urlpatterns: list[URLPattern | URLResolver] = [
    path("ws/logs/projects/<str:uid>/", ProjectLogConsumer.as_asgi()),
    path("ws/logs/containers/<str:host_uid>/<str:container_id>/", ContainerLogConsumer.as_asgi()),
]
