// The data of the run, what of it is wanted (key, nodes), and what is where in time.

const data = JSON.parse(document.getElementById("data").textContent);

const model = (() => {
  const text = (place) => data.strings[place];
  const arrows = data.arrows.map((a) => ({
    from: a[0], to: a[1], start: a[2], end: a[3],
    name: text(a[4]), key: text(a[5]), lost: text(a[6]), text: text(a[7]),
  }));
  const bars = data.bars.map((b) => ({
    client: b[0], via: b[1], start: b[2], arrived: b[3], answered: b[4], returned: b[5],
    end: b[5] >= 0 ? b[5] : b[6] >= 0 ? b[6] : data.end,
    kind: text(b[7]), key: text(b[8]), outcome: text(b[9]), text: text(b[10]), marked: b[11] === 1,
  }));
  const bands = data.bands.map((b) => ({
    kind: text(b[0]), text: text(b[1]), nodes: b[2], start: b[3], end: b[4], effects: b[5],
    need: text(b[6]),
  }));
  const outages = data.outages.map((o) => ({ node: o[0], start: o[1], end: o[2], text: text(o[3]) }));

  // By key, then node: what was held, by time.
  const held = new Map();
  for (const [time, node, key, what] of data.holdings) {
    const name = text(key);
    if (!held.has(name)) held.set(name, new Map());
    const of = held.get(name);
    if (!of.has(node)) of.set(node, []);
    of.get(node).push({ time, text: text(what) });
  }
  const longest = (list) => list.reduce((most, one) => Math.max(most, one.end - one.start), 0);
  const spans = new Map([[arrows, longest(arrows)], [bars, longest(bars)]]);

  // The first place in `list`, which is sorted by `field`, where it is at least `time`.
  function lowerBound(list, time, field) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (list[middle][field] < time) low = middle + 1; else high = middle;
    }
    return low;
  }
  // Calls `use` with what of arrows or bars lies in the window at least in part.
  function inWindow(list, from, to, use) {
    for (let i = lowerBound(list, from - spans.get(list), "start");
         i < list.length && list[i].start <= to; ++i) {
      if (list[i].end >= from) use(list[i]);
    }
  }
  function heldAt(key, node, time) {
    const list = held.get(key)?.get(node);
    if (!list) return "";
    const at = lowerBound(list, time + 1, "time");
    return at === 0 ? "" : list[at - 1].text;
  }
  const keys = [...new Set([...bars.map((b) => b.key), ...held.keys()])].filter((k) => k !== "").sort();
  return {
    arrows, bars, bands, outages, keys, inWindow, heldAt,
    isDown: (node, time) => outages.some((o) => o.node === node && o.start <= time && time < o.end),
    focusKeys: data.keys.map(text),
    marked: bars.filter((b) => b.marked),
  };
})();

// What is wanted, and where we look: changed by the controls only.
const view = {
  key: "", nodes: new Set(), lostOnly: false,
  from: data.from, to: Math.max(data.to, data.from + 1000), cursor: data.moment,
};
for (let node = 1; node <= data.nodes; ++node) view.nodes.add(node);

function wantsArrow(a) {
  return view.nodes.has(a.from) && view.nodes.has(a.to) && (view.key === "" || a.key === view.key) &&
    (!view.lostOnly || a.lost !== "");
}
function wantsBar(b) {
  return view.nodes.has(b.via) && (view.key === "" || b.key === view.key);
}
const wantsBand = (b) => b.nodes.length === 0 || b.nodes.some((n) => view.nodes.has(n));

function timeText(time) {
  return (time / 1000).toFixed(3) + " ms";
}
