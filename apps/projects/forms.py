"""The form of a new project."""

from django import forms

from apps.accounts.access import writable_teams
from apps.accounts.models import User
from apps.hosts.access import hosts_for
from apps.hosts.models import Host
from apps.projects.models import MAX_NAME
from apps.projects.starters import starter_choices


class NewProjectForm(forms.Form):
    """Name, host, and what to begin with: a starter, or a compose file pasted in."""

    name = forms.CharField(
        max_length=MAX_NAME, help_text="Lower-case letters, digits, dashes and underscores."
    )
    host = forms.ModelChoiceField(queryset=Host.objects.none(), empty_label=None)
    starter = forms.ChoiceField(
        label="Begin with", widget=forms.RadioSelect, choices=starter_choices, required=False
    )
    pasted = forms.CharField(
        label="Or paste a compose file",
        required=False,
        strip=False,
        widget=forms.Textarea(
            attrs={
                "rows": 12,
                "spellcheck": "false",
                "placeholder": "services:\n  web:\n    image: …",
            }
        ),
    )

    def __init__(self, user: User, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]  # Form's own are not spelt out
        hosts = hosts_for(user).filter(team__in=writable_teams(user))
        choice = self.fields["host"]
        if isinstance(choice, forms.ModelChoiceField):
            choice.queryset = hosts
        self.fields["name"].widget.attrs.update({"autofocus": True, "autocomplete": "off"})
