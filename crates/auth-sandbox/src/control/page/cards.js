// A card for each provider, and one for all of them.
import { call, onClick } from "./api.js";
import { $, NAMES, fill, make, say, speak, speakAll, t, write } from "./text.js";

const COUNTERS = [
  "token_requests", "tokens_issued", "rejected", "faults_served",
  "api_calls", "api_rejected", "stray_requests", "connections",
];
const TIMES = [1, 3, 10, null];
/** How many faults a card lists. */
const MOST = 8;
const FAULTS = {
  group_answer: [
    { kind: "status", status: 503 },
    { kind: "status", status: 500 },
    { kind: "status", status: 401 },
    { kind: "status", status: 404 },
    { kind: "retry_after", status: 429, seconds: 30 },
    { kind: "retry_after", status: 503, seconds: 5 },
    { kind: "captive_portal" },
    { kind: "firewall" },
    { kind: "redirect", status: 302, location: "/login" },
  ],
  group_connection: [
    { kind: "latency", seconds: 3 },
    { kind: "stall" },
    { kind: "stall_after_headers" },
    { kind: "drip", seconds: 0.2 },
    { kind: "reset" },
    { kind: "close" },
  ],
  group_body: [
    { kind: "truncate" },
    { kind: "garbage", text: "SSH-2.0-nothing\r\n" },
    { kind: "oversize", bytes: 10000000 },
    { kind: "gzip" },
  ],
  group_time: [
    { kind: "lifetime", seconds: 2 },
    { kind: "expired", seconds: 60 },
    { kind: "skewed_date", seconds: 3600 },
    { kind: "skewed_date", seconds: -3600 },
    { kind: "no_date" },
  ],
};

/** The parts of each card, found by selector; the one of all is under `null`. */
export const cards = new Map();
let states = [];

/** A POSIX shell's word, as the program prints it. */
function quoted(word) {
  return /^[\w./:@%+,=-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

function variables(state) {
  const lines = state.env.map(({ name, value }) => `export ${name}=${quoted(value)}`);
  if (state.base_url.startsWith("https:")) lines.unshift(t("authority"));
  if (state.personal_access_token) {
    const value = quoted(state.personal_access_token);
    lines.push(t("personal"), `# export DIGISHARE_PERSONAL_ACCESS_TOKEN=${value}`);
  }
  return lines;
}

async function copy(text, name) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    // Over plain http from another machine there is no clipboard but this one.
    const focused = document.activeElement;
    const area = make("textarea", text, { class: "unseen", "aria-hidden": "true" });
    document.body.append(area);
    area.select();
    const done = document.execCommand("copy");
    area.remove();
    focused.focus();
    if (!done) throw new Error(t("not_copied"));
  }
  return t("copied", { name });
}

