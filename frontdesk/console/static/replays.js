// Replays the listed conversations one after another, and says of each how it would end now.
(() => {
  "use strict";
  const panel = document.querySelector("[data-replays]");
  if (!panel) return;
  const rows = [...document.querySelectorAll("[data-replay]")];
  const start = panel.querySelector("[data-start]");
  const stop = panel.querySelector("[data-stop]");
  const bar = panel.querySelector("progress");
  const status = panel.querySelector("[data-status]");
  const looks = { same: "booked", turns: "informed", ends: "pending", failed: "cancelled" };
  let isWanted = false;
  panel.hidden = false;

  function show(row, state, words) {
    const badge = document.createElement("span");
    badge.className = `badge ${looks[state] || "cancelled"}`;
    badge.textContent = words;
    row.querySelector("[data-result]").replaceChildren(badge);
  }

  async function replay(row) {
    try {
      const response = await fetch(row.dataset.replay, { headers: { Accept: "application/json" } });
      if (!response.ok) throw new Error(String(response.status));
      const found = await response.json();
      show(row, found.state, found.words);
    } catch {
      show(row, "failed", panel.dataset.failed);
    }
  }

  async function replayAll() {
    isWanted = true;
    start.hidden = true;
    stop.hidden = false;
    stop.focus();
    status.textContent = panel.dataset.underWay;
    bar.value = 0;
    for (const row of rows) {
      if (!isWanted) break;
      await replay(row);
      bar.value += 1;
    }
    stop.hidden = true;
    start.hidden = false;
    status.textContent = panel.dataset.done;
  }

  start.addEventListener("click", replayAll);
  stop.addEventListener("click", () => { isWanted = false; });
})();
