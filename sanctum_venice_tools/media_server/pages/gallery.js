// The gallery: pages of files, newest first, and what comes while one looks.

import { element, viewOf } from "/pages/view.js";

const LOOK_AGAIN_MS = 3000;
const TYPING_MS = 250;
// A file that was declared earlier may have come whole a little later than another.
const OVERLAP_MICROSECONDS = 10_000_000;
const BAR_COLOURS = ["#3b82b6", "#c9772b", "#4f9a57", "#a6579c", "#b3a125", "#7a6cc9"];

const byId = (id) => document.getElementById(id);
const list = byId("files");
const filters = byId("filters");
const detail = byId("detail");

let known = new Map();
const deleted = new Set();
let more = "";
let newest = 0;
let now = 0; // by the server's clock, which may have been ahead when the newest came
let asked = 0;
let failed = 0; // which of what was asked for did not come: at first, nothing did
let isSpendingOld = true;

// --- what is shown ---

async function ask(path, query = {}) {
  const reply = await fetch(`${path}?${new URLSearchParams(query)}`);
  if (reply.status === 401) {
    location.assign("/");
  }
  if (!reply.ok) {
    throw new Error(`The server answered ${reply.status}.`);
  }
  return reply.json();
}

// A reply may have been on its way when a file of it was deleted.
async function askForFiles(query = {}) {
  const page = await ask("/gallery/files", { ...chosen(), ...query });
  const files = page.files.filter((file) => !deleted.has(file.id));
  now = page.now;
  return { ...page, files };
}

function chosen() {
  return Object.fromEntries([...new FormData(filters)].filter(([, value]) => value));
}

async function startAnew() {
  const mine = ++asked;
  const page = await askForFiles().catch((error) => {
    failed = mine;
    isSpendingOld = true;
    throw error;
  });
  if (mine !== asked) {
    return; // something else was asked for meanwhile
  }
  known = new Map();
  list.replaceChildren();
  newest = 0;
  append(page);
  tellHowMany();
}

async function showMore() {
  const mine = asked;
  const before = more;
  const page = await askForFiles({ before });
  if (mine !== asked || before !== more) {
    return; // something else was asked for meanwhile, or this page came already
  }
  const last = list.lastElementChild;
  const isFocused = document.activeElement === byId("more");
  append(page);
  tellHowMany();
  if (isFocused && !more) {
    focusOn(last?.nextElementSibling ?? last); // the button is gone
  }
}

function append(page) {
  for (const file of page.files) {
    remember(file);
    list.append(cardOf(file));
  }
  more = page.more;
  byId("beside").hidden = !page.workbench;
  byId("more").hidden = !more;
  offerAgents(page.agents);
}

async function lookForNew() {
  const mine = asked;
  const since = Math.max(Math.min(newest, now) - OVERLAP_MICROSECONDS, 0);
  const page = await askForFiles({ since });
  if (mine !== asked) {
    return;
  }
  if (page.more && !known.has(page.files.at(-1)?.id)) {
    isSpendingOld = true;
    return startAnew(); // more came than a page has
  }
  const fresh = page.files.filter((file) => !known.has(file.id));
  for (const file of fresh.reverse()) {
    remember(file);
    const card = cardOf(file);
    card.classList.add("new");
    list.prepend(card);
  }
  tellHowMany();
  if (fresh.length) {
    offerAgents(page.agents);
    isSpendingOld = true;
  }
}

// What failed to come is asked for until it does; only then does what is new belong on top of it.
async function lookAgain() {
  await (failed === asked ? startAnew() : lookForNew());
  if (isSpendingOld) {
    isSpendingOld = false;
    await showSpending().catch((error) => {
      isSpendingOld = true;
      tell("total", sentence(error));
    });
  }
}

function remember(file) {
  known.set(file.id, file);
  newest = Math.max(newest, file.moment);
}

function tellHowMany() {
  const count = known.size;
  const files = count === 1 ? "1 file" : `${count} files`;
  const some = more ? `${files}, and there are more` : files;
  const isNarrowed = Object.keys(chosen()).length > 0;
  const none = isNarrowed ? "Nothing fits." : "There is nothing here yet.";
  tell("status", count ? some : none);
}

