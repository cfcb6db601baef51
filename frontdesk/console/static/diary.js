// Lays the diary out by the clock on a wide screen. Without this script, and on a phone, it is a list by practitioner.
"use strict";

(() => {
  const ROW_MIN = 5;
  const diary = document.querySelector(".diary");
  if (!diary) return;
  const first = Number(diary.dataset.first);
  const rows = (Number(diary.dataset.end) - first) / ROW_MIN;

  const lineOf = (minute) => Math.min(Math.max(Math.floor((minute - first) / ROW_MIN), 0), rows) + 1;

  for (const grid of diary.querySelectorAll(".day, .hours")) {
    grid.style.gridTemplateRows = `repeat(${rows}, 0.6rem)`;
  }
  for (const item of diary.querySelectorAll("[data-from]")) {
    const start = lineOf(Number(item.dataset.from));
    item.style.gridRow = `${start} / ${Math.max(lineOf(Number(item.dataset.to)), start + 1)}`;
  }
  diary.classList.add("by-clock");
})();
