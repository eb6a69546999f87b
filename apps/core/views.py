"""Pages that belong to no other app."""

from django.conf import settings
from django.contrib.auth.views import redirect_to_login
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from apps.core.styleguide import examples


@require_safe
def styleguide(request: HttpRequest) -> HttpResponse:
    """Every component in every state; for people who are signed in, and for development."""
    if not (settings.DEBUG or request.user.is_authenticated):
        return redirect_to_login(request.get_full_path())
    return render(request, "core/styleguide.html", examples())
