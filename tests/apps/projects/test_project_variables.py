"""Variables: kept encrypted, and secret ones kept to themselves."""

from apps.projects.variables import (
    Variable,
    check_names,
    decrypt_variables,
    encrypt_variables,
    looks_secret,
    merge_submitted,
)

PASSWORD = Variable(name="DB_PASSWORD", value="hunter2")


def test_they_survive_encryption_and_cannot_be_read_in_the_database(settings):
    sealed = encrypt_variables((PASSWORD,))
    assert "hunter2" not in sealed
    assert decrypt_variables(sealed) == (PASSWORD,)
    settings.SECRET_KEY = "another"
    assert decrypt_variables(sealed) == ()


def test_a_value_is_not_in_the_repr():
    assert "hunter2" not in repr(PASSWORD)


def test_an_empty_secret_keeps_its_value():
    assert merge_submitted([("DB_PASSWORD", "", True)], (PASSWORD,)) == (PASSWORD,)


def test_a_secret_is_not_made_readable_by_unticking_it():
    merged = merge_submitted([("DB_PASSWORD", "", False)], (PASSWORD,))
    assert merged == (Variable(name="DB_PASSWORD", value="", secret=False),)


def test_a_variable_that_is_not_submitted_is_gone():
    assert merge_submitted([("PORT", "80", False)], (PASSWORD,)) == (
        Variable(name="PORT", value="80", secret=False),
    )


def test_names_are_checked():
    assert check_names((PASSWORD, Variable(name="1x", value=""))) == ("1x",)


def test_secret_names_are_seen():
    assert looks_secret("API_TOKEN")
    assert not looks_secret("PORT")
