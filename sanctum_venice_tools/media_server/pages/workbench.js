// The workbench: a form for each tool, made from the schema that a model is shown.

import { element, viewOf } from "/pages/view.js";

const LONG = ["prompt", "instruction", "text", "question", "lyrics", "system", "negative_prompt"];
const COSTS = {
  free: "Free.",
  cents: "Costs up to a few US cents.",
  dollars: "May cost dollars: Venice's price is shown before anything is bought.",
  account: "Changes your Venice account: you are asked first.",
};

const byId = (id) => document.getElementById(id);

let tools = [];
let shown = null;
let priced = null; // the call that a person is asked about

async function start() {
  const reply = await fetch("/workbench/tools");
  if (reply.status === 401) {
    location.reload();
    return;
  }
  if (!reply.ok) {
    throw new Error(`The server answered ${reply.status}.`);
  }
  const told = await reply.json();
  tools = told.tools;
  byId("venice").textContent = told.venice;
  byId("tools").replaceChildren(...links());
  addEventListener("hashchange", showChosen);
  showChosen();
}

function links() {
  const made = [];
  let toolset = "";
  for (const tool of tools) {
    if (tool.toolset !== toolset) {
      toolset = tool.toolset;
      made.push(element("h2", toolset));
    }
    const link = element("a", tool.name.replace("venice_", ""));
    link.href = `#${tool.name}`;
    link.title = tool.summary;
    made.push(link);
  }
  return made;
}

function showChosen() {
  const tool = tools.find((one) => one.name === location.hash.slice(1)) ?? tools[0];
  shown = tool;
  byId("ask").close();
  for (const link of byId("tools").querySelectorAll("a")) {
    link.removeAttribute("aria-current");
    if (link.hash === `#${tool.name}`) {
      link.setAttribute("aria-current", "true");
    }
  }
  byId("name").textContent = tool.name;
  byId("description").textContent = tool.description;
  byId("cost").textContent = COSTS[tool.cost];
  byId("schema").textContent = JSON.stringify(tool.parameters, null, 2);
  byId("lines").textContent = tool.lines.toLocaleString();
  byId("source").open = false;
  byId("text").textContent = "";
  byId("call").replaceChildren(...fieldsOf(tool));
  byId("status").textContent = "";
  byId("result").replaceChildren();
  byId("tool").hidden = false;
}

// --- the form ---

function fieldsOf(tool) {
  const required = tool.parameters.required ?? [];
  const fields = Object.entries(tool.parameters.properties).map(([name, spec]) => {
    const label = element("label", required.includes(name) ? `${name} (needed)` : name);
    const input = inputOf(name, spec);
    input.name = name;
    input.required = required.includes(name);
    const help = element("small", spec.description ?? "");
    help.id = `help-${name}`;
    input.setAttribute("aria-describedby", help.id);
    label.append(input);
    const row = document.createElement("div");
    row.append(label, help);
    return row;
  });
  const button = element("button", "Call");
  return [...fields, button];
}

function inputOf(name, spec) {
  const choices = spec.enum ?? (spec.type === "boolean" ? ["true", "false"] : null);
  if (choices) {
    const select = document.createElement("select");
    select.append(new Option("(left out)", ""), ...choices.map((one) => new Option(one, one)));
    return select;
  }
  const isLong = LONG.includes(name) || ["array", "object"].includes(spec.type);
  const input = document.createElement(isLong ? "textarea" : "input");
  if (["array", "object"].includes(spec.type)) {
    input.placeholder = spec.type === "array" ? '["one", "two"]' : '{"name": "value"}';
  }
  return input;
}

// Each value goes as it was typed: a tool reads what is meant.
function given() {
  return Object.fromEntries([...new FormData(byId("call"))].filter(([, value]) => value.trim()));
}

// --- the call ---

// What is paid is what was priced, whatever the form says by then.
async function call(wanted, agreed) {
  const button = byId("call").querySelector("button");
  button.disabled = true;
  byId("status").textContent = "Calling …";
  byId("result").replaceChildren();
  try {
    const reply = await fetch(`/workbench/tools/${wanted.tool.name}`, {
      method: "POST",
      body: JSON.stringify({ arguments: wanted.arguments, agreed }),
    });
    const told = await reply.json();
    if (wanted.tool === shown) {
      show(told, wanted);
    }
  } finally {
    button.disabled = false;
  }
}

function show(told, wanted) {
  if (told.ask) {
    priced = wanted;
    byId("status").textContent = "";
    byId("price").textContent = told.ask;
    byId("priced").textContent = JSON.stringify(wanted.arguments, null, 2);
    byId("ask").showModal();
    return;
  }
  const trouble = told.refusal ?? told.broke ?? told.error;
  byId("status").textContent = trouble ?? `Answered after ${told.seconds} s.`;
  if (told.reply) {
    byId("result").replaceChildren(...filesIn(told.reply), ...sourcesIn(told.reply), jsonOf(told.reply));
  }
}

function filesIn(reply) {
  const parts = [reply, ...(reply.files ?? [])].filter((part) => part.url && part.file);
  return parts.flatMap((part) =>
    viewOf(
      {
        id: new URL(part.url).pathname.split("/")[2],
        name: part.file,
        title: "",
        url: new URL(part.url).pathname,
        mediaType: /\.(txt|md|json|jsonl)$/.test(part.file) ? "text/plain" : (part.type ?? ""),
        bytes: part.bytes ?? 0,
      },
      { isLarge: true },
    ),
  );
}

function sourcesIn(reply) {
  const rows = reply.sources ?? reply.results ?? [];
  const list = document.createElement("ol");
  for (const row of rows.filter((one) => /^https?:\/\//.test(one.url ?? ""))) {
    const link = element("a", row.title ?? row.url);
    link.href = row.url;
    link.rel = "noreferrer";
    const item = document.createElement("li");
    item.append(link);
    list.append(item);
  }
  return list.children.length ? [list] : [];
}

function jsonOf(reply) {
  const made = element("pre", JSON.stringify(reply, null, 2));
  made.tabIndex = 0;
  made.role = "group";
  made.setAttribute("aria-label", "The reply, as an agent gets it");
  return made;
}

// --- from here on it runs ---

function tellTrouble(error) {
  byId("status").textContent = error.message;
}

byId("call").addEventListener("submit", (event) => {
  event.preventDefault();
  call({ tool: shown, arguments: given() }, false).catch(tellTrouble);
});
byId("agree").addEventListener("click", () => {
  byId("ask").close();
  call(priced, true).catch(tellTrouble);
});
byId("refuse").addEventListener("click", () => byId("ask").close());
byId("source").addEventListener("toggle", async (event) => {
  if (event.target.open && !byId("text").textContent) {
    const reply = await fetch(`/workbench/tools/${shown.name}/text`);
    byId("text").textContent = await reply.text();
  }
});

// Without tools there is no form, and nothing to tell it beside.
start().catch((error) => (byId("venice").textContent = error.message));
