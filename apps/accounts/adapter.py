"""What allauth asks of us: nobody signs up by themselves, and signing in is on record."""

from allauth.account.adapter import DefaultAccountAdapter
from django.http import HttpRequest, HttpResponse

from apps.accounts import audit
from apps.accounts.models import User
from apps.core.http import client_ip


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]  # allauth has no types
    """Accounts come by invitation alone, see :mod:`apps.accounts.actions`."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse always."""
        return False

    def post_login(self, request: HttpRequest, user: User, **kwargs: object) -> HttpResponse:
        """Put a sign-in on record."""
        _record("sign in", user, request)
        response: HttpResponse = super().post_login(request, user, **kwargs)
        return response

    def authentication_failed(self, request: HttpRequest, **credentials: object) -> None:
        """Put a failed sign-in on record, if the name is somebody's."""
        user = User.objects.filter(username__iexact=str(credentials.get("username"))).first()
        if user is not None:
            _record("fail to sign in", user, request)
        super().authentication_failed(request, **credentials)


def _record(verb: str, user: User, request: HttpRequest) -> None:
    membership = user.memberships.select_related("team").order_by("id").first()
    target = audit.Target(kind="account", uid=user.username, name=str(user))
    team = membership.team if membership else None
    audit.record(verb, target, team=team, actor=user, ip=client_ip(request))
