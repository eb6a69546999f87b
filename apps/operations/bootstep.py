"""Starts the receiver with the panel's worker, and stops it with it."""

from celery import bootsteps
from celery.worker import WorkController

from apps.core import background
from apps.operations.receiver import Receiver


class ReceiverStep(bootsteps.StartStopStep):
    """A bootstep of the worker, see Celery's guide on extensions."""

    requires = ("celery.worker.components:Pool",)
    receiver: Receiver | None = None

    def start(self, parent: WorkController) -> None:
        """Begin to read events."""
        background.start()
        self.receiver = Receiver()
        self.receiver.start()

    def stop(self, parent: WorkController) -> None:
        """Stop reading."""
        if self.receiver is not None:
            self.receiver.stop()
            self.receiver = None
            background.stop()
