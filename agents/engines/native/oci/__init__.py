"""The OCI runtime configuration of a container, made by pure functions.

See https://github.com/opencontainers/runtime-spec/blob/main/config.md.
"""
