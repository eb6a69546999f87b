"""The style guide shows every component, to people who are signed in."""

import re
from pathlib import Path

import pytest
from django.contrib.auth import get_user_model

COMPONENTS = Path(__file__).parents[3] / "templates" / "components"
# What each page has anyway, and what only live pages can show.
FRAME = {
    "brand",
    "form_errors",
    "head",
    "live",
    "log_viewer",
    "operation_output",
    "sidebar",
    "toasts",
    "user_menu",
}


@pytest.fixture
def page(client, db):
    client.force_login(get_user_model().objects.create_user("ada"))
    response = client.get("/styleguide")
    assert response.status_code == 200
    return response


def test_it_sends_strangers_to_the_sign_in(client):
    response = client.get("/styleguide")
    assert response.status_code == 302
    assert response.url.startswith("/accounts/login/")


def test_it_shows_every_component(page):
    shown = {Path("".join(template.name)).stem for template in page.templates if template.name}
    missing = {path.stem for path in COMPONENTS.glob("*.html")} - shown - FRAME
    assert missing == {"badge"}  # the include of the tag {% badge %}, which is shown


def test_it_shows_a_badge_of_every_tone(page):
    shown = set(re.findall(r'class="badge tone-(\w+)"', page.content.decode()))
    assert shown == {"neutral", "info", "success", "warning", "danger", "busy"}


def test_the_sidebar_names_the_person_and_marks_no_page_that_is_not_shown(page):
    text = page.content.decode()
    assert "ada" in text
    assert "aria-current" not in text.split("</aside>")[0]
