// Where we are: the address after the #.

function read(hash) {
  const told = {};
  for (const part of hash.replace(/^#/, "").split("&")) {
    const [, name, value] = part.match(/^(\w+)=(.*)$/s) || [];
    try {
      if (name) told[name] = decodeURIComponent(value);
    } catch {
      // An address that was cut short names nothing.
    }
  }
  const query = numbers.has(told.q) ? numbers.get(told.q) : queries.findIndex((each) => told.q !== undefined && wellFormed(each.id) === told.q);
  const number = (text, least) => Math.max(least, Math.floor(Number(text)) || least);
  return {
    query: query < 0 ? null : query,
    unknown: query < 0 && told.q ? told.q : null,
    file: told.q === undefined ? state.file : Math.min(number(told.f, 1), index.files.length) - 1,
    window: number(told.w, 1) - 1,
    called: told.w !== undefined,
    passage: number(told.p, 0),
  };
}

function go(hash) {
  if (hash !== location.hash) history.pushState(null, "", hash || location.pathname + location.search);
  route();
}

// The first words in a call that were searched for, or the call.
function showFound() {
  byId("windows").scrollIntoView();
  const found = window.Highlight && CSS.highlights.get("found");
  const range = found && Array.from(found).find(({ startContainer }) => byId("window").contains(startContainer));
  if (!range) return;
  const { top } = range.getBoundingClientRect();
  if (top > innerHeight - 80) byId("main").scrollTop += top - innerHeight / 2;
}

// Another window, file or passage of the same query: Back still leads to the query before it.
function stay(changes) {
  const next = { ...state, ...changes };
  history.replaceState(null, "", address(queries[state.query], next));
  route();
}

function route() {
  const before = { ...state };
  Object.assign(state, read(location.hash));
  const other = state.query !== before.query;
  if (state.file !== before.file) changeFile();
  document.body.classList.toggle("querying", state.query !== null);
  byId("unknown").textContent = state.unknown ? `This report has no query ${state.unknown}. This is its overview.` : "";
  if (state.unknown) byId("main").scrollTop = 0;
  if (other || state.file !== before.file) {
    for (const query of queries) query.link.removeAttribute("aria-current");
    if (other) ranking = { expanded: false, by: state.file };
    else ranking.by = state.file;
    if (state.query === null) {
      article.replaceChildren();
      document.title = title;
    } else {
      const { id, text, link, item } = queries[state.query];
      link.setAttribute("aria-current", "true");
      item.scrollIntoView({ block: "nearest" });
      document.title = `${text || id} – ${title}`;
      showQuery();
    }
    if (other) byId("main").scrollTop = 0;
  } else if (state.query !== null && state.window !== before.window) showWindow();
  if (state.query !== null && state.passage !== (other ? 0 : before.passage)) showPassage(true);
  else if (other && state.query !== null && state.called) showFound();
}
const title = document.title;

function changeFile() {
  if (controls.file) controls.file.value = String(state.file);
  for (const query of queries) fillItem(query);
  statusChoices();
  sort();
  filter();
}

function statusChoices() {
  const chosen = controls.status.value;
  const found = new Set(queries.flatMap((query) => (query.files[state.file] ? Object.keys(query.files[state.file].statuses) : [])));
  const known = ["ok", "repaired", "truncated", "unreadable", "failed", "missing"].filter((status) => found.has(status));
  controls.status.replaceChildren(el("option", { value: "" }, "any status"), ...known.map((status) => el("option", { value: status }, status === "missing" ? "not in the traces" : `has ${status}`)));
  controls.status.value = known.includes(chosen) ? chosen : "";
}

function step(offset, focus) {
  if (!visible.length) return;
  const at = state.query === null ? -1 : visible.indexOf(queries[state.query]);
  const next = visible[at < 0 ? (offset > 0 ? 0 : visible.length - 1) : at + offset];
  if (!next) return;
  go(next.link.getAttribute("href"));
  if (focus) next.link.focus();
}

function stepWindow(offset) {
  const next = state.window + offset;
  if (state.query === null || !calls()[next]) return;
  stay({ window: next, passage: 0 });
  byId("windows").scrollIntoView({ block: "nearest" });
  const place = byId("windows").getBoundingClientRect();
  if (place.top > innerHeight / 2) byId("windows").scrollIntoView();
}
