"""Addresses of hosts, and of what agents fetch."""

from django.urls import path

from apps.hosts import agent_views, views

app_name = "hosts"

urlpatterns = [
    # /hosts/
    path("hosts/", views.index, name="index"),
    path("hosts/add/", views.add, name="add"),
    path("hosts/tokens/<str:uid>/revoke/", views.revoke_token, name="revoke-token"),
    path("hosts/<str:uid>/", views.detail, name="detail"),
    path("hosts/<str:uid>/rename/", views.rename, name="rename"),
    path("hosts/<str:uid>/revoke/", views.revoke, name="revoke"),
    # /agent/
    path("agent/enrol", agent_views.enrol, name="enrol"),
    path("agent/token", agent_views.token, name="token"),
    path("agent/ca.pem", agent_views.ca_certificate, name="ca-certificate"),
    path("agent/install.py", agent_views.install_script, name="install-script"),
    path("agent/wheels/", agent_views.wheels, name="wheels"),
    path("agent/wheels/<str:name>", agent_views.wheel, name="wheel"),
]
