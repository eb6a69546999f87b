// Tabs within a page: [role=tab] shows the [role=tabpanel] it controls; arrow keys move between tabs.
// The shown panel is kept in the address, so that a reload and a link show the same.
import { each } from "./each.js";

function select(tab) {
  for (const other of tab.closest("[role=tablist]").querySelectorAll("[role=tab]")) {
    const selected = other === tab;
    other.setAttribute("aria-selected", String(selected));
    other.tabIndex = selected ? 0 : -1;
    const panel = document.getElementById(other.getAttribute("aria-controls"));
    if (panel) panel.hidden = !selected;
  }
}

document.addEventListener("click", (event) => {
  const tab = event.target.closest("[role=tab]");
  if (!tab) return;
  select(tab);
  history.replaceState(history.state, "", `#${tab.getAttribute("aria-controls")}`);
});

document.addEventListener("keydown", (event) => {
  const tab = event.target.closest?.("[role=tab]");
  const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
  if (!tab || !step) return;
  const tabs = [...tab.closest("[role=tablist]").querySelectorAll("[role=tab]")];
  const next = tabs[(tabs.indexOf(tab) + step + tabs.length) % tabs.length];
  next.focus();
  next.click();
});

each("[role=tablist]", (list) => {
  const wanted = location.hash.slice(1);
  const tabs = [...list.querySelectorAll("[role=tab]")];
  const linked = wanted && tabs.find((tab) => tab.getAttribute("aria-controls") === wanted);
  select(linked || tabs.find((tab) => tab.getAttribute("aria-selected") === "true") || tabs[0]);
});
