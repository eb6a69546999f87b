"""A person at a panel without a browser: cookies, the CSRF token, forms."""

import http.cookiejar
import re
import ssl
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Page:
    """What the panel answered, after redirects."""

    status: int
    address: str
    text: str


class PanelClient:
    """One session. ``address`` is the panel's; paths begin with a slash."""

    def __init__(self, address: str, *, context: ssl.SSLContext | None = None) -> None:
        self.address = address
        self.cookies = http.cookiejar.CookieJar()
        self._opener = urllib.request.build_opener(
            urllib.request.ProxyHandler({}),
            urllib.request.HTTPCookieProcessor(self.cookies),
            *((urllib.request.HTTPSHandler(context=context),) if context else ()),
        )

    def get(self, path: str, headers: Mapping[str, str] | None = None) -> Page:
        return self._open(urllib.request.Request(self.address + path, headers=dict(headers or {})))

    def post(
        self, path: str, values: Mapping[str, str], headers: Mapping[str, str] | None = None
    ) -> Page:
        """Send a form, with the CSRF token of this session."""
        request = urllib.request.Request(
            self.address + path,
            data=urllib.parse.urlencode(values).encode(),
            headers={
                "X-CSRFToken": self._csrf_token(),
                "Origin": self.address,
                "Referer": f"{self.address}/",
                **(headers or {}),
            },
        )
        return self._open(request)

    def browser_cookies(self) -> list[dict[str, str]]:
        """Return this session for a browser to take over."""
        return [
            {"name": each.name, "value": each.value or "", "url": self.address}
            for each in self.cookies
        ]

    def accept(self, path: str, name: str, password: str) -> Page:
        """Come in by a link, as a new person."""
        self.get(path)
        return self.post(path, {"username": name, "password": password, "repeated": password})

    def sign_in(self, name: str, password: str) -> Page:
        """Come in as somebody the panel knows."""
        self.get("/accounts/login/")
        return self.post("/accounts/login/", {"login": name, "password": password})

    def _open(self, request: urllib.request.Request) -> Page:
        try:
            with self._opener.open(request, timeout=30) as reply:
                return Page(status=reply.status, address=reply.url, text=reply.read().decode())
        except urllib.error.HTTPError as error:
            with error:
                return Page(status=error.code, address=error.url, text=error.read().decode())

    def _csrf_token(self) -> str:
        """Return the cookie's token; without one, that of the sign-in page's form."""
        for cookie in self.cookies:
            if cookie.name.endswith("csrftoken") and cookie.value:
                return cookie.value
        found = re.search(r'csrfmiddlewaretoken" value="([^"]+)', self.get("/accounts/login/").text)
        return found.group(1) if found else ""
