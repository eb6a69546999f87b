"""The template tags of the design system."""

from datetime import UTC, datetime

import pytest
from django import forms
from django.template import Context, Template, TemplateSyntaxError
from django.test import RequestFactory

from apps.core.navigation import items_for


def render(source, **context):
    return Template("{% load ui %}" + source).render(Context(context))


class NameForm(forms.Form):
    name = forms.CharField(help_text="In small letters.")
    agreed = forms.BooleanField(required=False)


def test_an_icon_that_does_not_exist_is_refused():
    with pytest.raises(TemplateSyntaxError, match="no icon 'unicorn'"):
        render("{% icon 'unicorn' %}")


def test_an_icon_refers_to_the_sprite():
    assert 'href="/static/img/icons.svg#host"' in render("{% icon 'host' %}")


@pytest.mark.parametrize(
    "source",
    [
        "{% badge text %}",
        "{% card title=text %}{% endcard %}",
        "{% page_header title=text subtitle=text %}{% endpage_header %}",
        "{% alert title=text where=text %}{{ text }}{% endalert %}",
        "{% table caption=text %}{% endtable %}",
        "{% dialog id='d' title=text %}{% enddialog %}",
        "{% empty title=text text=text %}{% endempty %}",
        "{% menu label=text %}{% endmenu %}",
        "{% include 'components/code.html' with code=text title=text only %}",
        "{% include 'components/toast.html' with title=text text=text only %}",
    ],
)
def test_no_text_becomes_markup(source):
    assert "<script" not in render(source, text='"><script>alert(1)</script>')


def test_a_block_tag_keeps_the_markup_of_its_content():
    assert "<b>two</b>" in render("{% card title='One' %}<b>two</b>{% endcard %}")


def test_a_field_that_is_wrong_says_so_to_screen_readers():
    text = render("{% field form.name %}", form=NameForm({"name": ""}))
    assert 'aria-invalid="true"' in text
    assert "This field is required." in text


def test_a_field_is_described_by_its_help():
    text = render("{% field form.name %}", form=NameForm())
    assert 'aria-describedby="id_name_helptext"' in text
    assert 'id="id_name_helptext"' in text


def test_a_checkbox_stands_before_its_label():
    text = render("{% field form.agreed %}", form=NameForm())
    assert text.index("<input") < text.index("Agreed")


def test_a_moment_that_never_was_is_never():
    assert "never" in render("{% timeago moment %}", moment=None)


def test_a_moment_carries_its_full_time():
    moment = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert 'datetime="2026-01-02T03:04:05+00:00"' in render("{% timeago moment %}", moment=moment)


@pytest.mark.parametrize(
    ("name", "letters"), [("Ada Quist", "AQ"), ("bo", "b"), ("a.b-c", "ab"), ("", "?")]
)
def test_a_person_has_at_most_two_letters(name, letters):
    assert render("{{ name|initials }}", name=name) == letters


@pytest.mark.parametrize(
    ("path", "marked"),
    [
        ("/", {"Dashboard": "page"}),
        ("/projects/", {"Projects": "page"}),
        ("/projects/x/logs/", {"Projects": "true"}),
        ("/settings/", {}),
    ],
)
def test_the_sidebar_marks_where_the_page_belongs(path, marked):
    assert {item.label: item.current for item in items_for(path) if item.current} == marked


def test_the_sidebar_knows_the_page_by_the_request():
    source = "{% navigation as items %}{% for item in items %}{{ item.current }}{% endfor %}"
    assert render(source, request=RequestFactory().get("/hosts/")) == "page"
