"""The script that makes a machine a host; the panel serves it, hosts run it."""
