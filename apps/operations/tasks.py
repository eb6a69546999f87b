"""What beat asks for."""

from celery import shared_task

from apps.operations import upkeep


@shared_task(name="panel.keep_operations", ignore_result=True)
def keep_operations() -> None:
    """Every 5 seconds: nothing stays queued or running for ever."""
    upkeep.send_queued()
    upkeep.end_expired()
    upkeep.end_lost()
    upkeep.end_orphaned()


@shared_task(name="panel.forget_seen_messages", ignore_result=True)
def forget_seen_messages() -> None:
    """Every hour: an expired message is refused for its age."""
    upkeep.forget_seen_messages()
