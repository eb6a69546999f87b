"""What the hosts' engines hold. Every row here is *observed*: only the handlers of the
agents' events write it (see ``apps.services.observation``).
"""

from functools import cached_property

import msgspec
from django.db import models

from agents.protocol.records import ContainerRecord
from apps.hosts.models import Host
from apps.services.choices import Shown, show_state


class ContainerQuerySet(models.QuerySet["Container"]):
    """Containers; tombstones are left out by :meth:`present`."""

    def present(self) -> "ContainerQuerySet":
        """Only those that exist on their host."""
        return self.filter(removed_at=None)

    def of_project(self, host: Host, project: str) -> "ContainerQuerySet":
        """Those of one project of a host, by service and number."""
        return self.present().filter(host=host, project=project).order_by("service", "number")


class Container(models.Model):
    """One container. ``record`` is all that the agent said of it; the other columns are
    copies of parts of it, to select by.

    A removed container stays as a tombstone for a while, so that an event delivered a
    second time does not bring it back.
    """

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="containers")
    container_id = models.CharField(max_length=64)
    sequence = models.BigIntegerField()
    observed_at = models.FloatField()
    removed_at = models.FloatField(null=True)
    name = models.CharField(max_length=255)
    project = models.CharField(max_length=255, blank=True)
    service = models.CharField(max_length=255, blank=True)
    number = models.PositiveIntegerField(default=0)
    state = models.CharField(max_length=16)
    exit_code = models.IntegerField(null=True)
    oom_killed = models.BooleanField(default=False)
    stopped = models.BooleanField(default=False)
    health = models.CharField(max_length=16, blank=True)
    restart_count = models.PositiveIntegerField(default=0)
    record_json = models.TextField()

    objects = ContainerQuerySet.as_manager()

    class Meta:
        ordering = ("project", "service", "number", "name")
        constraints = (
            models.UniqueConstraint(fields=("host", "container_id"), name="container_of_host"),
        )
        indexes = (models.Index(fields=("host", "project"), name="container_project"),)

    def __str__(self) -> str:
        return self.name

    @cached_property
    def record(self) -> ContainerRecord:
        """All that the agent said of the container."""
        return msgspec.json.decode(self.record_json, type=ContainerRecord)

    @property
    def shown(self) -> Shown:
        """Label and tone of the state."""
        return show_state(
            self.state,
            exit_code=self.exit_code,
            health=self.health,
            oom_killed=self.oom_killed,
            stopped=self.stopped,
        )

    @property
    def short_id(self) -> str:
        """The first twelve digits of the id."""
        return self.container_id[:12]

    @property
    def title(self) -> str:
        """What people call it: its service with its number, or its name."""
        return f"{self.service}-{self.number}" if self.service else self.name


class Image(models.Model):
    """An image in a host's store."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="images")
    image_id = models.CharField(max_length=128)
    references = models.JSONField(default=list)
    size = models.BigIntegerField(default=0)
    created_at = models.FloatField(default=0)

    class Meta:
        ordering = ("-created_at",)
        constraints = (models.UniqueConstraint(fields=("host", "image_id"), name="image_of_host"),)

    def __str__(self) -> str:
        return ", ".join(self.references) or self.image_id


class Network(models.Model):
    """A network of a host."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="networks")
    network_id = models.CharField(max_length=128)
    name = models.CharField(max_length=255)
    driver = models.CharField(max_length=64)
    subnet = models.CharField(max_length=64, blank=True)
    gateway = models.CharField(max_length=64, blank=True)
    internal = models.BooleanField(default=False)
    labels = models.JSONField(default=dict)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(fields=("host", "network_id"), name="network_of_host"),
        )

    def __str__(self) -> str:
        return self.name


class Volume(models.Model):
    """A named volume of a host."""

    host = models.ForeignKey(Host, on_delete=models.CASCADE, related_name="volumes")
    name = models.CharField(max_length=255)
    driver = models.CharField(max_length=64)
    mountpoint = models.CharField(max_length=1024, blank=True)
    labels = models.JSONField(default=dict)

    class Meta:
        ordering = ("name",)
        constraints = (models.UniqueConstraint(fields=("host", "name"), name="volume_of_host"),)

    def __str__(self) -> str:
        return self.name
