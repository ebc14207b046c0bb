// What the model thought, with links to the passages that it speaks of.

function thought(call) {
  const parts = [];
  if (call.error) parts.push(el("h3", {}, "Error"), el("p", { class: "answer failure" }, call.error));
  if (call.words && call.words.length) {
    const words = el("div", { class: "words text", dir: "auto" });
    for (const piece of call.words) {
      if (typeof piece === "string") words.append(piece);
      else words.append(sentence(piece, call.in.length));
    }
    words.addEventListener("mouseover", (event) => near(passageOf(event.target)));
    words.addEventListener("mouseleave", () => near(0));
    parts.push(el("h3", {}, "Reasoning"), words);
  } else if (call.requests) parts.push(el("h3", {}, "Reasoning"), el("p", { class: "about" }, "None was given."));
  if (call.answer) parts.push(el("h3", {}, "Answer"), el("pre", { class: "answer", dir: "auto", tabindex: "0" }, call.answer));
  if (call.requests && call.requests.length > 1) {
    parts.push(el("h3", {}, "Requests"), el("div", { class: "scroll", tabindex: "0" }, el("table", { class: "requests" },
      el("thead", {}, el("tr", {}, ["", "status", "ended by", "tokens in", "out", "seconds"].map((name, i) => el("th", { scope: "col", class: i > 2 ? "n" : null }, name)))),
      el("tbody", {}, call.requests.map(([what, status, finish, into, out, , seconds]) => el("tr", {},
        el("td", {}, what), el("td", {}, status), el("td", {}, finish || ""),
        [into, out, seconds].map((number) => el("td", { class: "n" }, number === null ? "–" : number.toLocaleString("en")))))))));
  }
  return el("div", { class: "thought" }, parts);
}

function sentence(pieces) {
  const span = el("span", { class: "sentence" });
  for (const piece of pieces) {
    if (typeof piece === "string") span.append(piece);
    else {
      const [number, words] = piece;
      span.append(el("a", { href: address(queries[state.query], { window: state.window, passage: number }), "data-passage": number, title: `passage ${number}` }, words));
    }
  }
  return span;
}
