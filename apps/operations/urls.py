"""Addresses of operations."""

from django.urls import path

from apps.operations import views

app_name = "operations"

urlpatterns = [
    path("operations/", views.index, name="index"),
    path("operations/<str:uid>/", views.detail, name="detail"),
    path("operations/<str:uid>/cancel/", views.cancel, name="cancel"),
    path("operations/<str:uid>/retry/", views.retry, name="retry"),
]
