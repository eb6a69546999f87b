"""Addresses of projects."""

from django.urls import path

from apps.projects.views import dashboard, deployments, files, lists, overview

app_name = "projects"

urlpatterns = [
    path("", dashboard.dashboard, name="dashboard"),
    path("projects/", lists.project_list, name="list"),
    path("projects/new/", lists.project_new, name="new"),
    # /projects/<uid>/
    path("projects/<str:uid>/", overview.project_detail, name="detail"),
    path("projects/<str:uid>/head/", overview.project_head, name="head"),
    path("projects/<str:uid>/remove/", overview.project_remove, name="remove"),
    path("projects/<str:uid>/act/<str:action>/", overview.project_act, name="act"),
    # /projects/<uid>/files/
    path("projects/<str:uid>/files/", files.project_files, name="files"),
    path("projects/<str:uid>/files/save/", files.files_save, name="files-save"),
    path("projects/<str:uid>/files/discard/", files.files_discard, name="files-discard"),
    path("projects/<str:uid>/files/check/", files.files_check, name="files-check"),
    path("projects/<str:uid>/files/plan/", files.files_plan, name="files-plan"),
    path("projects/<str:uid>/deploy/", files.project_deploy, name="deploy"),
    # /projects/<uid>/deployments/
    path("projects/<str:uid>/deployments/", deployments.project_deployments, name="deployments"),
    path(
        "projects/<str:uid>/deployments/<int:number>/",
        deployments.revision_detail,
        name="revision",
    ),
    path(
        "projects/<str:uid>/deployments/<int:number>/restore/",
        deployments.revision_restore,
        name="restore",
    ),
]
