"""The agent as a process: a Celery worker of one host, and the threads beside it.

``lean``       begins the process so that it stays small
``process``    all parts put together
``app``        the Celery app: one queue, one task
``broker``     how Celery reaches Redis
``inventory``  what is reported without being asked
"""
