// The controls, and the texts around the picture. Texts are set as text, never as markup.

const byId = (id) => document.getElementById(id);
function add(parent, tag, text, kind) {
  const child = parent.appendChild(document.createElement(tag));
  child.textContent = text;
  if (kind) child.className = kind;
  return child;
}

let pending = false;
function update() {
  if (pending) return;
  pending = true;
  requestAnimationFrame(() => {
    pending = false;
    draw();
    tell();
  });
}

// The texts that go with the cursor and the view.
function tell() {
  byId("time").value = view.cursor;
  byId("time-text").textContent = timeText(view.cursor);
  byId("shown").textContent =
    `In view: ${shown.lanes} lanes, ${shown.arrows} messages (${shown.lost} lost), ` +
    `${shown.bars} operations (${shown.marked} of the anomaly), ${shown.bands} faults, ` +
    `${shown.outages} times down; ${timeText(view.from)} to ${timeText(view.to)}`;
  const keys = view.key !== "" ? [view.key] : model.focusKeys.length > 0 ? model.focusKeys : model.keys.slice(0, 4);
  byId("held-at").textContent = timeText(view.cursor);
  const table = byId("held");
  table.replaceChildren();
  const head = add(table, "tr", "");
  add(head, "th", "");
  for (const key of keys) add(head, "th", key);
  for (const node of view.nodes) {
    const row = add(table, "tr", "");
    const down = model.isDown(node, view.cursor);
    add(row, "th", "n" + node + (down ? " (down)" : ""));
    for (const key of keys) add(row, "td", model.heldAt(key, node, view.cursor) || "nothing", down ? "dim" : "");
  }
  const near = byId("near");
  near.replaceChildren();
  for (const event of lastBefore(view.cursor, 14)) add(near, "li", event.text, event.marked ? "mark" : "");
}

function lastBefore(time, count) {
  const events = [];
  const take = (list, wants, textOf) => {
    for (let i = list.length - 1, found = 0; i >= 0 && found < count; --i) {
      if (list[i].start > time || !wants(list[i])) continue;
      ++found;
      events.push({ at: list[i].start, text: textOf(list[i]), marked: list[i].marked });
    }
  };
  take(model.arrows, wantsArrow, arrowText);
  take(model.bars, wantsBar, (b) => b.text);
  return events.sort((a, b) => a.at - b.at).slice(-count);
}

function look(from, to) {
  const span = Math.min(Math.max(to - from, 200), data.end + 1000);
  from = Math.min(Math.max(from, 0), Math.max(0, data.end + 1000 - span));
  view.from = from;
  view.to = from + span;
  update();
}
function setCursor(time) {
  view.cursor = Math.min(Math.max(Math.round(time), 0), data.end);
  const span = view.to - view.from;
  if (view.cursor < view.from || view.cursor > view.to) look(view.cursor - span / 2, view.cursor + span / 2);
  update();
}
function zoom(factor, around) {
  look(around - (around - view.from) * factor, around + (view.to - around) * factor);
}
const middle = () => view.cursor >= view.from && view.cursor <= view.to ? view.cursor : (view.from + view.to) / 2;

function fillIn() {
  const e = data.explanation;
  document.title = "norn-sim: " + e.verdict;
  byId("verdict").textContent = e.verdict + (e.property ? ": " + e.property : "");
  byId("config").textContent = e.config + (e.hash ? " (hash " + e.hash + ")" : "");
  byId("witness").textContent = e.witness;
  byId("witness").hidden = e.witness === "";
  byId("causes-box").hidden = e.causes.length === 0;
  for (const cause of e.causes) {
    const item = add(byId("causes"), "li", "");
    add(item, "span", cause.need, cause.need === "needed" ? "needed" : "dim");
    add(item, "span", ": " + cause.text + (cause.instead ? "; without it: " + cause.instead : ""));
  }
  if (e.enough !== null && e.causes.length > 0) {
    const which = e.enough.map((i) => e.causes[i].text).join("; ");
    byId("enough").textContent = which === "" ? "It fails without any fault." :
      "These faults alone are enough, and none of them can go: " + which;
  }
  const select = byId("key");
  add(select, "option", "all").value = "";
  for (const key of model.keys) add(select, "option", key).value = key;
  for (let node = 1; node <= data.nodes; ++node) {
    const label = add(byId("nodes"), "label", "");
    const box = label.appendChild(document.createElement("input"));
    box.type = "checkbox";
    box.checked = true;
    box.id = "node-" + node;
    label.append("n" + node);
    box.addEventListener("change", () => {
      if (box.checked) view.nodes.add(node); else view.nodes.delete(node);
      view.nodes = new Set([...view.nodes].sort((a, b) => a - b));
      update();
    });
  }
  byId("time").max = data.end;
}

function listen() {
  byId("key").addEventListener("change", (event) => { view.key = event.target.value; update(); });
  byId("lost-only").addEventListener("change", (event) => { view.lostOnly = event.target.checked; update(); });
  byId("time").addEventListener("input", (event) => setCursor(Number(event.target.value)));
  byId("zoom-in").addEventListener("click", () => zoom(0.5, middle()));
  byId("zoom-out").addEventListener("click", () => zoom(2, middle()));
  byId("all").addEventListener("click", () => look(0, data.end));
  byId("anomaly").addEventListener("click", () => { setCursor(data.moment); look(data.from, data.to); });
  byId("next-mark").disabled = model.marked.length === 0;
  byId("next-mark").addEventListener("click", () => {
    const next = model.marked.find((b) => b.start > view.cursor) || model.marked[0];
    setCursor(next.start);
    const span = view.to - view.from;
    look(next.start - span / 2, next.start + span / 2);
  });
  let dragged = null;
  canvas.addEventListener("pointerdown", (event) => { dragged = { x: event.offsetX, from: view.from, moved: false }; });
  canvas.addEventListener("pointermove", (event) => {
    const tip = byId("tip");
    if (dragged) {
      const by = (dragged.x - event.offsetX) / (canvas.clientWidth - kLeft - 8) * (view.to - view.from);
      dragged.moved = dragged.moved || Math.abs(dragged.x - event.offsetX) > 3;
      if (dragged.moved) look(dragged.from + by, dragged.from + by + view.to - view.from);
      tip.hidden = true;
      return;
    }
    tip.textContent = textAt(event.offsetX, event.offsetY);
    tip.hidden = tip.textContent === "";
    tip.style.left = Math.min(event.clientX + 12, window.innerWidth - 320) + "px";
    tip.style.top = event.clientY + 14 + "px";
  });
  canvas.addEventListener("pointerleave", () => { byId("tip").hidden = true; });
  window.addEventListener("pointerup", (event) => {
    if (dragged && !dragged.moved && event.target === canvas) setCursor(timeAt(event.offsetX));
    dragged = null;
  });
  canvas.addEventListener("wheel", (event) => {
    event.preventDefault();
    zoom(event.deltaY > 0 ? 1.25 : 0.8, timeAt(event.offsetX));
  }, { passive: false });
  canvas.addEventListener("keydown", (event) => {
    const tenth = (view.to - view.from) / 10;
    const steps = { ArrowLeft: -tenth, ArrowRight: tenth };
    if (event.key in steps) look(view.from + steps[event.key], view.to + steps[event.key]);
    else if (event.key === "+" || event.key === "=") zoom(0.5, middle());
    else if (event.key === "-") zoom(2, middle());
    else return;
    event.preventDefault();
  });
  window.addEventListener("resize", update);
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", update);
}

fillIn();
listen();
draw();
tell();
