// What was shown and what was answered, side by side, and the lines between.

function slopes(call, query) {
  const times = new Map();
  for (const piece of call.words || []) {
    if (typeof piece === "string") continue;
    for (const part of piece) if (typeof part !== "string") times.set(part[0], (times.get(part[0]) || 0) + 1);
  }
  const first = call.first || 1;
  const label = (number) => { const { id, title, text } = doc(number); return title || (text && text.slice(0, 120)) || id; };
  const item = (position, place, attributes) => {
    const number = call.in[position];
    const { id } = doc(number);
    return el("li", { "data-passage": position + 1 },
      el("a", { class: "item", href: address(queries[state.query], { window: state.window, passage: position + 1 }), title: id },
        place,
        el("span", { class: "name text", dir: "auto" }, label(number)),
        attributes.times ? el("span", { class: "times", title: `mentioned ${attributes.times} times` }, `${attributes.times}×`) : null,
        attributes.score === undefined ? null : el("span", { class: "times", title: "the model's score" }, Number(attributes.score).toPrecision(3)),
        grade(query, number)));
  };
  const scoreOf = (position) => (call.scores && call.scores[position] !== null ? call.scores[position] : undefined);
  const single = call.in.length === 1;
  const input = call.in.map((_, position) => item(position, el("span", { class: "number" }, `[${position + 1}]`), {
    times: times.get(position + 1) > 1 ? times.get(position + 1) : 0, score: single ? scoreOf(position) : undefined }));
  if (single) {
    return el("div", { class: "slopes single" }, el("h3", {}, "As shown"), el("ol", { class: "in", "aria-label": "the passage shown" }, input));
  }
  const output = call.order.map((position, place) => item(position,
    [el("span", { class: "place" }, String(first + place)), el("span", { class: "number" }, `[${position + 1}]`)],
    { score: scoreOf(position) }));
  // What the model did not name stands below what it did, as it was.
  if (call.listed !== null && call.listed !== undefined && call.listed < output.length) {
    for (const unnamed of output.slice(call.listed)) unnamed.classList.add("unnamed");
    output.splice(call.listed, 0, el("li", { class: "divider" }, "not in the answer, as they were"));
  }
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");
  call.order.forEach((position) => {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.dataset.passage = position + 1;
    const value = query.grades ? query.grades.get(call.in[position]) : undefined;
    if (value >= index.level) path.classList.add("relevant");
    svg.append(path);
  });
  const box = el("div", { class: "slopes" },
    el("h3", {}, "As shown"), el("span"), el("h3", {}, call.first ? "New ranks" : "As answered"),
    el("ol", { class: "in", "aria-label": "passages as they were shown" }, input), svg,
    el("ol", { class: "out", "aria-label": "passages in their new order" }, output));
  box.addEventListener("mouseover", (event) => near(passageOf(event.target)));
  box.addEventListener("mouseleave", () => near(0));
  return box;
}

const passageOf = (node) => {
  const holder = node.closest("[data-passage]");
  return holder ? Number(holder.dataset.passage) : 0;
};

// What of the page is under the query's own words, which stay at its top.
function covered() {
  const head = article.querySelector(".stays");
  return head && getComputedStyle(head).position === "sticky" ? head.offsetHeight : 0;
}

function drawSlopes() {
  byId("main").style.setProperty("--covered", `${covered()}px`);
  const box = article.querySelector(".slopes");
  if (!box) return;
  const svg = box.querySelector("svg");
  if (!svg) return;
  const top = svg.getBoundingClientRect().top;
  const middle = (side, passage) => {
    const line = box.querySelector(`.${side} [data-passage="${passage}"] .item`).getBoundingClientRect();
    return line.top - top + line.height / 2;
  };
  const ends = Array.from(svg.children, (path) => [path, middle("in", path.dataset.passage), middle("out", path.dataset.passage)]);
  for (const [path, from, to] of ends) path.setAttribute("d", `M2 ${from.toFixed(1)}C26 ${from.toFixed(1)} 26 ${to.toFixed(1)} 50 ${to.toFixed(1)}`);
}
new ResizeObserver(() => drawSlopes()).observe(article);
