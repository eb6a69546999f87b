// data-dialog-open="id" opens a <dialog>; data-dialog-close and a press on the backdrop close it.
// A form with data-typed-name keeps its button disabled until that name has been typed.
import { each } from "./each.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-dialog-open]");
  if (opener) document.getElementById(opener.dataset.dialogOpen)?.showModal();
  if (event.target.closest("[data-dialog-close]")) event.target.closest("dialog")?.close();
  if (event.target instanceof HTMLDialogElement) closeFromBackdrop(event);
});

function closeFromBackdrop(event) {
  const box = event.target.getBoundingClientRect();
  const inside =
    event.clientX >= box.left &&
    event.clientX <= box.right &&
    event.clientY >= box.top &&
    event.clientY <= box.bottom;
  if (!inside) event.target.close();
}

each("form[data-typed-name]", (form) => {
  const input = form.querySelector("[name=confirm]");
  const button = form.querySelector("[type=submit]");
  const check = () => (button.disabled = input.value.trim() !== form.dataset.typedName);
  input.addEventListener("input", check);
  form.closest("dialog")?.addEventListener("close", () => {
    input.value = "";
    check();
  });
  check();
});
