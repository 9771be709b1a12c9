// PAGE.html#self-check: does the page work in this browser? Operates the controls as a user would,
// compares what is drawn with the data, and says so at the top: one line each, then "self-check: ok"
// or "self-check: failed".

const trouble = [];
window.addEventListener("error", (event) => trouble.push(event.message));

function selfCheck() {
  const lines = [];
  let good = true;
  const check = (what, is, want) => {
    const same = is === want;
    good = good && same;
    lines.push((same ? "ok " : "FAILED ") + what + ": " + is + (same ? "" : ", not " + want));
  };
  const operate = (id, change, event) => {
    change(byId(id));
    byId(id).dispatchEvent(new Event(event, { bubbles: true }));
    draw();
    tell();
  };
  const began = performance.now();
  check("lanes", shown.lanes, data.clients.length + data.nodes);
  check("operations of the anomaly in the page", model.marked.length, data.explanation.operations.length);
  operate("all", (e) => e.click(), "x");
  check("messages", shown.arrows, data.arrows.length);
  check("lost messages", shown.lost, data.arrows.filter((a) => data.strings[a[6]] !== "").length);
  check("operations", shown.bars, data.bars.length);
  check("marked", shown.marked, data.explanation.operations.length);
  check("faults", shown.bands, data.bands.length);
  check("times down", shown.outages, data.outages.length);
  const drawn = performance.now();
  const key = model.focusKeys[0] || model.keys[0] || "";
  operate("key", (e) => { e.value = key; }, "change");
  check("operations on " + key, shown.bars, data.bars.filter((b) => data.strings[b[8]] === key).length);
  check("messages about " + key, shown.arrows, data.arrows.filter((a) => data.strings[a[5]] === key).length);
  operate("key", (e) => { e.value = ""; }, "change");
  operate("node-1", (e) => { e.checked = false; }, "change");
  check("lanes without n1", shown.lanes, data.clients.length + data.nodes - 1);
  check("messages without n1", shown.arrows, data.arrows.filter((a) => a[0] !== 1 && a[1] !== 1).length);
  check("operations without n1", shown.bars, data.bars.filter((b) => b[1] !== 1).length);
  operate("node-1", (e) => { e.checked = true; }, "change");
  operate("lost-only", (e) => { e.checked = true; }, "change");
  check("lost messages only", shown.arrows, shown.lost);
  operate("lost-only", (e) => { e.checked = false; }, "change");
  operate("time", (e) => { e.value = 0; }, "input");
  check("time at the start", byId("time-text").textContent, timeText(0));
  const before = byId("held").textContent;
  operate("time", (e) => { e.value = e.max; }, "input");
  check("time at the end", Number(byId("time").value) > data.end - 1000, true);
  check("holdings move with the time", before !== byId("held").textContent, data.holdings.length > 0);
  const span = view.to - view.from;
  operate("zoom-in", (e) => e.click(), "x");
  check("zoom", Math.abs((view.to - view.from) * 2 - span) < 1, true);
  const inPart = (start, end) => start <= view.to && end >= view.from;
  check("messages in that part of the time", shown.arrows, data.arrows.filter((a) => inPart(a[2], a[3])).length);
  check("operations in it", shown.bars, model.bars.filter((b) => inPart(b.start, b.end)).length);
  operate("anomaly", (e) => e.click(), "x");
  check("back at the anomaly", view.cursor, data.moment);
  check("errors", trouble.join("; "), "");
  lines.push(`drawn as a whole in ${Math.round(drawn - began)} ms, ready after ${Math.round(began)} ms`);
  lines.push("self-check: " + (good ? "ok" : "failed"));
  const out = document.body.insertBefore(document.createElement("pre"), document.body.firstChild);
  out.id = "self-check";
  out.textContent = lines.join("\n");
}
if (location.hash === "#self-check") selfCheck();
