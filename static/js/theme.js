// Buttons with data-theme-choice="light|dark|system" set the theme of this browser.
import { each } from "./each.js";

const system = matchMedia("(prefers-color-scheme: dark)");

function chosen() {
  return localStorage.getItem("theme") ?? "system";
}

function apply() {
  const dark = chosen() === "dark" || (chosen() === "system" && system.matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  for (const button of document.querySelectorAll("[data-theme-choice]")) {
    button.setAttribute("aria-pressed", String(button.dataset.themeChoice === chosen()));
  }
}

document.addEventListener("click", (event) => {
  const choice = event.target.closest("[data-theme-choice]")?.dataset.themeChoice;
  if (!choice) return;
  if (choice === "system") localStorage.removeItem("theme");
  else localStorage.setItem("theme", choice);
  apply();
});

system.addEventListener("change", apply);
addEventListener("storage", apply);
each("[data-theme-choice]", apply);
