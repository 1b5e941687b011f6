// Typing results in: whom a line is about, what a code says, and where to begin. The page works without it.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const line = document.getElementById("f-line");
  const whom = document.getElementById("whom");

  function tell() {
    const row = document.querySelector(`[data-line="${CSS.escape(line.value.trim())}"]`);
    whom.textContent = row ? row.textContent.trim() : "";
    document.querySelectorAll("[data-line]").forEach((one) => one.toggleAttribute("data-current", one === row));
    for (const field of document.querySelectorAll("[data-codes]")) {
      const legend = document.querySelector(`[data-legend="${CSS.escape(field.dataset.codes)}"]`);
      legend.querySelectorAll("li").forEach((one) => one.toggleAttribute("data-current", one.dataset.code === field.value));
    }
  }

  document.querySelector(".typing").addEventListener("input", tell);
  tell();
  const first = document.querySelector("[data-first]");
  if (first) {
    first.addEventListener("focus", () => first.select(), { once: true });
    if (document.activeElement === first) first.select();
  }
});
