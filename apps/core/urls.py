"""Addresses that belong to no other app."""

from django.urls import path

from apps.core import views

app_name = "core"

urlpatterns = [
    path("styleguide", views.styleguide, name="styleguide"),
]
