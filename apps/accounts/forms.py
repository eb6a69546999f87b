"""What people type in about themselves and their team."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.actions import Acceptance
from apps.accounts.models import Role, User
from apps.core.tokens import Secret


class AcceptForm(forms.Form):
    """A new account: name and password, twice."""

    username = forms.CharField(
        label="Name",
        max_length=150,
        help_text="You sign in with it: letters, digits and @ . + - _",
        validators=User._meta.get_field("username").validators,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def clean_username(self) -> str:
        """Refuse a name that somebody has, in whatever case."""
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError("Somebody has this name already.")
        return name

    def clean(self) -> dict[str, object]:
        """Check the password against the rules, and its repetition."""
        data = super().clean() or {}
        password = data.get("password")
        if password and password != data.get("repeated"):
            self.add_error("repeated", "The two passwords differ.")
        if password:
            self._check_strength(str(password), str(data.get("username", "")))
        return data

    def _check_strength(self, password: str, username: str) -> None:
        try:
            validate_password(password, User(username=username))
        except ValidationError as error:
            self.add_error("password", error)

    def acceptance(self) -> Acceptance:
        """Return the choice of a valid form."""
        data = self.cleaned_data
        return Acceptance(
            username=data["username"], full_name="", password=Secret(data["password"])
        )


class InviteForm(forms.Form):
    """Whom to invite, and as what."""

    role = forms.ChoiceField(choices=Role.choices, initial=Role.MEMBER)
    note = forms.CharField(
        label="For whom",
        max_length=120,
        required=False,
        help_text="So that you know the link again.",
    )

    def chosen_role(self) -> Role:
        """Return the role of a valid form."""
        return Role(self.cleaned_data["role"])


class RoleForm(forms.Form):
    """A member's other role."""

    role = forms.ChoiceField(choices=Role.choices)

    def chosen_role(self) -> Role:
        """Return the role of a valid form."""
        return Role(self.cleaned_data["role"])
