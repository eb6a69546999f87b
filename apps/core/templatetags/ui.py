"""Template tags of the design system; ``/styleguide`` shows each in every state.

The markup lives in templates/components/, one file a component. A component that has only values is
an include; one that wraps content is a block tag here::

    {% load ui %}
    {% page_header title="web" %}<button …>{% endpage_header %}
    {% card title="Services" icon="service" flush=True %}…{% endcard %}
    {% alert tone="danger" title="The port is taken" %}…{% endalert %}
"""

from datetime import datetime

from django import template
from django.forms.boundfield import BoundField
from django.template.loader import render_to_string
from django.templatetags.static import static
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from apps.core.icons import SPRITE, icon_names
from apps.core.navigation import NavItem, items_for

register = template.Library()

_ALERT_ICONS = {
    "neutral": "info",
    "info": "info",
    "success": "check-circle",
    "warning": "warning",
    "danger": "error",
    "busy": "clock",
}


@register.simple_tag
def icon(name: str, css: str = "") -> SafeString:
    """A 16 px stroke icon in the colour of the text; hidden from screen readers.

    Raises TemplateSyntaxError for a name that static/img/icons.svg does not have.
    """
    known = icon_names()
    if known and name not in known:
        message = f"There is no icon {name!r} in {SPRITE}."
        raise template.TemplateSyntaxError(message)
    return format_html(
        '<svg class="{}" aria-hidden="true"><use href="{}#{}"></use></svg>',
        f"icon {css}".strip(),
        static(SPRITE),
        name,
    )


@register.simple_tag
def badge(label: str, tone: str = "neutral") -> SafeString:
    """A status badge. Label and tone come from the choices of the state field."""
    return format_html('<span class="badge tone-{}">{}</span>', tone, label)


@register.simple_tag
def timeago(moment: datetime | None, default: str = "never") -> SafeString:
    """A moment as "3 minutes ago", kept right by relative-time.js; its title is the full time."""
    if moment is None:
        return format_html('<span class="faint">{}</span>', default)
    local = timezone.localtime(moment) if timezone.is_aware(moment) else moment
    return format_html(
        '<time class="nowrap" datetime="{}" data-relative>{}</time>',
        local.isoformat(timespec="seconds"),
        local.strftime("%Y-%m-%d %H:%M"),
    )


@register.simple_tag(takes_context=True)
def navigation(context: template.Context) -> list[NavItem]:
    """The sidebar's entries: ``{% navigation as items %}``."""
    request = context.get("request")
    return items_for(request.path if request is not None else "")


@register.filter
def initials(name: object) -> str:
    """At most two letters that stand for a person's name."""
    words = str(name).replace(".", " ").replace("_", " ").replace("-", " ").split()
    return "".join(word[0] for word in words[:2]) or "?"


@register.simple_tag
def field(bound: BoundField, css: str = "", help: bool = True) -> SafeString:
    """One form field with label, help and errors, joined to the input by ARIA attributes."""
    kind = getattr(bound.field.widget, "input_type", "")
    checkbox = kind == "checkbox"
    attributes: dict[str, str | bool] = {} if checkbox else {"class": f"input {css}".strip()}
    if bound.errors:
        attributes["aria-invalid"] = "true"
    context = {
        "field": bound,
        "widget": bound.as_widget(attrs=attributes),
        "checkbox": checkbox,
        "help": help,
        "hidden": bound.is_hidden,
    }
    return render_to_string("components/field.html", context)


@register.simple_block_tag
def card(content: str, title: str = "", icon: str = "", flush: bool = False) -> SafeString:
    """A bordered surface; ``flush`` drops the padding for a table or a list."""
    context = {"content": content, "title": title, "icon": icon, "flush": flush}
    return render_to_string("components/card.html", context)


@register.simple_block_tag
def page_header(content: str, title: str, subtitle: str = "", icon: str = "") -> SafeString:
    """The heading of a page; the content is its actions, at the end of the line."""
    context = {"content": content, "title": title, "subtitle": subtitle, "icon": icon}
    return render_to_string("components/page_header.html", context)


@register.simple_block_tag
def alert(content: str, tone: str = "info", title: str = "", where: str = "") -> SafeString:
    """What happened (title, content) and where; what to do is a ``.alert-hint`` in the content."""
    context = {
        "content": content,
        "tone": tone,
        "title": title,
        "where": where,
        "icon": _ALERT_ICONS[tone],
        "role": "alert" if tone == "danger" else "status",
    }
    return render_to_string("components/alert.html", context)


@register.simple_block_tag
def table(content: str, caption: str) -> SafeString:
    """A table that scrolls sideways by itself; the content is ``<thead>`` and ``<tbody>``."""
    return render_to_string("components/table.html", {"content": content, "caption": caption})


@register.simple_block_tag
def dialog(content: str, id: str, title: str, wide: bool = False) -> SafeString:
    """A modal dialog that any ``<button data-dialog-open="id">`` opens."""
    context = {"content": content, "id": id, "title": title, "wide": wide}
    return render_to_string("components/dialog.html", context)


@register.simple_block_tag
def empty(content: str, title: str, text: str = "", icon: str = "projects") -> SafeString:
    """What a list says while it has nothing to show; the content is what people can do about it."""
    context = {"content": content, "title": title, "text": text, "icon": icon}
    return render_to_string("components/empty.html", context)


@register.simple_block_tag
def menu(content: str, label: str, icon: str = "more", up: bool = False) -> SafeString:
    """A small menu behind an icon button; the content is ``.menu-item`` links and buttons."""
    context = {"content": content, "label": label, "icon": icon, "up": up}
    return render_to_string("components/menu.html", context)
