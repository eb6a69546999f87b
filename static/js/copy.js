// A button with data-copy copies: "previous", the text of the element before it; "#id", of that element;
// anything else, itself.

function textOf(button) {
  const what = button.dataset.copy;
  if (what === "previous") return button.previousElementSibling.textContent;
  if (what.startsWith("#")) return document.querySelector(what).textContent;
  return what;
}

// The clipboard interface exists on secure origins only; a panel reached by plain HTTP has none.
function copyBySelection(text) {
  const area = document.createElement("textarea");
  area.value = text;
  area.className = "visually-hidden";
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const text = textOf(button).trim();
  if (navigator.clipboard) await navigator.clipboard.writeText(text);
  else copyBySelection(text);
  button.dataset.copied = "";
  setTimeout(() => delete button.dataset.copied, 1600);
});
