// What the page holds, parsed when it is looked at.

const queries = index.queries.map(([id, text, files], number) => ({ number, id, text, files }));
const numbers = new Map(queries.map((query) => [query.id, query.number]));
const blocks = new Map();
const opened = new Map();

function doc(number) {
  const block = Math.floor(number / index.block);
  if (!blocks.has(block)) blocks.set(block, data(`d${block}`));
  const [id, title, text, length] = blocks.get(block)[number % index.block];
  return { id, title, text, length };
}

function contents(number) {
  if (!opened.has(number)) {
    if (opened.size > 20) opened.delete(opened.keys().next().value);
    const query = data(`q${number}`);
    query.grades = query.grades && new Map(query.grades);
    opened.set(number, query);
  }
  return opened.get(number);
}

const said = (words) => words.map((piece) => (typeof piece === "string" ? piece : piece.map((part) => (typeof part === "string" ? part : part[1])).join(""))).join("");
