// The shown lines as a text file: full time, source and text of each, without colours.
import { plainText, sourceName } from "./log-list.js";

function row(entry) {
  if (entry.kind === "gap") return `-- ${plainText(entry)} --`;
  return `${new Date(entry.line.t).toISOString()} ${sourceName(entry.line)} ${plainText(entry)}`;
}

export function download(entries, name = "logs") {
  const shown = entries.filter((entry) => !entry.element.hidden);
  const text = shown.map((entry) => `${row(entry)}\n`);
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob(text, { type: "text/plain" }));
  link.download = `${name || "logs"}-${new Date().toISOString().slice(0, 19).replaceAll(":", "")}.log`;
  link.click();
  URL.revokeObjectURL(link.href);
}