/** Builds the card of a provider, or with `null` the one of all. */
function build(key) {
  const card = $("card").content.cloneNode(true).firstElementChild;
  const part = (selector) => card.querySelector(selector);
  const control = (name) => part(`[name=${name}]`);
  const name = () => NAMES[key] ?? t("all");
  const id = key ?? "all";
  const only = key ? { provider: key } : {};
  const query = key ? `?provider=${key}` : "";
  speakAll(card);
  speak(() => write(part("h3"), name()));
  part("h3").id = `${id}-title`;
  card.setAttribute("aria-labelledby", `${id}-title`);

  // Five cards have the same controls: each is named after its provider too.
  for (const element of card.querySelectorAll("button, select, input")) {
    const words = element.closest("label")?.firstElementChild ?? element;
    element.id = `${id}-${element.name}`;
    words.id ||= `${element.id}-label`;
    element.setAttribute("aria-labelledby", `${words.id} ${id}-title`);
  }
  for (const [group, faults] of Object.entries(FAULTS)) {
    const options = make("optgroup");
    speak(() => (options.label = t(group)));
    for (const fault of faults) {
      const option = make("option", "", { value: JSON.stringify(fault) });
      speak(() => write(option, say(fault)));
      options.append(option);
    }
    control("fault").append(options);
  }
  for (const n of TIMES) {
    const option = make("option", "", { value: n ?? "" });
    speak(() => write(option, n === null ? t("always") : n === 1 ? t("once") : t("n_times", { n })));
    control("times").append(option);
  }
  for (const counter of COUNTERS) {
    const [pair, term] = [make("div"), make("dt")];
    speak(() => write(term, t(counter)));
    pair.append(term, make("dd", "0", { "data-counter": counter }));
    part(".counters").append(pair);
  }

  onClick(control("inject"), async () => {
    const fault = JSON.parse(control("fault").value);
    const times = Number(control("times").value) || undefined;
    await call("POST", "faults", { ...only, fault, times });
    return t("inject_done", { name: name(), fault: say(fault) });
  });
  onClick(control("clear"), async () => {
    await call("DELETE", `faults${query}`);
    return t("clear_done", { name: name() });
  });
  onClick(control("revoke"), async () => {
    await call("POST", "revoke", only);
    return t("revoke_done", { name: name() });
  });
  onClick(control("rotate"), async () => {
    for (const provider of key ? [key] : Object.keys(NAMES)) await call("POST", "rotate", { provider });
    return t("rotate_done", { name: name() });
  });
  onClick(control("live"), async () => {
    const text = control("lifetime").value;
    const seconds = text === "" ? null : Number(text);
    await call("PUT", "lifetime", { ...only, seconds });
    control("lifetime").value = "";
    return t(seconds === null ? "lifetime_usual" : "lifetime_done", { name: name(), seconds });
  });
  onClick(control("copy"), () => {
    const mine = states.filter((state) => !key || state.provider === key);
    return copy(`${mine.flatMap(variables).join("\n")}\n`, t("copy_variables"));
  });
  if (key) {
    onClick(control("curl"), () => copy(states.find((it) => it.provider === key).curl, "curl"));
    part(".about").remove();
  } else {
    for (const selector of [".url", ".vars", ".set", "[name=curl]"]) part(selector).remove();
  }
  $("cards").append(card);
  cards.set(key, part);
}

/** The faults and other settings of a provider, in words. */
function settings(state, faults) {
  const words = faults.map(({ fault, delay, account, times: n }) => {
    let text = say(fault);
    if (delay) text = t("delayed", { fault: text, seconds: delay });
    if (account !== null) text = t("for_account", { fault: text, account });
    return t(n === null ? "until_cleared" : "left", { fault: text, n });
  });
  // A thousand accounts may have a fault each.
  if (words.length > MOST) words.push(t("and_more", { n: words.splice(MOST).length }));
  if (state.clock) words.push(t(state.clock > 0 ? "clock_ahead" : "clock_behind", { seconds: Math.abs(state.clock) }));
  if (state.api_refuses) words.push(t("api_refuses"));
  return words;
}

function count(part, counters) {
  for (const counter of COUNTERS) write(part(`[data-counter=${counter}]`), String(counters[counter]));
}

export function showProviders(providers, faults) {
  states = providers;
  for (const state of states) {
    if (!cards.has(state.provider)) build(state.provider);
    const part = cards.get(state.provider);
    const aside = state.strict ? [t("strict")] : [];
    if (state.accounts > 1) aside.unshift(t("accounts", { n: state.accounts }));
    write(part(".aside"), aside.join(", "));
    write(part(".url code"), `POST ${state.token_url}`);
    fill(part(".vars"), "code", variables(state));
    part("[name=lifetime]").placeholder = state.lifetime;
    count(part, state.counters);
    const words = settings(state, faults.filter((it) => it.provider === state.provider));
    part(".set").classList.toggle("ill", words.length > 0);
    fill(part(".set"), "li", words.length ? words : [t("none_set")]);
  }
  if (!cards.has(null)) build(null);
  const sums = COUNTERS.map((name) => [name, states.reduce((sum, it) => sum + it.counters[name], 0)]);
  count(cards.get(null), Object.fromEntries(sums));
}
