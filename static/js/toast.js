// Toasts: from django.contrib.messages, from the htmx event "toast" (an HX-Trigger header with
// {"toast": {"tone", "title", "text"}}), and from other modules.
import { each } from "./each.js";

const STAY_MS = 6_000;

/** @param {{tone?: string, title: string, text?: string}} what */
export function toast({ tone = "info", title, text = "" }) {
  const template = document.getElementById(`toast-${tone}`) ?? document.getElementById("toast-info");
  const element = template.content.firstElementChild.cloneNode(true);
  element.querySelector(".toast-title").textContent = title;
  element.querySelector(".toast-text").textContent = text;
  document.getElementById("toasts").append(element);
  keepAWhile(element);
}

// A danger stays until it is dismissed; the others leave, unless somebody is reading them.
function keepAWhile(element) {
  if (element.dataset.tone === "danger") return;
  let timer = setTimeout(() => element.remove(), STAY_MS);
  element.addEventListener("mouseenter", () => clearTimeout(timer));
  element.addEventListener("mouseleave", () => {
    timer = setTimeout(() => element.remove(), STAY_MS);
  });
}

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest(".toast").remove();
});
document.addEventListener("toast", (event) => toast(event.detail));
// The panel says itself what is wrong, by the event "toast", where it knows.
document.addEventListener("htmx:responseError", (event) => {
  const { xhr } = event.detail;
  if (xhr.getResponseHeader("HX-Trigger")) return;
  const { status } = xhr;
  toast({ tone: "danger", title: "That did not work", text: `The panel answered ${status}.` });
});
document.addEventListener("htmx:sendError", () => {
  toast({ tone: "danger", title: "The panel cannot be reached", text: "Try again in a moment." });
});
each("#toasts > .toast", keepAWhile);
