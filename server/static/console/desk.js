// The keyboard on lists (j, k, Enter, x), "all" boxes, questions before what is hard to undo. Pages work without it.
"use strict";

const rows = () => [...document.querySelectorAll("[data-list] > li")];

function go(step) {
  const all = rows();
  if (!all.length) return;
  const at = all.findIndex((row) => row.hasAttribute("data-current"));
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  all.forEach((row) => row.removeAttribute("data-current"));
  next.setAttribute("data-current", "");
  next.scrollIntoView({ block: "nearest" });
  const link = next.querySelector("a");
  if (link) link.focus();
}

document.addEventListener("keydown", (event) => {
  const typing = event.target.closest("input:not([type=checkbox]):not([type=radio]), textarea, select");
  if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "j") go(1);
  if (event.key === "k") go(-1);
  if (event.key === "x") {
    const box = document.querySelector("[data-list] > li[data-current] input[type=checkbox]");
    if (box) box.click();
  }
  const act = document.querySelector(`[data-key="${CSS.escape(event.key)}"]`);
  if (act) {
    event.preventDefault();
    act.click();
    const field = act.tagName === "SUMMARY" && act.parentElement.querySelector("textarea, input:not([type=hidden])");
    if (field) field.focus();
  }
});

document.addEventListener("change", (event) => {
  const box = event.target;
  if (box.matches("[data-all]")) {
    document.querySelectorAll(`input[name="${CSS.escape(box.dataset.all)}"]`).forEach((one) => { one.checked = box.checked; });
  }
  if (box.matches("select[data-go]")) box.form.submit();
});

document.addEventListener("submit", (event) => {
  const asked = event.submitter && event.submitter.dataset.ask;
  if (asked && !window.confirm(asked)) event.preventDefault();
});
