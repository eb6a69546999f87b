"""What the panel and the agents say to each other: the only thing both sides import
besides ``agents.compose``.

``envelope``  how a message is signed, addressed and checked
``keys``      the names of queues, streams and keys in Redis
``commands``  down, as Celery tasks on the host's own queue
``control``   down, live requests on the host's control stream
``events``    up, on the host's event stream
``enrolment`` what travels over HTTPS when a host joins
``records``   the things both sides describe: containers, images, hosts

Messages are added, never changed: a field may be added with a default.
"""

PROTOCOL_VERSION = 1
