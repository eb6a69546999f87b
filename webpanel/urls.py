"""Addresses of the panel; each app lists its own."""

from django.urls import include, path

from apps.core.health import healthz

urlpatterns = [
    path("healthz", healthz, name="healthz"),
    path("accounts/", include("allauth.urls")),
    path("", include("apps.core.urls")),
    path("", include("apps.accounts.urls")),
    path("", include("apps.hosts.urls")),
    path("", include("apps.operations.urls")),
    path("", include("apps.services.urls")),
    path("", include("apps.projects.urls")),
    path("", include("apps.logs.urls")),
]
