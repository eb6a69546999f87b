"""Compose projects: files, revisions, plans, deployments."""
