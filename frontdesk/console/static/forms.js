// Spares who fills in a form some trouble: leads to the first thing that is wrong, asks before what was written is left behind, and tells of
// a file that is too large before it is sent. Without it the page says the same after it was sent.
"use strict";

(() => {
  const first = document.querySelector("form [aria-invalid]") || document.querySelector(".problem[role=alert]");
  if (first) first.focus();

  for (const form of document.querySelectorAll("form[data-unsaved]")) {
    // What came back because it can't be kept is not saved either.
    let isUnsaved = Boolean(form.querySelector("[aria-invalid]"));
    const told = form.querySelector("[data-unsaved-here]");

    form.addEventListener("input", () => {
      isUnsaved = true;
      if (told) told.textContent = form.dataset.unsaved;
    });
    form.addEventListener("submit", () => { isUnsaved = false; });
    window.addEventListener("beforeunload", (event) => {
      if (isUnsaved) event.preventDefault();
    });
  }

  for (const input of document.querySelectorAll("input[type=file][data-largest]")) {
    input.addEventListener("change", () => {
      const file = input.files[0];
      input.setCustomValidity(file && file.size > Number(input.dataset.largest) ? input.dataset.tooLarge : "");
      input.reportValidity();
    });
  }
})();
