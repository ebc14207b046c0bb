// Full text search over queries, ids of documents and reasoning.

// Of each query one text with all its words, another in lower case at the same places, and what stands where.
const indexed = [];
let indexing = 0;

function fold(text) {
  const low = text.toLowerCase();
  if (low.length === text.length) return low;
  return Array.from(text, (c) => (c.toLowerCase().length === c.length ? c.toLowerCase() : c)).join("");
}

function addToIndex() {
  const query = queries[indexing];
  const { files } = data(`q${query.number}`);
  const fields = [[0, ""]];
  let text = `${query.id}\n${query.text || ""}`;
  const add = (words, label, link) => {
    fields.push([text.length + 1, label, link]);
    text += "\n" + words;
  };
  const shown = new Set();
  for (const file of files) {
    for (const number of (file && file.ranking) || []) shown.add(number);
    for (const call of (file && file.calls) || []) for (const number of call.in) shown.add(number);
  }
  add(Array.from(shown, (number) => doc(number).id).join(" "), "document");
  files.forEach((file, f) => file && file.calls.forEach((call, w) => {
    const words = [call.words ? said(call.words) : "", call.answer || "", call.error || ""].filter(Boolean).join("\n");
    if (words) add(words, several ? `${index.files[f].name}, window ${w + 1}` : `window ${w + 1}`, { file: f, window: w });
  }));
  indexed.push({ text, low: fold(text), fields });
  indexing += 1;
}

// In slices, so that no key waits for it: until it is done, the search knows ids and texts of the others.
function indexSome() {
  const until = performance.now() + 12;
  while (indexing < queries.length && performance.now() < until) addToIndex();
  if (indexing < queries.length) later(indexSome);
  else {
    document.body.dataset.indexed = "";
    if (controls.search.value) filter();
  }
}
const later = window.requestIdleCallback ? (work) => requestIdleCallback(work, { timeout: 100 }) : (work) => setTimeout(work, 1);

const parse = (words) => Array.from(words.matchAll(/"([^"]+)"?|(\S+)/g), (match) => fold(match[1] || match[2]));

// Where the first of the words stands that the list does not show anyway.
function place(query, terms) {
  if (!indexed[query.number]) return null;
  const { low, fields } = indexed[query.number];
  for (const term of terms) {
    if (low.slice(0, fields[1][0]).includes(term)) continue;
    const start = low.indexOf(term);
    let field = fields[0];
    for (const each of fields) if (each[0] <= start) field = each;
    return { start, end: start + term.length, label: field[1], link: field[2], from: field[0] };
  }
  return null;
}

function snippet(query, found) {
  const { text } = indexed[query.number];
  let from = Math.max(found.from, found.start - 36);
  if (from > found.from) from = text.indexOf(" ", from) + 1 || from;
  if (from > found.start) from = found.start;
  const line = text.indexOf("\n", found.end);
  const to = Math.min(found.end + 48, line < 0 ? text.length : line);
  return [`${found.label}: `, from > found.from ? "…" : "", text.slice(from, found.start), el("mark", {}, text.slice(found.start, found.end)), text.slice(found.end, to), to < text.length ? "…" : ""];
}
