"""A real Docker Engine to measure beside ours, from Debian's packages, away from the host's."""
