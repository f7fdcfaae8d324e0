(() => {
  "use strict";
  document.documentElement.classList.add("js");
  // Sorts the contact sheet by the column whose head is pressed, and the other way round when pressed again.
  document.querySelectorAll(".sheet thead th").forEach((head, column) => {
    const button = head.querySelector("button");
    if (!button) return;
    button.addEventListener("click", () => {
      const body = head.closest("table").tBodies[0];
      const down = head.getAttribute("aria-sort") !== "descending";
      head.closest("tr").querySelectorAll("th").forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.key;
      const numeric = "numeric" in head.dataset;
      const rows = Array.from(body.rows);
      rows.sort((a, b) => (numeric ? key(a) - key(b) : key(a).localeCompare(key(b))) * (down ? -1 : 1));
      body.append(...rows);
    });
  });
})();
