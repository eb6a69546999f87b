"""Settings of a real panel."""

from django.core.exceptions import ImproperlyConfigured

from webpanel.settings.base import *  # noqa: F403  the settings extend the shared ones
from webpanel.settings.base import SECRET_KEY

if not SECRET_KEY:
    raise ImproperlyConfigured(
        "There is no secret_key in <WEBPANEL_HOME>/secrets.json. Run `make up` to set the panel up."
    )
