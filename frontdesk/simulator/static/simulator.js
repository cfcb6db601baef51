// A phone and a text window that talk to the webhooks as the telephony vendor does. The server signs and delivers; this
// script keeps the call, reads TwiML the way the vendor would, and shows what happened.
"use strict";

(() => {
  const root = document.getElementById("simulator");
  if (!root) return;
  const texts = JSON.parse(root.dataset.texts);
  const find = (id) => document.getElementById(id);
  const words = (key, fields = {}) => texts[key].replace(/\{(\w+)\}/g, (_, name) => fields[name] ?? "");

  const sid = (kind) => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return kind + Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  };

  async function post(address, body) {
    const response = await fetch(address, {
      method: "POST",
      headers: { "Content-Type": "application/json", "X-CSRFToken": root.dataset.token, Accept: "application/json" },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(words("failed", { status: response.status }));
    return response.json();
  }

  // Delivers one webhook and returns the TwiML document, or null when the answer carries none.
  async function deliver(path, fields) {
    const answer = await post(root.dataset.deliver, { path, fields });
    if (answer.status >= 400) throw new Error(words("failed", { status: answer.status }));
    if (!answer.body.trim().startsWith("<")) return null;
    return new DOMParser().parseFromString(answer.body, "text/xml").documentElement;
  }

  function add(log, kind, text, note) {
    log.querySelector(".note:only-child")?.remove();
    const item = document.createElement("li");
    item.className = kind;
    if (kind === "me" || kind === "agent") {
      const speaker = document.createElement("span");
      speaker.className = "hidden";
      speaker.textContent = `${words(kind === "me" ? "you" : "agent")}: `;
      item.append(speaker);
    }
    item.append(text);
    if (note) {
      const small = document.createElement("small");
      small.textContent = note;
      item.append(small);
    }
    log.append(item);
    log.scrollTop = log.scrollHeight;
    return item;
  }

  const faultText = (error) => (error instanceof TypeError ? words("unreachable") : error.message);

  // Who calls whom.
  const caller = find("caller");
  const clinicNumber = find("clinic-number");
  const smsLog = find("sms-log");
  const shownMessages = new Map();

  function showCaller() {
    const chosen = caller.selectedOptions[0].dataset;
    const isKnown = Boolean(chosen.name);
    find("identity").hidden = !isKnown;
    find("identity-note").hidden = isKnown;
    find("identity-note").textContent = chosen.note ?? "";
    find("identity-name").textContent = chosen.name ?? "";
    find("identity-born").textContent = chosen.born ?? "";
    find("identity-number").textContent = chosen.shown ?? "";
    for (const id of ["sms", "sms-send"]) find(id).disabled = caller.value === "";
    find("sms").placeholder = caller.value === "" ? words("sms_withheld") : words("sms_hint");
  }

  // The phone.
  const phone = { sid: null, path: "", gather: null, rest: [], dial: null, busy: false, keys: "", startedAt: 0, from: "", to: "" };
  const phoneLog = find("phone-log");
  const synthesis = window.speechSynthesis;
  const Recognition = window.SpeechRecognition ?? window.webkitSpeechRecognition;

  function showPhone(stateKey, fields) {
    const inCall = phone.sid !== null;
    const mayAnswer = inCall && phone.gather !== null && !phone.busy;
    find("phone-state").textContent = words(stateKey, fields);
    find("phone-state").classList.toggle("live", inCall);
    find("call").hidden = inCall;
    find("hang-up").hidden = !inCall;
    for (const id of ["answered", "unanswered"]) find(id).hidden = phone.dial === null;
    for (const id of ["say", "say-send", "silence", "listen"]) find(id).disabled = !mayAnswer;
    for (const key of root.querySelectorAll("[data-key]")) key.disabled = !mayAnswer;
    for (const select of [caller, clinicNumber]) select.disabled = inCall;
    find("pressed").textContent = phone.keys;
    find("send-keys").hidden = phone.keys === "";
    find("send-keys").textContent = words("send_keys", { keys: phone.keys });
    if (mayAnswer && matchMedia("(hover: hover)").matches) find("say").focus();
  }

  const callFields = (status) => ({
    CallSid: phone.sid,
    From: phone.from,
    To: phone.to,
    Caller: phone.from,
    Called: phone.to,
    Direction: "inbound",
    CallStatus: status,
  });

  async function request(path, fields) {
    phone.busy = true;
    phone.gather = null;
    phone.dial = null;
    phone.keys = "";
    showPhone(phone.path === "" ? "phone_ringing" : "phone_thinking");
    const askedBy = phone.sid;
    try {
      phone.path = path;
      const twiml = await deliver(path, fields);
      // Somebody may have hung up meanwhile: what comes too late is not played.
      if (phone.sid !== askedBy) return;
      phone.busy = false;
      if (twiml === null) await end();
      else await play(Array.from(twiml.children));
    } catch (error) {
      phone.busy = false;
      if (phone.sid !== askedBy) return;
      add(phoneLog, "fault", faultText(error));
      await end("phone_failed");
    }
    refreshSoon();
  }

  // Reads verbs in order, as the vendor does, until one waits for the caller.
  async function play(verbs) {
    for (let index = 0; index < verbs.length; index += 1) {
      const verb = verbs[index];
      const name = verb.tagName;
      if (name === "Say") say(verb);
      else if (name === "Gather") return gather(verb, verbs.slice(index + 1));
      else if (name === "Redirect") return request(resolved(verb.textContent), callFields("in-progress"));
      else if (name === "Dial") return dial(verb);
      else if (name === "Hangup" || name === "Reject") break;
    }
    return end();
  }

  function say(verb) {
    const text = verb.textContent.trim();
    if (!text) return;
    add(phoneLog, "agent", text);
    if (synthesis && find("aloud").checked) {
      const utterance = new SpeechSynthesisUtterance(text);
      utterance.lang = verb.getAttribute("language") ?? "en-US";
      synthesis.speak(utterance);
    }
  }

  function gather(verb, rest) {
    for (const said of verb.querySelectorAll("Say")) say(said);
    phone.gather = {
      action: resolved(verb.getAttribute("action") ?? phone.path),
      language: verb.getAttribute("language") ?? "en-US",
      digits: Number(verb.getAttribute("numDigits") ?? 0),
      finish: verb.getAttribute("finishOnKey") ?? "#",
      answersSilence: verb.getAttribute("actionOnEmptyResult") === "true",
    };
    phone.rest = rest;
    showPhone("phone_listening");
  }

  function dial(verb) {
    const number = verb.textContent.trim();
    phone.dial = { action: verb.getAttribute("action") };
    add(phoneLog, "note", words("phone_transfer", { number }));
    showPhone("phone_transfer", { number });
  }

  // An action may be relative to the document that holds it.
  function resolved(action) {
    const address = new URL(action.trim(), new URL(phone.path, location.origin));
    return address.pathname + address.search;
  }

  function answer(shown, fields) {
    const { action } = phone.gather;
    synthesis?.cancel();
    add(phoneLog, "me", shown);
    return request(action, { ...callFields("in-progress"), ...fields });
  }

  function beSilent() {
    const { action, answersSilence } = phone.gather;
    add(phoneLog, "note", "…");
    if (answersSilence) return request(action, callFields("in-progress"));
    phone.gather = null;
    return play(phone.rest);
  }

  function press(key) {
    if (key === phone.gather.finish) {
      if (phone.keys) sendKeys();
      return;
    }
    phone.keys += key;
    if (phone.gather.digits && phone.keys.length >= phone.gather.digits) sendKeys();
    else showPhone("phone_listening");
  }

  const sendKeys = () => answer(phone.keys, { Digits: phone.keys });

  function transferred(status) {
    const { action } = phone.dial;
    if (!action || status === "completed") return end();
    return request(resolved(action), { ...callFields("in-progress"), DialCallStatus: status, DialCallSid: sid("CA") });
  }

  async function start() {
    Object.assign(phone, {
      sid: sid("CA"), path: "", gather: null, rest: [], dial: null, keys: "", startedAt: Date.now(),
      from: caller.value || "anonymous", to: clinicNumber.value,
    });
    phoneLog.replaceChildren();
    await request("/twilio/voice", callFields("ringing"));
  }

  async function end(stateKey = "phone_ended") {
    const seconds = Math.max(1, Math.round((Date.now() - phone.startedAt) / 1000));
    const fields = { ...callFields("completed"), CallDuration: String(seconds) };
    lastCall = phone.sid;
    Object.assign(phone, { sid: null, gather: null, dial: null, busy: false, keys: "" });
    add(phoneLog, "note", words(stateKey));
    showPhone(stateKey);
    try {
      await deliver("/twilio/voice/status", fields);
    } catch (error) {
      add(phoneLog, "fault", faultText(error));
    }
    refreshSoon();
  }

  let lastCall = null;

  function listenAloud() {
    const recogniser = new Recognition();
    recogniser.lang = phone.gather.language;
    synthesis?.cancel();
    recogniser.addEventListener("result", (event) => {
      if (phone.gather) answer(event.results[0][0].transcript, {
        SpeechResult: event.results[0][0].transcript,
        Confidence: String(event.results[0][0].confidence),
      });
    });
    recogniser.addEventListener("end", () => find("listen").classList.remove("here"));
    find("listen").classList.add("here");
    recogniser.start();
  }

  // Texts.
  async function sendText(text) {
    const from = caller.value;
    add(smsLog, "me", text);
    find("sms-send").disabled = true;
    const id = sid("SM");
    try {
      const twiml = await deliver("/twilio/sms", {
        MessageSid: id, SmsSid: id, SmsMessageSid: id, From: from, To: clinicNumber.value, Body: text,
        NumMedia: "0", NumSegments: "1", SmsStatus: "received",
      });
      const replies = twiml === null ? [] : Array.from(twiml.querySelectorAll("Message"));
      for (const reply of replies) add(smsLog, "agent", (reply.querySelector("Body") ?? reply).textContent);
      if (replies.length === 0) add(smsLog, "note", words("sms_no_reply"));
    } catch (error) {
      add(smsLog, "fault", faultText(error));
    }
    showCaller();
    refreshSoon();
  }

  // What came of it: texts the worker sent, appointments, their way to the calendar.
  const REFRESH_MS = 2000;
  let timer = 0;

  function refreshSoon() {
    clearTimeout(timer);
    timer = setTimeout(refresh, 150);
  }

  async function refresh() {
    clearTimeout(timer);
    if (!document.hidden) {
      try {
        showAftermath(caller.value, await post(root.dataset.aftermath, {
          fields: { number: caller.value, call_sid: phone.sid ?? lastCall ?? "" },
        }));
      } catch {
        // The next round tells; a page left open over a restart shall not pile up messages.
      }
    }
    timer = setTimeout(refresh, REFRESH_MS);
  }

  function showAftermath(number, aftermath) {
    if (number !== caller.value) return;
    for (const message of aftermath.messages) {
      const note = `${words("sms_pushed")}, ${message.state}`;
      const shown = shownMessages.get(message.id);
      if (shown) shown.lastChild.textContent = note;
      else shownMessages.set(message.id, add(smsLog, "agent", message.body, note));
    }
    const list = find("after");
    const lines = aftermath.visits.map((visit) => {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = visit.href;
      link.textContent = visit.what;
      const badge = document.createElement("span");
      badge.className = `badge ${visit.status}`;
      badge.textContent = visit.status_words;
      const more = document.createElement("span");
      more.className = "soft";
      more.textContent = `${visit.when}, ${visit.who}`;
      const calendar = document.createElement("span");
      calendar.className = "soft";
      const dot = document.createElement("span");
      dot.className = `dot ${visit.calendar}`;
      calendar.append(dot, words(`calendar_${visit.calendar}`));
      item.append(link, " ", badge, more, calendar);
      return item;
    });
    const state = JSON.stringify(aftermath.visits);
    // Only when something changed: a screen reader would hear the whole list every time.
    if (lines.length && list.dataset.state !== state) {
      list.dataset.state = state;
      list.replaceChildren(...lines);
    }
    const transcript = find("transcript");
    transcript.hidden = !aftermath.conversation;
    if (aftermath.conversation) transcript.href = aftermath.conversation;
  }

  function changeCaller() {
    shownMessages.clear();
    const empty = document.createElement("li");
    empty.className = "note";
    empty.textContent = words("sms_empty");
    smsLog.replaceChildren(empty);
    const nothing = document.createElement("li");
    nothing.className = "note";
    nothing.textContent = words("after_empty");
    find("after").replaceChildren(nothing);
    delete find("after").dataset.state;
    lastCall = null;
    showCaller();
    refreshSoon();
  }

  caller.addEventListener("change", changeCaller);
  find("call").addEventListener("click", start);
  find("hang-up").addEventListener("click", () => { synthesis?.cancel(); end(); });
  find("answered").addEventListener("click", () => transferred("completed"));
  find("unanswered").addEventListener("click", () => transferred("no-answer"));
  find("silence").addEventListener("click", beSilent);
  find("send-keys").addEventListener("click", sendKeys);
  for (const key of root.querySelectorAll("[data-key]")) key.addEventListener("click", () => press(key.dataset.key));
  find("say-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("say").value.trim();
    if (!text || phone.gather === null) return;
    find("say").value = "";
    answer(text, { SpeechResult: text, Confidence: "0.93" });
  });
  find("sms-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = find("sms").value.trim();
    if (!text || caller.value === "") return;
    find("sms").value = "";
    sendText(text);
  });
  for (const idea of root.querySelectorAll(".idea")) {
    idea.addEventListener("click", () => {
      // The phone hears it when a call is on, else it is a text waiting to be sent.
      const field = phone.gather === null ? find("sms") : find("say");
      field.value = idea.textContent;
      field.focus();
    });
  }
  if (synthesis) {
    find("aloud-line").hidden = false;
    find("aloud").addEventListener("change", () => { if (!find("aloud").checked) synthesis.cancel(); });
  }
  if (Recognition) {
    find("listen").hidden = false;
    find("listen").addEventListener("click", listenAloud);
  }
  window.addEventListener("pagehide", () => synthesis?.cancel());
  showCaller();
  refresh();
})();