function tell(place, text) {
  if (byId(place).textContent !== text) {
    byId(place).textContent = text; // each time it is set, screen readers read it out
  }
}

function focusOn(card) {
  (card?.querySelector(".open") ?? filters.elements.words).focus();
}

function offerAgents(agents) {
  const select = filters.elements.agent;
  const offered = new Set([...select.options].map((option) => option.value));
  for (const agent of agents) {
    if (!offered.has(agent)) {
      select.append(new Option(agent, agent));
    }
  }
}

// --- a card ---

function cardOf(file) {
  const card = byId("card").content.firstElementChild.cloneNode(true);
  card.dataset.id = file.id;
  card.querySelector(".view").append(...viewOf(viewed(file), { isLarge: false }));
  const open = card.querySelector(".open");
  open.textContent = file.title || file.name;
  open.addEventListener("click", () => openDetail(file));
  card.querySelector(".meta").textContent = metaOf(file);
  return card;
}

function viewed(file) {
  return { ...file, mediaType: file.media_type };
}

function metaOf(file) {
  const told = [file.model, priceOf(file), file.agent, momentOf(file), sizeOf(file)];
  return told.filter(Boolean).join(" · ");
}

function priceOf(file) {
  if (!file.cost_usd) {
    return "";
  }
  return file.cost_usd < 0.0001 ? "under $0.0001" : `$${file.cost_usd.toLocaleString("en", { maximumFractionDigits: 4 })}`;
}

function momentOf(file) {
  return new Date(file.moment / 1000).toLocaleString();
}

function sizeOf(file) {
  const units = ["bytes", "kB", "MB", "GB"];
  let size = file.bytes;
  let unit = 0;
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000;
    unit += 1;
  }
  return `${size.toLocaleString("en", { maximumFractionDigits: unit ? 1 : 0 })} ${units[unit]}`;
}

// --- one of them, large ---

let opened = null;

function openDetail(file) {
  opened = file;
  byId("detail-title").textContent = file.title || file.name;
  byId("large").replaceChildren(...viewOf(viewed(file), { isLarge: true }));
  byId("facts").replaceChildren(...factsOf(file));
  byId("again").textContent = callOf(file);
  tellOfDetail("copied", "");
  const download = byId("download");
  download.href = `${file.url}?download`;
  download.download = file.name;
  detail.showModal();
}

function factsOf(file) {
  const answer = file.facts.answer ?? {};
  const rows = {
    File: file.name,
    Type: file.media_type,
    Size: sizeOf(file),
    Made: momentOf(file),
    Tool: file.tool,
    Model: file.model,
    Price: priceOf(file),
    Agent: file.agent,
    ...Object.fromEntries(Object.entries(answer).map(([name, value]) => [name, asText(value)])),
    Address: file.link,
  };
  return Object.entries(rows)
    .filter(([, value]) => value)
    .flatMap(([name, value]) => [element("dt", name), element("dd", value)]);
}

function callOf(file) {
  const given = Object.entries(file.facts.arguments ?? {}).map(([name, value]) => `    ${name}=${JSON.stringify(value)},`);
  return file.tool ? [`${file.tool}(`, ...given, ")"].join("\n") : "Nobody told how it was made.";
}

function asText(value) {
  return typeof value === "string" ? value : JSON.stringify(value);
}

async function copyCall() {
  if (navigator.clipboard) {
    await navigator.clipboard.writeText(byId("again").textContent);
  } else {
    copySelected();
  }
  tellOfDetail("copied", "Copied.");
}

// Browsers give no clipboard to a page of plain http that is not this machine's.
function copySelected() {
  getSelection().selectAllChildren(byId("again"));
  if (!document.execCommand("copy")) {
    throw new Error("What is to be copied is selected.");
  }
}

