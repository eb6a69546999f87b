"""The agent: what runs on every host, and what it shares with the panel."""

__version__ = "0.1.0"
