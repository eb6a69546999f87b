"""Set-up: brings a bare Debian machine to a running panel, and runs the tests.

Plain Python 3.9+ with nothing but its standard library, since it runs before anything
else is there: ``python3 -m setup up`` (``make up`` is short for it). Every step looks first
whether its work is done, so each command is safe to run again.
"""
