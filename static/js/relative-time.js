// <time datetime data-relative> says how long ago; its title is the full time in the reader's zone.
import { each } from "./each.js";
import { ago } from "./time-text.js";

const full = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });

function update(element) {
  const moment = Date.parse(element.dateTime);
  if (Number.isNaN(moment)) return;
  const text = ago(moment, Date.now());
  if (element.textContent !== text) element.textContent = text;
}

each("time[data-relative]", (element) => {
  element.title = full.format(new Date(element.dateTime));
  update(element);
});

setInterval(() => document.querySelectorAll("time[data-relative]").forEach(update), 10_000);
