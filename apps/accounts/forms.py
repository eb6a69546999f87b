"""What people type in about themselves and their team."""

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError

from apps.accounts.actions import Acceptance
from apps.accounts.models import Role, User
from apps.core.tokens import Secret


class PasswordForm(forms.Form):
    """A new password, twice; ``user`` is whose it will be."""

    password = forms.CharField(
        label="Password",
        help_text="At least 10 characters.",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    repeated = forms.CharField(
        label="Password again",
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )
    user: User | None = None

    def clean(self) -> dict[str, object]:
        """Check the password against the rules, and its repetition."""
        data = super().clean() or {}
        password = data.get("password")
        if password and password != data.get("repeated"):
            self.add_error("repeated", "The two passwords differ.")
        if password:
            self._check_strength(
                str(password), self.user or User(username=data.get("username", ""))
            )
        return data

    def _check_strength(self, password: str, user: User) -> None:
        try:
            validate_password(password, user)
        except ValidationError as error:
            self.add_error("password", error)


class AcceptForm(PasswordForm):
    """A new account: name and password."""

    field_order = ("username", "password", "repeated")
    username = forms.CharField(
        label="Name",
        max_length=150,
        help_text="You sign in with it: letters, digits and @ . + - _",
        validators=User._meta.get_field("username").validators,
        widget=forms.TextInput(attrs={"autocomplete": "username", "autofocus": True}),
    )

    def clean_username(self) -> str:
        """Refuse a name that somebody has, in whatever case."""
        name = str(self.cleaned_data["username"])
        if User.objects.filter(username__iexact=name).exists():
            raise ValidationError("Somebody has this name already.")
        return name

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
