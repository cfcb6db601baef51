// Sends without loading the page again, and looks for answers of staff. Without this script the form does it all.
const talk = document.getElementById("talk");
const form = document.getElementById("end");
const field = document.getElementById("text");
const problem = document.getElementById("problem");
const EVERY_MS = 4000;
const SLOWEST_MS = 60000;
let seen = "";
let waits = EVERY_MS;
let isSending = false;

function show(lines) {
  let isNew = false;
  for (const line of lines) {
    if (document.getElementById(line.id)) continue;
    const item = document.createElement("li");
    item.id = line.id;
    item.className = line.voice;
    if (line.voice !== "news") {
      const who = document.createElement("span");
      who.className = "who";
      who.textContent = `${line.who}, ${line.at}`;
      item.append(who);
    }
    const text = document.createElement("span");
    text.className = "text";
    text.textContent = line.text;
    item.append(text);
    talk.append(item);
    isNew = true;
  }
  if (isNew) talk.scrollTop = talk.scrollHeight;
}

function complain(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

async function send() {
  const said = field.value;
  // One at a time, and each under a key of its own; what is typed meanwhile stays in the field.
  if (isSending || !said.trim()) return;
  isSending = true;
  const body = new FormData(form);
  form.querySelector("button").disabled = true;
  try {
    const answer = await fetch(form.action || location.href, { method: "POST", body, headers: { Accept: "application/json" } });
    const found = await answer.json();
    show(found.talk);
    complain(found.problem || "");
    if (!found.problem) {
      field.value = field.value.startsWith(said) ? field.value.slice(said.length).trimStart() : field.value;
      form.elements.key.value = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random().toString(36).slice(2)}`;
    }
  } catch {
    // The key stays the same, so that sending once more can't say it twice.
    complain(form.dataset.failed);
  }
  isSending = false;
  form.querySelector("button").disabled = false;
  field.focus();
}

async function look() {
  if (!document.hidden && talk.children.length) {
    try {
      const answer = await fetch(talk.dataset.news, { headers: { Accept: "application/json", "If-None-Match": seen } });
      if (answer.status === 200) {
        seen = answer.headers.get("ETag") || "";
        show((await answer.json()).talk);
      }
      waits = EVERY_MS;
    } catch {
      waits = Math.min(waits * 2, SLOWEST_MS);
    }
  }
  setTimeout(look, waits);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  send();
});
field.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && !event.shiftKey && !event.isComposing) {
    event.preventDefault();
    send();
  }
});
talk.scrollTop = talk.scrollHeight;
setTimeout(look, EVERY_MS);
