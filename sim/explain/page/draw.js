// The picture: one canvas, drawn anew whenever the view changes; only what is in the window.

const canvas = document.getElementById("lanes");
const kLane = 26, kTop = 22, kLeft = 84;
const kMany = 4000;  // arrows: from here on thin ones without heads

const shown = { lanes: 0, arrows: 0, lost: 0, bars: 0, marked: 0, bands: 0, outages: 0 };
let hot = [];  // what the mouse can meet: {x1, y1, x2, y2, text}

function lanesShown() {
  const lanes = data.clients.map((client) => ({ client, name: client === 0 ? "last reads" : "client " + client }));
  for (const node of view.nodes) lanes.push({ node, name: "n" + node });
  return lanes;
}

const xOf = (time) => kLeft + (time - view.from) / (view.to - view.from) * (canvas.clientWidth - kLeft - 8);
const timeAt = (x) => view.from + (x - kLeft) / (canvas.clientWidth - kLeft - 8) * (view.to - view.from);

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue("--" + name).trim();
}

function draw() {
  const lanes = lanesShown();
  const width = canvas.clientWidth, height = kTop + lanes.length * kLane + 6;
  const scale = window.devicePixelRatio || 1;
  canvas.style.height = height + "px";
  canvas.width = width * scale;
  canvas.height = height * scale;
  const pen = canvas.getContext("2d");
  pen.scale(scale, scale);
  pen.font = "12px system-ui, sans-serif";
  const colour = colours();
  for (const count in shown) shown[count] = 0;
  shown.lanes = lanes.length;
  hot = [];
  const yClient = new Map(), yNode = new Map();
  lanes.forEach((lane, i) => {
    const y = kTop + i * kLane + kLane / 2;
    (lane.node ? yNode : yClient).set(lane.node || lane.client, y);
    pen.fillStyle = i % 2 ? colour("back") : colour("lane");
    pen.fillRect(0, y - kLane / 2, width, kLane);
  });
  drawGrid(pen, colour, width, height);
  pen.save();
  pen.beginPath();
  pen.rect(kLeft, 0, width - kLeft, height);
  pen.clip();
  drawBands(pen, colour, yNode);
  drawOutages(pen, colour, yNode);
  drawArrows(pen, colour, yNode);
  drawBars(pen, colour, yClient, yNode);
  const x = xOf(view.cursor);
  pen.strokeStyle = colour("cursor");
  pen.lineWidth = 1.5;
  line(pen, x, 0, x, height);
  pen.restore();
  pen.fillStyle = colour("text");
  lanes.forEach((lane, i) => pen.fillText(lane.name, 6, kTop + i * kLane + kLane / 2 + 4));
}

function line(pen, x1, y1, x2, y2) {
  pen.beginPath();
  pen.moveTo(x1, y1);
  pen.lineTo(x2, y2);
  pen.stroke();
}

function drawGrid(pen, colour, width, height) {
  const span = view.to - view.from;
  let step = Math.pow(10, Math.floor(Math.log10(span / 4)));
  while (span / step > 12) step *= 2;
  pen.strokeStyle = colour("line");
  pen.fillStyle = colour("dim");
  pen.lineWidth = 1;
  for (let t = Math.ceil(view.from / step) * step; t <= view.to; t += step) {
    line(pen, xOf(t), 16, xOf(t), height);
    pen.fillText((t / 1000).toLocaleString("en", { maximumFractionDigits: 3 }) + " ms", xOf(t) + 2, 12);
  }
}

function drawBands(pen, colour, yNode) {
  for (const band of model.bands) {
    if (!wantsBand(band) || band.end < view.from || band.start > view.to) continue;
    ++shown.bands;
    const left = xOf(band.start), right = Math.max(xOf(band.end), left + 2);
    for (const [node, y] of yNode) {
      if (band.nodes.length > 0 && !band.nodes.includes(node)) continue;
      pen.globalAlpha = band.need === "needed" ? 0.4 : 0.2;
      pen.fillStyle = colour("band");
      pen.fillRect(left, y - kLane / 2, right - left, kLane);
      pen.globalAlpha = 1;
      hot.push({ x1: left, y1: y, x2: right, y2: y, near: kLane / 2,
        text: "fault: " + band.text + (band.need ? ", " + band.need : "") });
    }
  }
}

function drawOutages(pen, colour, yNode) {
  for (const outage of model.outages) {
    const y = yNode.get(outage.node);
    if (y === undefined || outage.end < view.from || outage.start > view.to) continue;
    ++shown.outages;
    const left = xOf(outage.start), right = Math.max(xOf(outage.end), left + 2);
    pen.globalAlpha = 0.55;
    pen.fillStyle = colour("down");
    pen.fillRect(left, y - 7, right - left, 14);
    pen.globalAlpha = 1;
    hot.push({ x1: left, y1: y, x2: right, y2: y, near: 7,
      text: "n" + outage.node + " is down " + outage.text + " from " + timeText(outage.start) + " to " + timeText(outage.end) });
  }
}

