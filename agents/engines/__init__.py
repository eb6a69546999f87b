"""Engines: what runs containers on a host."""
