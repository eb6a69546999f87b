"""Addresses of accounts, teams and the audit log."""

from django.urls import path

from apps.accounts import views

app_name = "accounts"

urlpatterns = [
    path("setup/<str:token>/", views.setup, name="setup"),
    path("join/<str:token>/", views.join, name="join"),
    path("password/<int:pk>/<str:token>/", views.new_password, name="new-password"),
    path("settings/", views.settings_page, name="settings"),
    # /team/
    path("team/", views.team, name="team"),
    path("team/invite/", views.invite, name="invite"),
    path("team/invitations/<int:pk>/revoke/", views.revoke_invitation, name="revoke-invitation"),
    path("team/members/<int:pk>/role/", views.change_role, name="change-role"),
    path("team/members/<int:pk>/password/", views.offer_password, name="offer-password"),
    path("team/members/<int:pk>/remove/", views.remove_member, name="remove-member"),
    # /audit/
    path("audit/", views.audit_log, name="audit"),
]
