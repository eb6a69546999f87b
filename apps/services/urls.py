"""Addresses of containers."""

from django.urls import path

from apps.services import views

app_name = "services"

urlpatterns = [
    # /containers/<host uid>/<container id>/
    path("containers/<str:host_uid>/<str:container_id>/", views.container_detail, name="container"),
    path(
        "containers/<str:host_uid>/<str:container_id>/processes/",
        views.container_processes,
        name="processes",
    ),
    path(
        "containers/<str:host_uid>/<str:container_id>/health/",
        views.container_health,
        name="health",
    ),
    path(
        "containers/<str:host_uid>/<str:container_id>/kernel/",
        views.container_kernel,
        name="kernel",
    ),
    path(
        "containers/<str:host_uid>/<str:container_id>/act/<str:action>/",
        views.container_act,
        name="act",
    ),
]
