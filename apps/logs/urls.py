"""Addresses of logs."""

from django.urls import path

from apps.logs import views

app_name = "logs"

urlpatterns = [
    path("projects/<str:uid>/logs/", views.project_logs, name="project"),
]
