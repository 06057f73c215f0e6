// The arrow keys move between the cells of the calendar: left and right by a day, up and down by a table and from one
// month into the next, Page Up and Page Down by a month, Home and End to the ends of a month. One cell at a time can be
// reached by Tab; Enter opens it, as it does every link.
(() => {
  "use strict";
  const calendar = document.querySelector("[data-calendar]");
  if (!calendar) return;
  const tables = Number(calendar.dataset.tables);
  const cells = new Map();
  for (const cell of calendar.querySelectorAll("a.cell")) cells.set(`${cell.dataset.row}/${cell.dataset.day}`, cell);

  const at = (row, day) => cells.get(`${row}/${day}`);
  const iso = (date) => date.toISOString().slice(0, 10);
  const moved = (day, days) => iso(new Date(Date.parse(day) + days * 86_400_000));

  // The same day of another month, or the nearest one that is shown.
  function inMonth(row, day, months) {
    const [year, month, number] = day.split("-").map(Number);
    const first = Date.UTC(year, month - 1 + months, 1);
    const length = new Date(Date.UTC(year, month + months, 0)).getUTCDate();
    const days = Array.from({ length }, (_, index) => index + 1).sort(
      (one, other) => Math.abs(one - number) - Math.abs(other - number),
    );
    for (const candidate of days) {
      const found = at(row, moved(iso(new Date(first)), candidate - 1));
      if (found) return found;
    }
    return undefined;
  }

  function endOfMonth(row, day, forwards) {
    let here = at(row, day);
    for (let next = here; next && next.dataset.day.slice(0, 7) === day.slice(0, 7); ) {
      here = next;
      next = at(row, moved(next.dataset.day, forwards ? 1 : -1));
    }
    return here;
  }

  function target(key, row, day) {
    switch (key) {
      case "ArrowLeft": return at(row, moved(day, -1));
      case "ArrowRight": return at(row, moved(day, 1));
      case "ArrowUp": return row > 0 ? at(row - 1, day) : inMonth(tables - 1, day, 1); // later months stand above
      case "ArrowDown": return row < tables - 1 ? at(row + 1, day) : inMonth(0, day, -1);
      case "PageUp": return inMonth(row, day, 1);
      case "PageDown": return inMonth(row, day, -1);
      case "Home": return endOfMonth(row, day, false);
      case "End": return endOfMonth(row, day, true);
      default: return undefined;
    }
  }

  calendar.addEventListener("keydown", (event) => {
    const cell = event.target.closest("a.cell");
    if (!cell || event.altKey || event.ctrlKey || event.metaKey) return;
    if (event.key === "Escape") return void cell.blur();
    const next = target(event.key, Number(cell.dataset.row), cell.dataset.day);
    if (!next) return;
    event.preventDefault();
    next.focus();
  });

  calendar.addEventListener("focusin", (event) => {
    const cell = event.target.closest("a.cell");
    if (!cell) return;
    for (const other of calendar.querySelectorAll('a.cell[tabindex="0"]')) other.tabIndex = -1;
    cell.tabIndex = 0;
  });
})();
