// The requests as they come.
import { call, onClick } from "./api.js";
import { cards } from "./cards.js";
import { $, NAMES, make, plain, t, write } from "./text.js";

const rows = $("rows");
/** The newest request that was shown, and the start of the sandbox that it belongs to. */
let seen = 0;
let run = null;

const clock = (at) => new Date(at).toTimeString().slice(0, 8) + at.slice(19, 23);

function row(record) {
  const line = make("tr", "", { role: "row", class: record.verdict });
  const cell = (name, ...content) => {
    const td = make("td", "", { role: "cell", class: name });
    td.append(...content);
    line.append(td);
    return td;
  };
  line.record = record;
  cell("time", make("time", clock(record.at), { datetime: record.at, title: record.at }));
  cell("name", NAMES[record.provider] ?? "");
  cell("account", plain(record.account ?? ""));
  const details = make("details");
  details.append(make("summary", plain(`${record.method} ${record.path}`)));
  details.addEventListener("toggle", () => {
    const headers = record.headers.map(([name, value]) => `${name}: ${value}`);
    details.append(make("pre", [...headers, "", record.body].map(plain).join("\n").trim()));
  }, { once: true });
  cell("request", details);
  const verdict = make("span", t(`verdict_${record.verdict}`), { class: "badge" });
  cell("verdict", verdict, ` ${record.status ?? t("no_status")}`);
  // The sandbox's own words, as in its log: they are English.
  const why = plain([record.reason, ...record.remarks].filter(Boolean).join("; "));
  const reason = cell("reason", make("span", why, { lang: "en" }));
  if (record.seconds >= 0.1) reason.append(` ${t("after", { seconds: record.seconds.toFixed(1) })}`);
  return line;
}

export const askForRequests = () => call("GET", `journal?after=${seen}`);

/** Adds what is new and drops what the sandbox no longer has. */
export function showRequests(journal) {
  if (journal.run !== run) {
    // Another sandbox: all its requests are new, and those before `seen` were not asked for.
    const asked = seen;
    rows.replaceChildren();
    [run, seen] = [journal.run, 0];
    if (asked) return document.dispatchEvent(new Event("acted"));
  }
  for (const record of journal.records) rows.prepend(row(record));
  while (rows.lastChild?.record.number < journal.oldest) rows.lastChild.remove();
  seen = journal.newest;
  const { gone: n, kept } = journal;
  write($("gone"), n ? t("gone", { n, kept }) : "");
  $("empty").hidden = rows.hasChildNodes();
}

/** The last request of each provider, on its card. */
export function showLast() {
  const all = [...rows.children].map((line) => line.record);
  for (const [key, part] of cards) {
    const last = all.find((it) => !key || it.provider === key);
    let text = t("none_last");
    if (last) text = [clock(last.at).slice(0, 8), last.status ?? t("no_status"), t(`verdict_${last.verdict}`)].join(" ");
    if (last?.reason) text = t("because", { what: text, why: last.reason });
    part(".last").className = `last ${last?.verdict ?? ""}`;
    write(part(".last"), text);
  }
}

/** In another language. */
export function showAgain() {
  rows.replaceChildren(...[...rows.children].map((line) => row(line.record)));
}

onClick($("forget"), async () => {
  await call("DELETE", "journal");
  return t("forget_done");
});
