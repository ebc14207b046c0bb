// The list of queries: found, filtered, sorted.

const list = byId("list");
const controls = { search: byId("search"), change: byId("change"), status: byId("status"), sort: byId("sort"), file: byId("file") };
const largest = Math.max(1e-9, ...queries.flatMap((query) => query.files.map((file) => Math.abs((file && file.change) || 0))));
let order = queries;
let visible = queries;

const address = (query, rest = {}) => {
  const parts = [`q=${encodeURIComponent(wellFormed(query.id))}`];
  const file = rest.file === undefined ? state.file : rest.file;
  if (file) parts.push(`f=${file + 1}`);
  if (rest.window || rest.explicit) parts.push(`w=${rest.window + 1}`);
  if (rest.passage) parts.push(`p=${rest.passage}`);
  return `#${parts.join("&")}`;
};
const wellFormed = (text) => (text.toWellFormed ? text.toWellFormed() : text);

function statusMarks(statuses, all) {
  const marks = Object.entries(statuses).filter(([status]) => all || status !== "ok");
  return marks.map(([status, number]) => el("span", { class: `mark ${status}` }, `${number} ${status === "missing" ? "not in the traces" : status}`));
}

function fillItem(query) {
  const file = query.files[state.file];
  const judged = file && file.change !== null;
  query.link = el("a", { href: address(query), "data-query": query.number },
    el("span", { class: "top" },
      el("bdi", { class: "id" }, query.id),
      judged && !same(file.change) ? meter(file.change) : null,
      judged ? el("span", { class: `delta ${tone(file.change)}`, title: `change in ${index.measures[0]}` }, same(file.change) ? "=" : signed(file.change, 3)) : null),
    query.text === null ? null : el("span", { class: "query-text text", dir: "auto" }, query.text));
  const marks = file ? statusMarks(file.statuses, false) : [el("span", { class: "mark" }, "not in this file")];
  if (marks.length) query.link.append(el("span", { class: "marks" }, marks));
  query.snippet = null;
  if (query.number === state.query) query.link.setAttribute("aria-current", "true");
  query.item.replaceChildren(query.link);
}

function meter(change) {
  const bar = el("i", { class: change > 0 ? "" : "loss" });
  bar.style.width = `${(50 * Math.abs(change)) / largest}%`;
  return el("span", { class: "meter", "aria-hidden": "true" }, bar);
}

const sortings = {
  "": (a, b) => a.number - b.number,
  best: (a, b) => changeOf(b, -9) - changeOf(a, -9) || a.number - b.number,
  worst: (a, b) => changeOf(a, 9) - changeOf(b, 9) || a.number - b.number,
  tokens: (a, b) => figureOf(b, "tokens") - figureOf(a, "tokens") || a.number - b.number,
  seconds: (a, b) => figureOf(b, "seconds") - figureOf(a, "seconds") || a.number - b.number,
};
const figureOf = (query, name) => (query.files[state.file] ? query.files[state.file][name] : -1);
const changeOf = (query, none) => {
  const file = query.files[state.file];
  return file && file.change !== null ? file.change : none;
};

function sort() {
  order = queries.slice().sort(sortings[controls.sort.value]);
  list.append(...order.map((query) => query.item));
}

const changes = { gained: (change) => change > 0 && !same(change), lost: (change) => change < 0 && !same(change), unchanged: same };

function accepts(query, terms, change, status) {
  const file = query.files[state.file];
  if (change && !(file && file.change !== null && changes[change](file.change))) return false;
  if (status && !(file && file.statuses[status])) return false;
  if (!terms.length) return true;
  const low = indexed[query.number] ? indexed[query.number].low : fold(`${query.id}\n${query.text || ""}`);
  return terms.every((term) => low.includes(term));
}

function filter() {
  const terms = parse(controls.search.value);
  const change = controls.change ? controls.change.value : "";
  const status = controls.status.value;
  visible = order.filter((query) => accepts(query, terms, change, status));
  const kept = new Set(visible);
  let written = 0;
  for (const query of order) {
    query.item.hidden = !kept.has(query);
    if (query.item.hidden) continue;
    const found = terms.length && written < 400 ? place(query, terms) : null;
    written += 1;
    if (query.snippet) query.snippet.remove();
    query.snippet = found && el("span", { class: "snippet text" }, snippet(query, found));
    if (query.snippet) query.link.append(query.snippet);
    query.link.setAttribute("href", address(query, found && found.link ? { ...found.link, explicit: true } : {}));
  }
  const unfinished = terms.length && indexing < queries.length ? ", still reading …" : "";
  byId("count").textContent = unfinished ? `${visible.length.toLocaleString("en")} found${unfinished}` : visible.length === queries.length ? count(queries.length, "query", "queries") : `${visible.length.toLocaleString("en")} of ${count(queries.length, "query", "queries")}`;
  nothing.hidden = visible.length > 0;
  highlight(terms);
}
const nothing = el("li", { class: "nothing", hidden: true }, "No query is like that. Esc clears the search.");

// Marks the words that were searched for, where the browser can do so without touching the page.
function highlight(terms) {
  if (!window.Highlight || !CSS.highlights) return;
  CSS.highlights.delete("found");
  if (!terms.length || state.query === null) return;
  const ranges = [];
  for (const block of byId("query").querySelectorAll(".text, .answer, .id")) {
    const nodes = [];
    const walker = document.createTreeWalker(block, NodeFilter.SHOW_TEXT);
    let all = "";
    while (walker.nextNode()) {
      nodes.push([all.length, walker.currentNode]);
      all += fold(walker.currentNode.data);
    }
    const mark = (range, name, at) => {
      const [start, node] = nodes.findLast(([begin]) => begin <= at);
      range[name](node, at - start);
    };
    for (const term of terms) {
      for (let at = all.indexOf(term); at >= 0 && ranges.length < 2000; at = all.indexOf(term, at + term.length)) {
        const range = new Range();
        mark(range, "setStart", at);
        mark(range, "setEnd", at + term.length);
        ranges.push(range);
      }
    }
  }
  CSS.highlights.set("found", new Highlight(...ranges));
}
