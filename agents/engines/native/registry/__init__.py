"""Exchanges images with registries: a client of the OCI distribution specification.

``settings`` and ``logins`` are what the user says; ``transport`` is HTTP, ``authorization``
the registry's ways to ask who one is, ``client`` its words; ``pull`` and ``push`` use them.
"""
