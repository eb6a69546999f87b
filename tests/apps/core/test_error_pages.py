"""The pages for what goes wrong look like the panel and say what to do."""

import pytest
from django.template.loader import render_to_string


@pytest.mark.parametrize(
    ("name", "heading"),
    [
        ("404", "There is nothing here"),
        ("403", "That is not yours to do"),
        ("403_csrf", "The page was too old"),
        ("500", "Something broke"),
    ],
)
def test_an_error_page_needs_nothing_of_the_request(name, heading):
    text = render_to_string(f"{name}.html")
    assert f"<h1>{heading}</h1>" in text
    assert 'href="/"' in text


def test_an_address_that_does_not_exist_is_answered_with_the_panels_page(client):
    response = client.get("/no/such/page")
    assert response.status_code == 404
    assert "There is nothing here" in response.content.decode()
