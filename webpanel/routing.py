"""Websocket addresses of the panel; each app lists its own."""

from django.urls import URLPattern, URLResolver

websocket_urlpatterns: list[URLPattern | URLResolver] = []
