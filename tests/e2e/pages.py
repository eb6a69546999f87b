"""The panel's pages, as a person uses them: what can be read there, what can be pressed."""

import re
from dataclasses import dataclass

from playwright.sync_api import Page, expect

from tests.e2e.people import Visitor

SECONDS = 1000
PASTE = """(element, text) => {
  const clipboardData = new DataTransfer();
  clipboardData.setData("text/plain", text);
  const paste = { clipboardData, bubbles: true, cancelable: true };
  element.dispatchEvent(new ClipboardEvent("paste", paste));
}"""


@dataclass(frozen=True)
class ProjectPage:
    """The pages of one project; ``path`` is ``/projects/<uid>/``."""

    visitor: Visitor
    path: str

    @property
    def page(self) -> Page:
        return self.visitor.page

    def open(self, tab: str = "") -> None:
        self.visitor.open(f"{self.path}{tab}")

    def edit(self, text: str, file: str = "compose.yml") -> None:
        """Paste a new text over the one in a file's editor."""
        self.open(f"files/?file={file}")
        self._paste(text, file)

    def add_file(self, file: str, text: str) -> None:
        """Add a file by the form; what was edited stays a draft."""
        self.open("files/")
        self.page.get_by_label("Path of the new file").fill(file)
        self.page.get_by_role("button", name="Add", exact=True).click()
        self._paste(text, file)

    def _paste(self, text: str, file: str) -> None:
        editor = self.page.locator(f".cm-content[aria-label='{file}']")
        editor.click()
        self.page.keyboard.press("Control+A")
        editor.evaluate(PASTE, text)
        expect(self.page.locator(f"textarea[data-file='{file}']")).to_have_value(text)

    def deploy(self, text: str = "") -> None:
        """Press Deploy; returns once the page shows the operation's own output."""
        if text:
            self.edit(text)
        self.page.get_by_role("button", name="Deploy", exact=True).click()
        expect(self.page.locator("operation-output")).to_be_visible()

    def problems(self) -> list[str]:
        """Wait for the editor to list problems, and return them."""
        expect(self.page.locator(".problem").first).to_be_visible()
        return self.page.locator(".problem").all_inner_texts()

    def operation_ends(self, state: str, seconds: float = 30) -> str:
        """Wait for the operation shown here to end so; return its output."""
        label = self.page.locator("operation-output [data-part=state]")
        expect(label).to_have_text(
            re.compile("Succeeded|Failed|Cancelled|Lost"), timeout=seconds * SECONDS
        )
        assert label.inner_text() == state, self.operation_text()
        return self.operation_text()

    def operation_text(self) -> str:
        return self.page.locator("operation-output").inner_text()

    def runs(self, seconds: float = 20) -> dict[str, str]:
        """Wait until the project runs; return each service's container id."""
        self.open()
        self.shows_state("Running", seconds)
        return self.containers()

    def shows_state(self, state: str, seconds: float = 20) -> None:
        """Wait for the project's own badge to say so."""
        head = self.page.locator(".page-header-title .badge")
        expect(head).to_have_text(state, timeout=seconds * SECONDS)

    def containers(self) -> dict[str, str]:
        """Return the container id of each service, by the links on the overview."""
        found = {}
        for card in self.page.locator(".card:has(.container-row)").all():
            service = card.locator("h2").inner_text().split()[0]
            link = card.locator("a.container-name").first
            found[service] = (link.get_attribute("href") or "").rstrip("/").rsplit("/", 1)[-1]
        return found

    def press(self, name: str) -> None:
        """Press a button of the page's head: Stop, Start, Restart."""
        header = self.page.locator(".page-header-actions")
        header.get_by_role("button", name=name, exact=True).click()

    def open_log(self) -> "LogPage":
        self.open("logs/")
        return LogPage(self.page)


@dataclass(frozen=True)
class LogPage:
    """A log viewer."""

    page: Page

    def shows(self, text: str | re.Pattern[str], seconds: float = 10) -> None:
        """Wait for a line."""
        line = self.page.locator(".log-text", has_text=text).first
        expect(line).to_be_attached(timeout=seconds * SECONDS)

    def lines(self) -> list[str]:
        return self.page.locator(".log-text").all_text_contents()

    def services(self) -> set[str]:
        return set(self.page.locator(".log-source").all_text_contents())

    def numbers(self, prefix: str) -> list[int]:
        """Return the numbers that a container counted with, in the order they are shown."""
        pattern = re.compile(re.escape(prefix) + r" (\d+)$")
        found = [pattern.search(line) for line in self.lines()]
        return [int(match.group(1)) for match in found if match]


def make_project(visitor: Visitor, name: str, text: str) -> ProjectPage:
    """Make a project by the form, from a compose file pasted in; nothing is deployed yet."""
    visitor.open("/projects/new/")
    page = visitor.page
    page.get_by_label("Name", exact=True).fill(name)
    page.get_by_label("Or paste a compose file").fill(text)
    page.get_by_role("button", name="Create and edit").click()
    page.wait_for_url(re.compile("/files/$"))
    path = re.sub(r".*?(/projects/[^/]+/).*", r"\1", page.url)
    return ProjectPage(visitor, path)
