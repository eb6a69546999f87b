"""Compose projects: their files, in numbered revisions."""

from functools import cached_property

from django.conf import settings
from django.db import models

from apps.accounts.models import Team
from apps.core.ids import new_uid
from apps.hosts.models import Host
from apps.operations.models import Operation
from apps.projects.files import Files, decode_files
from apps.projects.variables import Variables, decrypt_variables

# A network name, which holds the project's, must not grow beyond what engines take.
MAX_NAME = 63


class ProjectQuerySet(models.QuerySet["Project"]):
    """Projects; removed ones are left out by :meth:`present`."""

    def present(self) -> "ProjectQuerySet":
        """Only those that were not removed."""
        return self.filter(removed_at=None)

    def called(self, host: Host, name: str) -> "ProjectQuerySet":
        """The project of this name on a host, if there is one."""
        return self.present().filter(host=host, name=name)


class Project(models.Model):
    """A compose project on one host. Its state is not stored: see ``apps.projects.state``."""

    uid = models.CharField(max_length=32, unique=True, default=new_uid, editable=False)
    team = models.ForeignKey(Team, on_delete=models.PROTECT, related_name="projects")
    host = models.ForeignKey(Host, on_delete=models.PROTECT, related_name="projects")
    name = models.CharField(max_length=MAX_NAME)
    created_at = models.DateTimeField(auto_now_add=True)
    # Set by the host's event that its files were forgotten; the history stays readable.
    removed_at = models.DateTimeField(null=True)

    objects = ProjectQuerySet.as_manager()

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=("host", "name"),
                condition=models.Q(removed_at=None),
                name="project_of_host",
            ),
        )

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Return the address of the project's page."""
        return f"/projects/{self.uid}/"

    @property
    def topic(self) -> str:
        """The name under which its changes are announced."""
        return f"project:{self.uid}"


class FileSet(models.Model):
    """Files and variables, as one text each."""

    files_json = models.TextField()
    variables_sealed = models.TextField(blank=True)

    class Meta:
        abstract = True

    @cached_property
    def files(self) -> Files:
        """The files, the compose file first."""
        return decode_files(self.files_json)

    @property
    def variables(self) -> Variables:
        """The variables with their values."""
        return decrypt_variables(self.variables_sealed)


class Draft(FileSet):
    """Edited files that are not deployed yet; at most one for a project."""

    project = models.OneToOneField(Project, on_delete=models.CASCADE, related_name="draft")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    saved_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"draft of {self.project_id}"


class Revision(FileSet):
    """One set of files that somebody deployed; never changed afterwards."""

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="revisions")
    number = models.PositiveIntegerField()
    services = models.JSONField(default=list)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    author_name = models.CharField(max_length=150, blank=True)
    note = models.CharField(max_length=200, blank=True)
    # The number of the revision that this one brought back.
    restores = models.PositiveIntegerField(null=True)
    # Taken over from a host that knew it when the panel did not.
    adopted = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    operation = models.OneToOneField(
        Operation, null=True, on_delete=models.SET_NULL, related_name="revision"
    )

    class Meta:
        ordering = ("-number",)
        constraints = (
            models.UniqueConstraint(fields=("project", "number"), name="revision_of_project"),
        )

    def __str__(self) -> str:
        return f"revision {self.number}"
