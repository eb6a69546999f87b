"""``/healthz``: whether the panel can do its work."""

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from redis import RedisError

from apps.core.redis import redis_client


def healthz(request: HttpRequest) -> JsonResponse:
    """Answer 200 when database and Redis answer, else 503; says nothing else to strangers."""
    state = {"database": _database_answers(), "redis": _redis_answers()}
    return JsonResponse(state, status=200 if all(state.values()) else 503)


def _database_answers() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        return False
    return True


def _redis_answers() -> bool:
    try:
        return bool(redis_client().ping())
    except RedisError:
        return False
