// Shows how a text reads while it is written. Without it the button does the same.
"use strict";

(() => {
  const form = document.querySelector("form[data-preview]");
  if (!form) return;
  const text = form.querySelector("textarea");
  const preview = document.getElementById("preview");
  let waiting = 0;
  let asked = 0;

  async function show() {
    const number = ++asked;
    const url = new URL(form.dataset.preview, location.href);
    url.searchParams.set("text", text.value);
    const answer = await fetch(url, { credentials: "same-origin" });
    // An answer to what was written before comes too late.
    if (answer.ok && number === asked) preview.innerHTML = await answer.text();
  }

  text.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(() => show().catch(() => {}), 300);
  });
})();
