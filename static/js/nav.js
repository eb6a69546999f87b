// On a phone the sidebar is a drawer: data-nav-open opens it, data-nav-close and Escape close it.

const root = document.documentElement;

function setOpen(open) {
  root.classList.toggle("nav-open", open);
  const toggle = document.querySelector("[data-nav-open]");
  toggle?.setAttribute("aria-expanded", String(open));
  if (open) document.querySelector("#sidebar a")?.focus();
  else if (document.activeElement?.closest("#sidebar")) toggle?.focus();
}

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-nav-open]")) setOpen(true);
  if (event.target.closest("[data-nav-close]")) setOpen(false);
});

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape" && root.classList.contains("nav-open")) setOpen(false);
});
