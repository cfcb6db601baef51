// Lays the diary out by the clock on a wide screen, and lets visits be dragged and free time be clicked there. Without this
// script, and on a phone, it is a list by practitioner, and there is a page for each of these.
"use strict";

(() => {
  const ROW_MIN = 5;
  const DAY_BEGINS = 8 * 60;
  const BEFORE = 30; // minutes that are shown of what was before
  const FAR_ENOUGH_PX = 6; // less is a click with an unsteady hand
  const diary = document.querySelector(".diary");
  if (!diary) return;
  const first = Number(diary.dataset.first);
  const rows = (Number(diary.dataset.end) - first) / ROW_MIN;
  const step = Number(diary.dataset.step);

  const lineOf = (minute) => Math.min(Math.max(Math.floor((minute - first) / ROW_MIN), 0), rows) + 1;

  for (const grid of diary.querySelectorAll(".day, .hours")) {
    grid.style.gridTemplateRows = `repeat(${rows}, 0.6rem)`;
  }
  for (const item of diary.querySelectorAll("[data-from]")) {
    const start = lineOf(Number(item.dataset.from));
    item.style.gridRow = `${start} / ${Math.max(lineOf(Number(item.dataset.to)), start + 1)}`;
    if (Number(item.dataset.lanes) > 1) {
      item.classList.add("beside");
      item.style.setProperty("--lanes", item.dataset.lanes);
      item.style.setProperty("--lane", item.dataset.lane);
    }
  }
  // A day on which many visits overlap gets the room for them.
  const widths = Array.from(diary.querySelectorAll(".column"), (column) => `minmax(max(9.5rem, ${column.dataset.lanes} * 6.25rem), 1fr)`);
  diary.style.setProperty("--columns", widths.join(" "));
  diary.classList.add("by-clock");
  const isByClock = () => getComputedStyle(diary.querySelector(".hours")).display !== "none";

  // What is going on now comes into sight, else the morning, else the first visit of a night; or what was seen here before.
  const seen = `${location.pathname}${location.search}`;
  const startOfInterest = () => {
    const now = diary.querySelector(".now");
    if (now) return Number(now.dataset.from) - BEFORE;
    const starts = Array.from(diary.querySelectorAll(".visit"), (visit) => Number(visit.dataset.from));
    const isOfNight = starts.length > 0 && Math.max(...starts) < DAY_BEGINS;
    return isOfNight ? Math.min(...starts) - BEFORE : DAY_BEGINS;
  };
  const scrollTo = (minute) => {
    const height = diary.querySelector(".day").getBoundingClientRect().height;
    diary.scrollTop = (height * Math.max(minute - first, 0)) / (rows * ROW_MIN);
  };
  const [where, top] = (sessionStorage.getItem("diary") ?? "").split(" ");
  if (where === seen) diary.scrollTop = Number(top);
  else scrollTo(startOfInterest());
  addEventListener("pagehide", () => sessionStorage.setItem("diary", `${seen} ${diary.scrollTop}`));

  // Where the pointer is, as a minute of the scale, on the grid of the clinic's steps.
  const minuteAt = (day, y) => {
    const box = day.getBoundingClientRect();
    const minute = first + ((y - box.top) / box.height) * rows * ROW_MIN;
    return Math.max(first, Math.floor(minute / step) * step);
  };

  // What clocks show at a minute of the scale. In the night they go back some minutes come twice.
  const clockAt = (minute) => {
    const backAt = Number(diary.dataset.backAt);
    const again = Number(diary.dataset.again);
    const isLater = again > 0 && minute >= backAt;
    const wall = isLater ? minute - again : minute;
    const two = (number) => String(number).padStart(2, "0");
    return { time: `${two(Math.floor(wall / 60))}:${two(wall % 60)}`, isSecond: isLater && wall < backAt };
  };

  const dayAt = (event, kind) => {
    const under = document.elementFromPoint(event.clientX, event.clientY);
    const day = under && under.closest(".day");
    return day && kind in day.dataset ? day : null;
  };

  diary.addEventListener("click", (event) => {
    if (!isByClock() || event.target.closest("a, .busy")) return;
    const day = dayAt(event, "book");
    if (!day) return;
    const clock = clockAt(minuteAt(day, event.clientY));
    const address = new URL(day.dataset.book, location.href);
    address.searchParams.set("time", clock.time);
    if (clock.isSecond) address.searchParams.set("is_second", "1");
    location.assign(address);
  });

  const form = document.getElementById("drop");
  if (!form) return;
  document.querySelector(".drag-hint")?.toggleAttribute("hidden", !isByClock());
  let drag = null;
  let wasDragged = false;

  const show = (event) => {
    const day = dayAt(event, "practitioner");
    if (!day) {
      drag.landing.remove();
      drag.target = null;
      return;
    }
    const start = minuteAt(day, event.clientY - drag.grip);
    drag.target = { day, start };
    drag.landing.style.gridRow = `${lineOf(start)} / ${Math.max(lineOf(start + drag.length), lineOf(start) + 1)}`;
    drag.landing.textContent = clockAt(start).time;
    if (drag.landing.parentElement !== day) day.append(drag.landing);
  };

  const end = () => {
    if (!drag) return;
    drag.landing.remove();
    drag.visit.classList.remove("dragged");
    drag = null;
  };

  const drop = () => {
    const { visit, target } = drag;
    end();
    if (!target) return;
    const clock = clockAt(target.start);
    form.action = visit.dataset.move;
    form.elements.revision.value = visit.dataset.revision;
    form.elements.day.value = target.day.dataset.day;
    form.elements.time.value = clock.time;
    form.elements.is_second.value = clock.isSecond ? "1" : "";
    // A week of everybody says nothing about the person: the visit keeps its own.
    form.elements.practitioner.value = target.day.dataset.practitioner;
    form.elements.practitioner.disabled = !target.day.dataset.practitioner;
    form.submit();
  };

  diary.addEventListener("pointerdown", (event) => {
    const visit = event.target.closest(".visit[data-move]");
    wasDragged = false;
    if (!visit || event.button !== 0 || event.pointerType === "touch" || !isByClock()) return;
    const landing = document.createElement("div");
    landing.className = "landing";
    drag = {
      visit, landing, target: null, isMoving: false, x: event.clientX, y: event.clientY,
      grip: event.clientY - visit.getBoundingClientRect().top,
      length: Number(visit.dataset.to) - Number(visit.dataset.from),
    };
  });
  document.addEventListener("pointermove", (event) => {
    if (!drag) return;
    if (!drag.isMoving && Math.hypot(event.clientX - drag.x, event.clientY - drag.y) < FAR_ENOUGH_PX) return;
    drag.isMoving = wasDragged = true;
    drag.visit.classList.add("dragged");
    show(event);
  });
  document.addEventListener("pointerup", () => {
    if (drag?.isMoving) drop();
    else end();
  });
  document.addEventListener("pointercancel", end);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") end();
  });
  // A link is dragged by the browser itself, and clicked when the button is let go: neither is meant here.
  diary.addEventListener("dragstart", (event) => event.preventDefault());
  diary.addEventListener("click", (event) => {
    if (!wasDragged) return;
    event.preventDefault();
    event.stopPropagation();
    wasDragged = false;
  }, true);
})();
