
// Sorts a table by the column that is clicked; numbers by value, a dash last.
document.querySelectorAll("table").forEach(table => {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const value = (row, k) => row.cells[k].textContent.trim();
  const sort = (head, k) => {
    const down = head.getAttribute("aria-sort") === "ascending";
    heads.forEach(h => h.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", down ? "descending" : "ascending");
    const sign = down ? -1 : 1;
    const rows = [...body.rows].sort((p, q) => {
      const [a, b] = [value(p, k), value(q, k)];
      if (a === "-" || b === "-") return (a === "-") - (b === "-");
      const [x, y] = [Number(a), Number(b)];
      return sign * (isNaN(x) || isNaN(y) ? a.localeCompare(b) : x - y);
    });
    body.append(...rows);
  };
  heads.forEach((head, k) => {
    head.addEventListener("click", () => sort(head, k));
    head.addEventListener("keydown", e => { if (e.key === "Enter") sort(head, k); });
  });
});
