"""Volumes: made, filled, held by those who mount them, measured, archived."""

from agents.engines.native.volumes.store import VolumeStore

__all__ = ("VolumeStore",)
