"""What beat asks for."""

from celery import shared_task

from apps.hosts import presence


@shared_task(name="panel.mark_silent_hosts_offline", ignore_result=True)
def mark_silent_hosts_offline() -> None:
    """Every 5 seconds."""
    presence.mark_silent_hosts_offline()
