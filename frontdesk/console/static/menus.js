// Closes the menus of the bar as people expect: by Escape, and by a click elsewhere. Without it they close by their own word.
"use strict";

(() => {
  const opened = () => document.querySelector("details.menu[open]");

  document.addEventListener("keydown", (event) => {
    const menu = event.key === "Escape" ? opened() : null;
    if (!menu) return;
    menu.open = false;
    menu.querySelector("summary").focus();
  });
  document.addEventListener("click", (event) => {
    const menu = opened();
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
})();
