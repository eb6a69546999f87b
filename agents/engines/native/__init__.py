"""The engine of our own: crun under conmon, overlayfs, cgroups, bridges and nftables."""
