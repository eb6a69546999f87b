"""One service, from its place in the file to the model."""

from typing import NamedTuple

import msgspec

from agents.compose.cursor import Cursor, Fields
from agents.compose.files import FileReader
from agents.compose.model import SHARES_SERVICE, Dependency, Port, Restart, Service
from agents.compose.names import check_container_name
from agents.compose.quantities import parse_size
from agents.compose.readers import attachments, lifecycle, limits, pairs, ports, rights
from agents.compose.readers.build import read_build
from agents.compose.readers.commands import read_command
from agents.compose.readers.environment import read_environment
from agents.compose.readers.logging import read_logging
from agents.compose.readers.mounts import MountReader, Paths
from agents.compose.readers.tables import SERVICE


class ServiceDraft(NamedTuple):
    """A service as its file says it, with the places that later checks point at."""

    service: Service
    cursor: Cursor
    ports: tuple[tuple[Port, Cursor], ...]


def read_service(cursor: Cursor, files: FileReader, paths: Paths) -> ServiceDraft:
    """Read everything but what depends on other services; raises InvalidValueError."""
    fields = cursor.fields(SERVICE)
    published = fields.read("ports", ports.read_ports, ())
    service = _read_origin(cursor.key, fields, paths)
    service = _with_process(service, fields, files)
    service = _with_network(service, fields, tuple(port for port, _ in published))
    service = _with_storage(service, fields, paths)
    service = _with_rights(service, fields, files)
    if not _has(fields, "image", "build", "extends", "provider"):
        cursor.error(
            "The service has neither an image nor a build",
            expected='"image" or "build"',
            code="no_image",
        )
    return ServiceDraft(service, cursor, published)


def _has(fields: Fields, *names: str) -> bool:
    return any(fields.get(name) is not None for name in names)


def _read_origin(name: str, fields: Fields, paths: Paths) -> Service:
    bounds, scale = limits.read_limits(fields)
    return Service(
        name=name,
        image=fields.read("image", Cursor.string, ""),
        build=fields.read("build", lambda at: read_build(at, paths), None),
        pull_policy=fields.read("pull_policy", lifecycle.read_pull_policy, "missing"),
        scale=scale,
        limits=bounds,
        profiles=fields.read("profiles", pairs.read_list, ()),
        depends_on=fields.read("depends_on", lifecycle.read_dependencies, ()),
        container_name=fields.read("container_name", check_container_name, ""),
        restart=fields.read("restart", lifecycle.read_restart, Restart()),
        labels=fields.read("labels", pairs.read_labels, {}),
        healthcheck=fields.read("healthcheck", lifecycle.read_healthcheck, None),
        logging=fields.read("logging", read_logging, None),
    )


def _with_process(service: Service, fields: Fields, files: FileReader) -> Service:
    return msgspec.structs.replace(
        service,
        command=fields.read("command", read_command, None),
        entrypoint=fields.read("entrypoint", read_command, None),
        environment=read_environment(fields, files),
        working_dir=fields.read("working_dir", Cursor.word, ""),
        user=fields.read("user", Cursor.word, ""),
        hostname=fields.read("hostname", Cursor.word, ""),
        init=fields.read("init", Cursor.boolean, False),
        stop_signal=fields.read("stop_signal", Cursor.word, ""),
        stop_grace_period=fields.read("stop_grace_period", lifecycle.read_seconds, 10.0),
        tty=fields.read("tty", Cursor.boolean, False),
        open_stdin=fields.read("stdin_open", Cursor.boolean, False),
    )


def _with_network(service: Service, fields: Fields, published: tuple[Port, ...]) -> Service:
    if _has(fields, "network_mode") and _has(fields, "networks"):
        fields.cursor.find("network_mode").error('Either "network_mode" or "networks", not both')
    mode = fields.read("network_mode", attachments.read_network_mode, "")
    if mode.partition(":")[1] and published:
        fields.cursor.find("ports").error(
            "A service that shares another one's network cannot publish ports",
            hint="Publish them at the service whose network it is.",
        )
    return msgspec.structs.replace(
        service,
        depends_on=_with_shared(service.depends_on, mode),
        ports=tuple(dict.fromkeys(published)),
        expose=fields.read("expose", ports.read_expose, ()),
        networks=fields.read("networks", attachments.read_attachments, ()),
        network_mode=mode,
        extra_hosts=fields.read("extra_hosts", attachments.read_extra_hosts, {}),
        dns=fields.read("dns", _read_dns, ()),
        dns_search=fields.read("dns_search", _read_words, ()),
        dns_options=fields.read("dns_opt", pairs.read_list, ()),
        domainname=fields.read("domainname", Cursor.word, ""),
    )


def _with_shared(needs: tuple[Dependency, ...], mode: str) -> tuple[Dependency, ...]:
    """Return what a service needs, with the service whose network it shares."""
    shared = mode.removeprefix(SHARES_SERVICE)
    if shared == mode or shared in {need.service for need in needs}:
        return needs
    return (*needs, Dependency(service=shared))


def _read_dns(cursor: Cursor) -> tuple[str, ...]:
    if cursor.is_list:
        return cursor.each(lambda item: attachments.read_address(item.word()))
    return (attachments.read_address(cursor.word()),)


def _read_words(cursor: Cursor) -> tuple[str, ...]:
    return pairs.read_list(cursor) if cursor.is_list else (cursor.word(),)


def _with_storage(service: Service, fields: Fields, paths: Paths) -> Service:
    reader = MountReader(paths)
    mounted = fields.read("volumes", reader.read_mounts, ())
    mounted += fields.read("tmpfs", reader.read_tmpfs, ())
    return msgspec.structs.replace(
        service,
        volumes=mounted,
        read_only=fields.read("read_only", Cursor.boolean, False),
        shm_size=fields.read("shm_size", lambda at: parse_size(at.word()), None),
    )


def _with_rights(service: Service, fields: Fields, files: FileReader) -> Service:
    return msgspec.structs.replace(
        service,
        ulimits=fields.read("ulimits", limits.read_ulimits, ()),
        sysctls=fields.read("sysctls", limits.read_sysctls, {}),
        privileged=fields.read("privileged", Cursor.boolean, False),
        cap_add=fields.read("cap_add", limits.read_capabilities, ()),
        cap_drop=fields.read("cap_drop", limits.read_capabilities, ()),
        security=rights.read_security(fields, files),
        devices=fields.read("devices", rights.read_devices, ()),
        device_rules=fields.read("device_cgroup_rules", rights.read_device_rules, ()),
        groups=fields.read("group_add", pairs.read_list, ()),
        pid_mode=fields.read("pid", rights.read_pid_mode, ""),
        ipc_mode=fields.read("ipc", rights.read_ipc_mode, ""),
        uts_mode=fields.read("uts", rights.read_uts_mode, ""),
        oom_score_adj=fields.read("oom_score_adj", Cursor.integer, None),
    )
