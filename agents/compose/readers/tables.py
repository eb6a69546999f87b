"""The keys of the Compose specification: what is read, what is refused, what is ignored."""

from agents.compose.keys import KeyTable, hints, keys

_SWARM_ONLY = "It has an effect on a Swarm only."
_BUILD_CACHE = "The build uses the host's own cache."

PROJECT = KeyTable(
    supported=keys("version name services networks volumes"),
    refused={
        **hints("secrets configs", "Mount a file of the project instead."),
        **hints("include", "Write all services in one file."),
        **hints("models"),
    },
)

SERVICE = KeyTable(
    supported=keys(
        """
        image build pull_policy scale profiles depends_on container_name restart labels command
        entrypoint environment env_file working_dir user hostname init stop_signal
        stop_grace_period healthcheck ports expose networks network_mode extra_hosts dns volumes
        tmpfs read_only logging mem_limit cpus pids_limit deploy ulimits sysctls privileged cap_add
        cap_drop blkio_config cpu_period cpu_quota cpu_shares cpuset device_cgroup_rules devices
        dns_opt dns_search domainname group_add ipc mem_reservation memswap_limit oom_score_adj pid
        security_opt shm_size stdin_open tty userns_mode uts
        """
    ),
    refused={
        **hints(
            """
            cgroup cgroup_parent cpu_count cpu_percent cpu_rt_period cpu_rt_runtime
            credential_spec gpus isolation mac_address mem_swappiness models oom_kill_disable
            post_start pre_start pre_stop provider runtime storage_opt use_api_socket
            """
        ),
        "configs": "Mount a file of the project instead.",
        "secrets": "Mount a file of the project instead.",
        "extends": "Write the service in full, or share parts with YAML anchors.",
        "label_file": 'Write the labels under "labels".',
        "links": "Services of one network find each other by name; use aliases for other names.",
        "external_links": "Join an external network instead.",
        "volumes_from": "Name the volumes in both services.",
    },
    ignored={
        "annotations": "",
        "attach": "The log view shows every service.",
        "develop": "Files are not watched.",
        "platform": "Containers run on the host's own architecture.",
        "pull_refresh_after": "",
    },
)

DEVICE = KeyTable(supported=keys("source target permissions"))

BLKIO = KeyTable(
    supported=keys("weight device_read_bps device_write_bps device_read_iops device_write_iops"),
    refused=hints("weight_device"),
)
BLKIO_RATE = KeyTable(supported=keys("path rate"))

BUILD = KeyTable(
    supported=keys("context dockerfile dockerfile_inline args target labels no_cache pull"),
    refused=hints(
        """
        additional_contexts entitlements extra_hosts isolation network no_cache_filter privileged
        secrets shm_size ssh tags ulimits
        """
    ),
    ignored={
        **hints("cache_from cache_to", _BUILD_CACHE),
        **hints("platforms", "Images are built for the host's own architecture."),
        **hints("provenance sbom"),
    },
)

PORT = KeyTable(
    supported=keys("target published host_ip protocol mode"),
    ignored=hints("name app_protocol"),
)

MOUNT = KeyTable(
    supported=keys("type source target read_only bind volume tmpfs"),
    refused=hints("image cluster"),
    ignored=hints("consistency"),
)
MOUNT_BIND = KeyTable(
    supported=keys("create_host_path propagation selinux"), refused=hints("recursive")
)
MOUNT_VOLUME = KeyTable(supported=keys("nocopy subpath"), refused=hints("labels"))
MOUNT_TMPFS = KeyTable(supported=keys("size mode"))

ATTACHMENT = KeyTable(
    supported=keys("aliases ipv4_address ipv6_address mac_address priority gw_priority"),
    refused=hints("link_local_ips interface_name driver_opts"),
)

DEPENDENCY = KeyTable(supported=keys("condition restart required"))

HEALTHCHECK = KeyTable(
    supported=keys("test interval timeout start_period start_interval retries disable")
)

LOGGING = KeyTable(supported=keys("driver options"))
LOG_OPTIONS = KeyTable(
    supported=keys("max-size max-file"),
    ignored=hints("compress mode max-buffer-size labels labels-regex env env-regex tag"),
)

ENV_FILE = KeyTable(supported=keys("path required format"))

ULIMIT = KeyTable(supported=keys("soft hard"))

DEPLOY = KeyTable(
    supported=keys("replicas resources"),
    ignored=hints(
        "mode placement update_config rollback_config endpoint_mode labels restart_policy",
        _SWARM_ONLY,
    ),
)
RESOURCES = KeyTable(supported=keys("limits reservations"))
RESERVATIONS = KeyTable(
    supported=keys("memory"), ignored=hints("cpus generic_resources devices", _SWARM_ONLY)
)
RESOURCE_LIMITS = KeyTable(supported=keys("cpus memory pids"))

NETWORK = KeyTable(
    supported=keys("name driver driver_opts enable_ipv6 internal external attachable ipam labels"),
    refused=hints("enable_ipv4"),
)
IPAM = KeyTable(supported=keys("driver config"), refused=hints("options"))
SUBNET = KeyTable(supported=keys("subnet gateway ip_range"), refused=hints("aux_addresses"))

VOLUME = KeyTable(supported=keys("name driver driver_opts external labels"))

EXTERNAL = KeyTable(supported=keys("name"))
