"""A person before a window, and all that went wrong in it."""

from pathlib import Path

# htmx says so of a request that a newer one of the same element replaced.
SUPERSEDED = ("htmx:sendAbort", "htmx:afterRequest")


class Visitor:
    """One window. ``troubles`` is what a person would call broken: see :meth:`watch`."""

    def __init__(self, page) -> None:
        self.page = page
        self.troubles: list[str] = []
        self.watch()

    def watch(self) -> None:
        """Collect errors of scripts, refusals of the content policy, failed requests."""
        self.page.on("pageerror", lambda error: self.troubles.append(f"script: {error}"))
        self.page.on("console", self._console)
        self.page.on("requestfailed", self._request_failed)
        self.page.on("response", self._response)

    def open(self, path: str):
        """Go to a path; returns the answer."""
        return self.page.goto(path)

    def csrf_token(self) -> str:
        """Return the token that forms of this session carry."""
        cookies = {each["name"]: each["value"] for each in self.page.context.cookies()}
        return next(value for name, value in cookies.items() if name.endswith("csrftoken"))

    def picture(self, path: Path) -> None:
        """Save the whole page as a picture, if the window is still there."""
        path.parent.mkdir(parents=True, exist_ok=True)
        if not self.page.is_closed():
            self.page.screenshot(path=path, full_page=True, animations="disabled")

    def _console(self, message) -> None:
        superseded = message.text.startswith(SUPERSEDED)
        if message.type in ("error", "warning") and not superseded:
            self.troubles.append(f"console: {message.text}")

    def _request_failed(self, request) -> None:
        # A page that is left drops what it still asked for.
        if request.failure != "net::ERR_ABORTED":
            self.troubles.append(f"request: {request.url} {request.failure}")

    def _response(self, response) -> None:
        if response.status >= 400:
            self.troubles.append(f"answer: {response.status} {response.url}")
