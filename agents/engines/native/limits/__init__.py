"""Limits: checked against the host, turned into values for the files of a cgroup.

The engine writes them itself, between the runtime's ``create`` and ``start`` and at every
update, so that one table serves for writing, for changing and for reading back.
"""
