// A query: its measures and its ranking.

const article = byId("query");
let ranking = { expanded: false, by: 0 };

function grade(query, number) {
  if (!index.judged) return null;
  const value = query.grades ? query.grades.get(number) : undefined;
  if (value === undefined) return el("span", { class: "grade none", title: "not judged" }, "–");
  const level = Math.max(0, Math.min(3, value));
  return el("span", { class: `grade g${level}`, title: `judged ${value}` }, String(value));
}

function move(climb) {
  if (climb === 0) return el("span", { class: "move quiet", title: "where it was" }, "=");
  return el("span", { class: `move ${climb > 0 ? "gain" : "loss"}`, title: `${climb > 0 ? "up" : "down"} ${Math.abs(climb)}` }, `${climb > 0 ? "▲" : "▼"} ${Math.abs(climb)}`);
}

function showQuery() {
  const query = queries[state.query];
  const all = contents(state.query);
  const file = all.files[state.file];
  const summary = query.files[state.file];
  const at = visible.indexOf(query);
  const step = (offset, name, key) => {
    const other = visible[at + offset];
    return el("button", { type: "button", id: `key-${key}`, disabled: at < 0 || !other, title: `key ${key}`, onclick: () => { go(address(other)); refocus(`#key-${key}`); } }, name);
  };
  const parts = [
    el("header", { class: (query.text || "").length > 140 ? "head" : "head stays" },
      el("div", {},
        el("h1", { id: "query-title", class: (query.text || "").length > 140 ? "text long" : "text", dir: "auto", tabindex: "-1" }, query.text === null ? query.id : query.text),
        el("div", { class: "facts-line" },
          el("bdi", { class: "id" }, query.id),
          summary && summary.calls ? el("button", { type: "button", class: "plain", title: "n", onclick: () => byId("windows").scrollIntoView() }, `${count(summary.calls, "call")} ↓`) : null,
          summary && summary.tokens ? el("span", {}, count(summary.tokens, "token") + " answered") : null,
          summary && summary.seconds ? el("span", {}, time(summary.seconds)) : null,
          all.relevant === undefined ? null : el("span", { title: `grade ${index.level} and up` }, count(all.relevant, "relevant document")),
          summary ? statusMarks(summary.statuses, true) : null)),
      el("div", { class: "steps" }, step(-1, "‹ previous", "k"), step(1, "next ›", "j"))),
    measures(all),
  ];
  if (!file) parts.push(el("p", { class: "note" }, `${index.files[state.file].name} does not have this query.`));
  if (all.files.some((each) => each && each.ranking)) parts.push(rankingSection(all));
  parts.push(el("section", { class: "card", id: "windows", "aria-labelledby": "windows-title" }));
  article.replaceChildren(...parts.filter(Boolean));
  article.setAttribute("aria-labelledby", "query-title");
  showWindow();
}

function measures(all) {
  if (!all.files.some((file) => file && file.measures)) {
    return index.measures.length ? el("p", { class: "note" }, "This query is not judged.") : null;
  }
  return el("dl", { class: "measures" }, index.measures.map((measure, m) =>
    el("div", {}, el("dt", {}, measure), all.files.map((file, f) => file && file.measures
      ? el("dd", {}, several ? el("span", { class: `series s${index.files[f].shade}`, title: index.files[f].name }) : null,
          `${file.measures[m][0].toFixed(4)} → ${file.measures[m][1].toFixed(4)} `,
          el("span", { class: `delta ${tone(file.measures[m][1] - file.measures[m][0])}` }, same(file.measures[m][1] - file.measures[m][0]) ? "=" : signed(file.measures[m][1] - file.measures[m][0], 3)))
      : null))));
}

const FIRST = 10;

function rankingSection(all) {
  const files = all.files.map((file, f) => ({ file, f })).filter(({ file }) => file && file.ranking);
  const rank = new Map(files.map(({ file, f }) => [f, new Map(file.ranking.map((number, i) => [number, i + 1]))]));
  const first = new Map(files.map(({ file, f }) => [f, new Map(file.ranking.map((number, i) => [number, file.first[i]]))]));
  if (!rank.has(ranking.by) && ranking.by !== "first") ranking.by = files[0].f;
  const base = rank.has(state.file) ? state.file : files[0].f;
  const ranks = ranking.by === "first" ? first.get(base) : rank.get(ranking.by);
  const documents = [...new Set(files.flatMap(({ file }) => file.ranking))].sort((a, b) => (ranks.get(a) || 1e9) - (ranks.get(b) || 1e9));
  const head = (by, name, title) => el("th", { scope: "col", class: by === "first" ? "was" : "rank", "aria-sort": ranking.by === by ? "ascending" : null, title },
    el("button", { type: "button", "data-by": by, onclick: () => { ranking.by = by; redraw(`#ranking [data-by="${by}"]`); } }, name));
  const redraw = (focused) => {
    byId("ranking").replaceWith(rankingSection(all));
    highlight(parse(controls.search.value));
    refocus(focused);
  };
  const shown = ranking.expanded ? documents : documents.slice(0, FIRST);
  const tail = all.files[base] ? all.files[base].tail : 0;
  const table = el("table", { class: several ? "ranking several" : "ranking" },
    el("thead", {}, el("tr", {},
      files.map(({ f }) => head(f, several ? index.files[f].name : "Rank", `sort by the ranks of ${index.files[f].name}`)),
      head("first", several ? "First stage" : "Was", `sort by the ranks of ${index.files[base].run}`),
      index.judged ? el("th", { scope: "col", class: "judged" }, "Judged") : null,
      el("th", { scope: "col", class: "what" }, "Passage"))),
    el("tbody", {}, shown.map((number) => el("tr", {},
      files.map(({ f }) => el("td", {}, rank.get(f).has(number) ? [el("span", { class: "place" }, String(rank.get(f).get(number))), " ", several ? move(first.get(f).get(number) - rank.get(f).get(number)) : null] : "–")),
      el("td", {}, first.get(base).has(number) ? [String(first.get(base).get(number)), " ", several ? null : move(first.get(base).get(number) - rank.get(base).get(number))] : "–"),
      index.judged ? el("td", {}, grade(all, number)) : null,
      el("td", { class: "what" }, passage(number))))));
  table.style.setProperty("--files", files.length);
  return el("section", { class: "card", id: "ranking" },
    el("h2", {}, "Final ranking"),
    el("div", { class: "scroll" }, table),
    documents.length > FIRST ? el("button", { type: "button", class: "more", "aria-expanded": String(ranking.expanded), onclick: () => { ranking.expanded = !ranking.expanded; redraw("#ranking .more"); } },
      ranking.expanded ? `The first ${FIRST}` : `All ${documents.length}`) : null,
    tail && ranking.expanded ? el("p", { class: "about" }, `${count(tail, "document")} below rank ${index.files[base].depth} kept their places.`) : null);
}

function passage(number) {
  const { id, title, text, length } = doc(number);
  const name = title || (text ? "" : id);
  const button = el("button", { type: "button", class: "passage", "aria-expanded": text ? "false" : null, disabled: !text },
    name ? el("span", { class: "title text", dir: "auto" }, name) : null,
    name === id ? null : el("bdi", { class: "id" }, id),
    text ? el("span", { class: "text excerpt", dir: "auto" }, text, length ? ` … (${count(length, "character")} in all)` : "") : null);
  if (text) button.addEventListener("click", () => button.setAttribute("aria-expanded", String(button.getAttribute("aria-expanded") !== "true")));
  return button;
}
