// Tells staff what has come up, on whichever page they are, and keeps the numbers in the bar as they are now.
// Each piece of news is told once in this browser: what was seen for a moment, opened or closed does not come again.

import { follow } from "./follow.js";

const FIRST_MS = 1000;
const SEEN_AFTER_MS = 5000;
const MOST_KEPT = 200;
const KEPT = "frontdesk-notices";

const box = document.querySelector("[data-notices]");

// A browser that keeps nothing tells things again on the next page.
const seen = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? [];
  } catch {
    return [];
  }
};
const noteSeen = (key) => {
  try {
    localStorage.setItem(KEPT, JSON.stringify([...seen().filter((one) => one !== key), key].slice(-MOST_KEPT)));
  } catch {
    // As above.
  }
};

const isOnThisPage = (link) => link.pathname + link.search === location.pathname + location.search;
const isShownHere = (link) => isOnThisPage(link) && (link.hash === "" || document.getElementById(link.hash.slice(1)) !== null);

const tell = (fresh) => {
  const notice = document.createElement("div");
  notice.className = fresh.className;
  notice.dataset.notice = fresh.dataset.notice;
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "×";
  close.setAttribute("aria-label", box.dataset.close);
  close.addEventListener("click", () => {
    noteSeen(notice.dataset.notice);
    notice.remove();
  });
  const link = fresh.querySelector("a").cloneNode(true);
  link.addEventListener("click", () => {
    noteSeen(notice.dataset.notice);
    if (isOnThisPage(link)) window.setTimeout(() => location.reload(), 0); // it is further down on a newer one
  });
  notice.append(link, close);
  box.append(notice);
  window.setTimeout(() => noteSeen(notice.dataset.notice), SEEN_AFTER_MS);
};

const show = (html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html");
  for (const mark of document.querySelectorAll("[data-mark]")) {
    const now = fresh.querySelector(`[data-mark="${mark.dataset.mark}"]`);
    if (now && now.innerHTML !== mark.innerHTML) mark.innerHTML = now.innerHTML;
  }
  const news = [...fresh.querySelectorAll("[data-notice]")];
  const told = [...box.children];
  // What somebody has seen to meanwhile is no news any more.
  for (const old of told) if (!news.some((one) => one.dataset.notice === old.dataset.notice) && !old.contains(document.activeElement)) old.remove();
  for (const one of news) {
    const isTold = told.some((old) => old.dataset.notice === one.dataset.notice) || seen().includes(one.dataset.notice);
    if (!isTold && !isShownHere(one.querySelector("a"))) tell(one);
  }
  return true;
};

follow({ address: box.dataset.notices, every: () => Number(box.dataset.every), first: FIRST_MS, show });
