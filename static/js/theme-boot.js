// A classic script, run before the first paint so that no page flashes in the wrong theme.
(() => {
  const choice = localStorage.getItem("theme");
  const dark =
    choice === "dark" || (choice !== "light" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
})();
