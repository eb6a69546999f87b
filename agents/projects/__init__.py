"""Carries out compose projects on an engine.

``up``         bring a project to what its files say, or leave everything as it was
``down``       remove a project
``act``        start, stop, restart its containers
``files``      the project's folder on this host
``observed``   from the engine's records to what a plan needs
``translate``  from a compose service to a container's spec
``images``     find or build what the services run
``resources``  networks and volumes
``switch``     one container replaced by another, and back
``conditions`` what a service waits for before it starts
``leftovers``  what a dead agent left half done
``places``     from a field to its line in the file
"""
