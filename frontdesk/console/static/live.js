// Keeps what is going on up to date: asks for its parts again every few seconds, as long as the page is seen.
// Nothing but the messages is read out, and nothing takes the focus or what somebody is writing.

import { follow } from "./follow.js";

const USUAL_MS = 2500; // until the page says how often

const isInUse = (part) => part.contains(document.activeElement) || [...part.querySelectorAll("textarea")].some((one) => one.value !== "");

const addMessages = (list, fresh) => {
  const log = list.closest(".live-log");
  const isAtEnd = log.scrollTop + log.clientHeight >= log.scrollHeight - 8;
  for (const message of fresh.children) {
    const known = list.querySelector(`:scope > [data-key="${CSS.escape(message.dataset.key)}"]`);
    if (!known) list.append(message.cloneNode(true));
    else if (known.innerHTML !== message.innerHTML) known.innerHTML = message.innerHTML;
  }
  if (isAtEnd) log.scrollTop = log.scrollHeight;
};

const replaceList = (list, fresh) => {
  const key = list.contains(document.activeElement) && document.activeElement.closest("[data-key]")?.dataset.key;
  list.innerHTML = fresh.innerHTML;
  if (key) list.querySelector(`[data-key="${CSS.escape(key)}"] a`)?.focus({ preventScroll: true });
};

// Says whether all of it could be shown: a part that somebody is using waits.
const show = (root, html) => {
  const fresh = new DOMParser().parseFromString(html, "text/html").body;
  let isWhole = true;
  if (!root.querySelector("[data-part]")) {
    root.replaceChildren(...fresh.childNodes);
    root.querySelector("[autofocus]")?.removeAttribute("autofocus");
    prepare(root);
    return true;
  }
  for (const part of fresh.querySelectorAll("[data-part]")) {
    const shown = root.querySelector(`[data-part="${part.dataset.part}"]`);
    if (part.dataset.part === "messages") addMessages(shown, part);
    else if (part.dataset.part === "list") replaceList(shown, part);
    else if (shown.dataset.version !== undefined && shown.dataset.version === part.dataset.version) continue;
    else if (shown.dataset.part === "controls" && isInUse(shown)) isWhole = false;
    else if (shown.innerHTML !== part.innerHTML) {
      shown.innerHTML = part.innerHTML;
      if (part.dataset.version !== undefined) shown.dataset.version = part.dataset.version;
      prepare(shown);
    }
  }
  return isWhole;
};

// How many texts the words will be: the same rules as the server's, with its alphabet.
const countParts = (text, alphabet) => {
  const marked = [...text].map((letter) => (alphabet.accents.includes(letter) ? letter : alphabet.plain[letter] ?? letter));
  const cheaper = marked.map((letter) => alphabet.plain[letter] ?? letter);
  const isBasic = cheaper.every((letter) => [...letter].every((one) => alphabet.basic.includes(one) || alphabet.extended.includes(one)));
  const letters = [...(isBasic ? cheaper : marked).join("")];
  const sizes = letters.map((letter) => (isBasic ? (alphabet.extended.includes(letter) ? 2 : 1) : letter.length));
  const [single, part] = isBasic ? [160, 153] : [70, 67];
  if (sizes.reduce((sum, size) => sum + size, 0) <= single) return [letters.length, 1];
  let parts = 1;
  let filled = 0;
  for (const size of sizes) {
    if (filled + size > part) [parts, filled] = [parts + 1, 0];
    filled += size;
  }
  return [letters.length, parts];
};

const prepare = (root) => {
  for (const log of root.querySelectorAll(".live-log")) log.scrollTop = log.scrollHeight;
  for (const box of root.querySelectorAll("textarea[data-alphabet]")) {
    const alphabet = JSON.parse(box.dataset.alphabet);
    const counted = box.form.querySelector("[data-count]");
    const count = () => {
      const [letters, parts] = countParts(box.value.trim(), alphabet);
      const words = parts === 1 ? box.dataset.countedOne : box.dataset.counted;
      counted.textContent = words.replace("{n}", letters).replace("{parts}", parts);
    };
    box.addEventListener("input", count);
    count();
  }
};

for (const root of document.querySelectorAll("[data-live]")) {
  const every = () => Number(root.querySelector("[data-every]")?.dataset.every) || USUAL_MS;
  const tellStale = (isStale) => {
    const notice = root.querySelector("[data-stale]");
    if (notice) notice.hidden = !isStale;
  };
  prepare(root);
  follow({
    address: root.dataset.live,
    every,
    first: root.querySelector("[data-part]") ? every() : 0,
    show: (html) => show(root, html),
    tellStale,
  });
}
