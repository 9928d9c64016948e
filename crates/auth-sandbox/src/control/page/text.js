// Words in two languages, and how text gets into the page: by textContent alone, so what a client
// sent stays text.
import { WORDS } from "./words.js";

export const NAMES = {
  digitalpaye: "Digitalpaye",
  digishare: "Digishare",
  tresorpay: "TresorPay",
  papaya: "Papaya Global",
  manis: "Manis",
};

export const LANGUAGES = ["en", "fr"];
const wanted = [new URLSearchParams(location.search).get("lang"), ...navigator.languages];
export let language = wanted.map((it) => (it ?? "").slice(0, 2)).find((it) => LANGUAGES.includes(it)) ?? "en";
/** Writes the words that stay, in the language of the moment. */
const spoken = [];

export function t(key, values = {}) {
  // A newer sandbox may know verdicts and faults that this page does not.
  const text = WORDS[key]?.[LANGUAGES.indexOf(language)] ?? key;
  return text.replace(/\{(\w+)\}/g, (hole, name) => {
    const value = values[name] ?? hole;
    return typeof value === "number" ? value.toLocaleString(language) : plain(value);
  });
}

/** What cannot be seen, or turns the direction of a line, as its number: ids that look the same are not. */
export function plain(text) {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0).toString(16)}}`);
}

/** Shows words now, and again in another language. */
export function speak(show) {
  spoken.push(show);
  show();
}

export function setLanguage(to) {
  language = to;
  document.documentElement.lang = language;
  for (const show of spoken) show();
}

/** Keeps the words of what has a `data-t` in the language of the moment. */
export function speakAll(root) {
  for (const element of root.querySelectorAll("[data-t]")) speak(() => write(element, t(element.dataset.t)));
}

/** A fault in words. */
export function say(fault) {
  const after = fault.seconds ?? fault.date_in_seconds ?? fault.text;
  return t(`fault_${fault.kind}`, { ...fault, after });
}

export const $ = (id) => document.getElementById(id);

/** Only what has changed is written, so that nothing else is announced or selected anew. */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

export function make(name, text = "", attributes = {}) {
  const element = document.createElement(name);
  element.textContent = text;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

export function fill(list, name, texts) {
  if (list.said === texts.join("\n")) return;
  list.said = texts.join("\n");
  list.replaceChildren(...texts.map((text) => make(name, text)));
}

let telling;
/** Says what a click has done. Emptied first: the same words twice are two messages. */
export function tell(text, bad = false) {
  clearTimeout(telling);
  $("status").textContent = "";
  $("status").classList.toggle("bad", bad);
  telling = setTimeout(() => write($("status"), text), 50);
}
