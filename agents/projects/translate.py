"""From a compose service to the spec of one of its containers. Pure."""

import hashlib
from dataclasses import replace

from agents.compose import labels
from agents.compose.canonical import service_spec
from agents.compose.model import (
    Healthcheck,
    Logging,
    Mount,
    Port,
    Project,
    Service,
    shared_service,
)
from agents.compose.plan import ContainerAction
from agents.engines.specs import (
    ContainerSpec,
    DeviceSpec,
    EndpointSpec,
    HealthcheckSpec,
    Limits,
    LogSpec,
    MountSpec,
    PortSpec,
    RestartPolicy,
    SecuritySpec,
    UlimitSpec,
    VolumeSpec,
)

# A container that replaces another one bears these from the beginning; it is in the other's
# place once its name is its final one.
REPLACES = "webpanel.replaces"
FINAL_NAME = "webpanel.name"
WAITING_SUFFIX = ".next"


def container_spec(
    project: Project, action: ContainerAction, image_id: str, shared_id: str = ""
) -> ContainerSpec:
    """Return the spec of the container that a create or recreate makes.

    ``shared_id`` is the container of the service whose network it shares, if it does.
    """
    service = project.services[action.service]
    replaces = action.kind == "recreate"
    marks = {REPLACES: action.container_id, FINAL_NAME: action.name} if replaces else {}
    known = labels.container_labels(project, service, action.number, image_id=image_id)
    spec = ContainerSpec(
        name=action.name + WAITING_SUFFIX if replaces else action.name,
        image=service.image,
        command=service.command,
        entrypoint=service.entrypoint,
        environment=service.environment,
        working_dir=service.working_dir,
        user=service.user,
        hostname=service.hostname,
        labels={**known, **marks},
        endpoints=_endpoints(service, action),
        network_mode=_network_mode(service, shared_id),
        ports=port_specs(service, action.number),
        mounts=tuple(_mount(project, action, mount) for mount in service.volumes),
        restart=RestartPolicy(
            name=service.restart.policy, maximum_retries=service.restart.max_retries
        ),
        limits=_limits(service),
        stop_signal=service.stop_signal,
        stop_grace=service.stop_grace_period,
        read_only=service.read_only,
        extra_hosts=service.extra_hosts,
        dns=service.dns,
        sysctls=service.sysctls,
        ulimits=tuple(
            UlimitSpec(name=one.name, soft=one.soft, hard=one.hard) for one in service.ulimits
        ),
        init=service.init,
        shm_size=service.shm_size,
        oom_score_adj=service.oom_score_adj,
        tty=service.tty,
        open_stdin=service.open_stdin,
        healthcheck=_healthcheck(service.healthcheck),
        log=_log(service.logging),
        spec_json=service_spec(service),
    )
    return _with_rights(spec, service)


def _with_rights(spec: ContainerSpec, service: Service) -> ContainerSpec:
    """Return the spec with what the service shares with its host, or is given of it."""
    return replace(
        spec,
        privileged=service.privileged,
        cap_add=service.cap_add,
        cap_drop=service.cap_drop,
        security=SecuritySpec(
            no_new_privileges=service.security.no_new_privileges,
            seccomp=service.security.seccomp,
            user_namespace=service.security.user_namespace,
            unmask=service.security.unmask,
        ),
        devices=tuple(
            DeviceSpec(source=one.source, target=one.target, access=one.access)
            for one in service.devices
        ),
        device_rules=service.device_rules,
        groups=service.groups,
        pid_mode=service.pid_mode,
        ipc_mode=service.ipc_mode,
        uts_mode=service.uts_mode,
        domainname=service.domainname,
        dns_search=service.dns_search,
        dns_options=service.dns_options,
    )


def _limits(service: Service) -> Limits:
    asked = service.limits
    return Limits(
        cpus=asked.cpus,
        cpu_shares=asked.cpu_shares,
        cpuset_cpus=asked.cpuset,
        memory=asked.memory,
        memory_swap=asked.memory_swap,
        memory_reservation=asked.memory_reservation,
        pids=asked.pids,
        blkio_weight=asked.blkio_weight,
        read_bytes=asked.read_bytes,
        write_bytes=asked.write_bytes,
        read_operations=asked.read_operations,
        write_operations=asked.write_operations,
    )


def _healthcheck(asked: Healthcheck | None) -> HealthcheckSpec:
    if asked is None:
        return HealthcheckSpec()
    if asked.disable:
        return HealthcheckSpec(test=("NONE",))
    return HealthcheckSpec(
        test=asked.test,
        interval=asked.interval,
        timeout=asked.timeout,
        start_period=asked.start_period,
        start_interval=asked.start_interval,
        retries=asked.retries,
    )


def _log(asked: Logging | None) -> LogSpec:
    return (
        LogSpec() if asked is None else LogSpec(max_size=asked.max_size, max_files=asked.max_files)
    )


def _network_mode(service: Service, shared_id: str) -> str:
    if shared_service(service):
        return f"container:{shared_id}"
    return service.network_mode or ("bridge" if service.networks else "none")


def anonymous_volumes(project: Project, action: ContainerAction) -> tuple[VolumeSpec, ...]:
    """Return the volumes of a container that its file gives no name; they outlive it."""
    service = project.services[action.service]
    known = {labels.PROJECT: project.name, labels.SERVICE: service.name}
    return tuple(
        VolumeSpec(name=_anonymous_name(project, action, mount), labels=known, anonymous=True)
        for mount in service.volumes
        if mount.type == "volume" and not mount.volume_name
    )


def _endpoints(service: Service, action: ContainerAction) -> tuple[EndpointSpec, ...]:
    return tuple(
        EndpointSpec(
            network=attachment.name,
            aliases=labels.endpoint_aliases(attachment, service.name, action.name),
            ipv4_address=attachment.ipv4_address,
            ipv6_address=attachment.ipv6_address,
            gateway_priority=attachment.gateway_priority,
            mac_address=attachment.mac_address,
        )
        for attachment in service.networks
    )


def port_specs(service: Service, number: int) -> tuple[PortSpec, ...]:
    """Return the ports of a service's container with this number."""
    return tuple(_port(port, number) for port in service.ports)


def _port(port: Port, number: int) -> PortSpec:
    host_port = port.published or 0
    if port.published_last is not None:
        host_port = min(host_port + number - 1, port.published_last)
    return PortSpec(
        container_port=port.target,
        host_port=host_port,
        host_ip=port.host_ip,
        protocol=port.protocol,
    )


def _mount(project: Project, action: ContainerAction, mount: Mount) -> MountSpec:
    source = mount.source if mount.type == "bind" else ""
    if mount.type == "volume":
        source = mount.volume_name or _anonymous_name(project, action, mount)
    return MountSpec(
        kind=mount.type,
        target=mount.target,
        source=source,
        inside=project.working_dir if mount.type == "bind" else "",
        read_only=mount.read_only,
        tmpfs_size=mount.tmpfs_size,
        tmpfs_mode=mount.tmpfs_mode,
        subpath=mount.subpath,
        no_copy=mount.nocopy,
        propagation=mount.propagation,
    )


def _anonymous_name(project: Project, action: ContainerAction, mount: Mount) -> str:
    digest = hashlib.sha256(mount.target.encode()).hexdigest()[:12]
    return f"{project.name}_{action.service}-{action.number}_{digest}"