function drawArrows(pen, colour, yNode) {
  const wanted = [];
  model.inWindow(model.arrows, view.from, view.to, (a) => { if (wantsArrow(a)) wanted.push(a); });
  shown.arrows = wanted.length;
  const many = wanted.length > kMany;
  const cursor = view.cursor, sentColour = colour("message"), lostColour = colour("lost");
  pen.lineWidth = many ? 0.6 : 1;
  for (const a of wanted) {
    const x1 = xOf(a.start), y1 = yNode.get(a.from), x2 = xOf(a.end), y2 = yNode.get(a.to);
    if (a.lost !== "") ++shown.lost;
    pen.strokeStyle = a.lost !== "" ? lostColour : sentColour;
    pen.globalAlpha = many ? 0.35 : a.start <= cursor && cursor <= a.end ? 1 : 0.65;
    if (a.lost !== "") {
      // It goes half the way and ends in a cross.
      const x = (x1 + Math.max(x2, x1 + 8)) / 2, y = (y1 + y2) / 2;
      line(pen, x1, y1, x, y);
      line(pen, x - 4, y - 4, x + 4, y + 4);
      line(pen, x - 4, y + 4, x + 4, y - 4);
      if (!many) hot.push({ x1, y1, x2: x, y2: y, near: 5, text: arrowText(a) });
      continue;
    }
    line(pen, x1, y1, x2, y2);
    if (many) continue;
    const turn = Math.atan2(y2 - y1, x2 - x1);
    line(pen, x2, y2, x2 - 6 * Math.cos(turn - 0.4), y2 - 6 * Math.sin(turn - 0.4));
    line(pen, x2, y2, x2 - 6 * Math.cos(turn + 0.4), y2 - 6 * Math.sin(turn + 0.4));
    hot.push({ x1, y1, x2, y2, near: 4, text: arrowText(a) });
  }
  pen.globalAlpha = 1;
}

function arrowText(a) {
  return timeText(a.start) + " n" + a.from + " to n" + a.to + ": " + a.text +
    (a.lost !== "" ? ", lost: " + a.lost : ", arrives at " + timeText(a.end));
}

function drawBars(pen, colour, yClient, yNode) {
  const colourOf = { ok: colour("ok"), "never answered": colour("open"), unknown: colour("open") };
  model.inWindow(model.bars, view.from, view.to, (b) => {
    if (!wantsBar(b)) return;
    ++shown.bars;
    const y = yClient.get(b.client), left = xOf(b.start), right = Math.max(xOf(b.end), left + 2);
    const own = colourOf[b.outcome] || colour("lost");
    pen.strokeStyle = own;
    pen.lineWidth = 0.7;
    pen.setLineDash([2, 3]);
    if (b.arrived >= 0) line(pen, left, y, xOf(b.arrived), yNode.get(b.via));
    if (b.answered >= 0 && b.returned >= 0) line(pen, xOf(b.answered), yNode.get(b.via), right, y);
    pen.setLineDash([]);
    pen.fillStyle = own;
    pen.globalAlpha = b.returned < 0 ? 0.35 : 0.8;
    pen.fillRect(left, y - 7, right - left, 14);
    pen.globalAlpha = 1;
    if (b.marked) {
      ++shown.marked;
      pen.strokeStyle = colour("mark");
      pen.lineWidth = 3;
      pen.strokeRect(left - 2, y - 9, right - left + 4, 18);
    }
    if (right - left > 46) {
      pen.save();
      pen.beginPath();
      pen.rect(left, y - 7, right - left, 14);
      pen.clip();
      pen.fillStyle = colour("back");
      pen.fillText(b.kind + " " + b.key, left + 3, y + 4);
      pen.restore();
    }
    hot.push({ x1: left, y1: y, x2: right, y2: y, near: 8, text: b.text });
  });
}

// The text of what lies at this place of the canvas, what was drawn last first.
function textAt(x, y) {
  for (let i = hot.length - 1; i >= 0; --i) {
    const h = hot[i], dx = h.x2 - h.x1, dy = h.y2 - h.y1, long = dx * dx + dy * dy;
    const part = long === 0 ? 0 : Math.min(1, Math.max(0, ((x - h.x1) * dx + (y - h.y1) * dy) / long));
    if (Math.hypot(x - h.x1 - part * dx, y - h.y1 - part * dy) <= h.near) return h.text;
  }
  return "";
}