async function deleteOpened() {
  const file = opened;
  if (!confirm(`Delete ${file.name} for good?`)) {
    return;
  }
  const reply = await fetch(`/gallery/files/${file.id}`, { method: "DELETE" });
  if (!reply.ok && reply.status !== 404) {
    throw new Error(`The server answered ${reply.status}.`);
  }
  deleted.add(file.id);
  known.delete(file.id);
  const card = list.querySelector(`[data-id="${CSS.escape(file.id)}"]`);
  const next = card?.nextElementSibling ?? card?.previousElementSibling;
  card?.remove();
  detail.close();
  focusOn(next);
  tellHowMany();
}

// The page's own status lies behind the open file.
function tellOfDetail(place, text) {
  byId("copied").textContent = "";
  byId("trouble").textContent = "";
  byId(place).textContent = text;
}

function sentence(error) {
  return error.message.replace(/\.?$/, ".");
}

function tellFailed(what) {
  return (error) => tellOfDetail("trouble", `${what} failed. ${sentence(error)}`);
}

// --- what was spent ---

async function showSpending() {
  const { days, spent } = await ask("/gallery/spending");
  const total = spent.reduce((sum, row) => sum + row.usd, 0);
  tell("total", `$${total.toFixed(2)}`);
  const rows = spent.map((row) => {
    const line = document.createElement("tr");
    line.append(element("td", dayOf(row.day)), element("td", row.agent || "unknown"), element("td", row.usd.toFixed(4)));
    return line;
  });
  byId("spent").replaceChildren(...rows.reverse());
  draw(days, spent);
}

function dayOf(day) {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}

function draw(days, spent) {
  const today = Math.floor(Date.now() / 86_400_000);
  const agents = [...new Set(spent.map((row) => row.agent))];
  const byDay = Map.groupBy ? Map.groupBy(spent, (row) => row.day) : groupByDay(spent);
  const highest = Math.max(...[...byDay.values()].map((rows) => rows.reduce((sum, row) => sum + row.usd, 0)), 0.01);
  const width = 600 / days;
  const bars = [];
  for (const [day, rows] of byDay) {
    let top = 110;
    for (const row of rows) {
      const height = (row.usd / highest) * 100;
      top -= height;
      bars.push(bar(600 - (today - day + 1) * width + 1, top, width - 2, height, agents.indexOf(row.agent), row));
    }
  }
  bars.push(bar(0, 110, 600, 1, -1, null));
  byId("plot").replaceChildren(...bars);
}

function groupByDay(spent) {
  const days = new Map();
  for (const row of spent) {
    days.set(row.day, [...(days.get(row.day) ?? []), row]);
  }
  return days;
}

function bar(x, y, width, height, place, row) {
  const rect = document.createElementNS("http://www.w3.org/2000/svg", "rect");
  const colour = place < 0 ? "#888888" : BAR_COLOURS[place % BAR_COLOURS.length];
  for (const [name, value] of Object.entries({ x, y, width, height, fill: colour })) {
    rect.setAttribute(name, value);
  }
  if (row) {
    const title = document.createElementNS("http://www.w3.org/2000/svg", "title");
    title.textContent = `${dayOf(row.day)}, ${row.agent || "unknown"}: $${row.usd.toFixed(4)}`;
    rect.append(title);
  }
  return rect;
}

// --- from here on it runs ---

function tellTrouble(error) {
  tell("status", sentence(error));
}

function tellTryingAgain(error) {
  tell("status", `${sentence(error)} Trying again.`);
}

let typing = 0;
filters.addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => startAnew().catch(tellTryingAgain), TYPING_MS);
});
filters.addEventListener("submit", (event) => event.preventDefault());
byId("more").addEventListener("click", () => showMore().catch(tellTrouble));
byId("close").addEventListener("click", () => detail.close());
byId("copy").addEventListener("click", () => copyCall().catch(tellFailed("Copying")));
byId("delete").addEventListener("click", () => deleteOpened().catch(tellFailed("Deleting")));
detail.addEventListener("close", () => byId("large").replaceChildren()); // what plays is to stop

lookAgain().catch(tellTryingAgain);
setInterval(() => document.hidden || lookAgain().catch(tellTryingAgain), LOOK_AGAIN_MS);
