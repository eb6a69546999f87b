"""Machines that run an agent: enrolment, heartbeat, capabilities."""
