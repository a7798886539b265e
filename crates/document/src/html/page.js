"use strict";
// Search: rows that do not hold every word are hidden, and lists that hold a match are opened.
const box = document.getElementById("search");
const count = document.getElementById("count");
const rows = Array.from(document.querySelectorAll("tbody tr"));
const texts = rows.map((row) => row.textContent.toLowerCase());
let pending = 0;
function search() {
  const words = box.value.toLowerCase().split(/\s+/).filter(Boolean);
  let found = 0;
  const open = new Set();
  rows.forEach((row, index) => {
    const fits = words.every((word) => texts[index].includes(word));
    row.hidden = !fits;
    if (fits && words.length) {
      found += 1;
      const details = row.closest("details");
      if (details) open.add(details);
    }
  });
  open.forEach((details) => { details.open = true; });
  count.textContent = words.length ? found + " rows hold that" : "";
}
box.addEventListener("input", () => {
  clearTimeout(pending);
  pending = setTimeout(search, 120);
});
// On paper nothing can be opened.
let closed = [];
addEventListener("beforeprint", () => {
  closed = Array.from(document.querySelectorAll("details:not([open])"));
  closed.forEach((details) => { details.open = true; });
});
addEventListener("afterprint", () => {
  closed.forEach((details) => { details.open = false; });
});
