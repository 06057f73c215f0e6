// Follows Airflow's colours, light or dark, as they are now: in its frame those of the page around it, alone those that
// it would choose. Loaded before anything is painted.
(() => {
  "use strict";
  const root = document.documentElement;
  const colours = [
    "bg", "bg-subtle", "bg-muted", "bg-emphasized", "fg", "fg-muted", "fg-subtle",
    "border", "border-emphasized", "brand-solid", "brand-contrast", "blue-fg", "blue-solid",
  ];
  const system = window.matchMedia("(prefers-color-scheme: dark)");

  function airflowRoot() {
    try {
      return window.parent === window ? null : window.parent.document.documentElement;
    } catch {
      return null; // framed by a page of another origin
    }
  }

  function chosenTheme() {
    try {
      return localStorage.getItem("theme") || (system.matches ? "dark" : "light");
    } catch {
      return system.matches ? "dark" : "light";
    }
  }

  function follow() {
    const airflow = airflowRoot();
    const dark = airflow ? airflow.classList.contains("dark") : chosenTheme() === "dark";
    root.classList.toggle("dark", dark);
    root.classList.toggle("light", !dark);
    if (airflow) {
      const computed = window.parent.getComputedStyle(airflow);
      for (const colour of colours) {
        const name = `--chakra-colors-${colour}`;
        root.style.setProperty(name, computed.getPropertyValue(name));
      }
    }
  }

  follow();
  const airflow = airflowRoot();
  if (airflow) {
    const attributeFilter = ["class", "style", "data-theme"];
    new MutationObserver(follow).observe(airflow, { attributes: true, attributeFilter });
  }
  system.addEventListener("change", follow);
  window.addEventListener("storage", follow);
})();
