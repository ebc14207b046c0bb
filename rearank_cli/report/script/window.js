// A call: what was shown, what was answered, and why.

const calls = () => {
  const file = state.query === null ? null : contents(state.query).files[state.file];
  return file ? file.calls : [];
};

const ranksOf = ({ window: [start, end] }) => (end - start === 1 ? String(end) : `${start + 1}–${end}`);

function nameOf(call, w) {
  return call.window && call.in.length > 1 ? ranksOf(call) : String(w + 1);
}

function tabs(label, names, chosen, choose, id) {
  const bar = el("div", { class: "tabs", role: "tablist", "aria-label": label });
  bar.append(...names.map(({ name, title, dot, series }, i) => el("button", {
    type: "button", role: "tab", id: `${id}-${i}`, "aria-selected": String(i === chosen), tabindex: i === chosen ? "0" : "-1", title,
    "aria-controls": "window", onclick: () => { choose(i); refocus(`#${id}-${i}`); } },
    series ? el("span", { class: `series ${series}` }) : null, name, dot ? el("span", { class: `dot ${dot}` }) : null)));
  bar.addEventListener("keydown", (event) => {
    const offset = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!offset || !names[chosen + offset]) return;
    event.preventDefault();
    choose(chosen + offset);
    refocus(`#${id}-${chosen + offset}`);
  });
  return bar;
}

function showWindow() {
  const section = byId("windows");
  const all = calls();
  const stretches = all.some((call) => call.window && call.in.length > 1);
  const parts = [el("h2", { id: "windows-title" }, all.length ? `Why: ${count(all.length, "call")}` : "No call was made for this query")];
  if (several) {
    parts.push(tabs("Trace files", index.files.map(({ name, shade }) => ({ name, series: `s${shade}` })), state.file, (f) => stay({ file: f, window: 0, passage: 0 }), "file-tab"));
  }
  state.window = Math.max(0, Math.min(state.window, all.length - 1));
  const call = all[state.window];
  if (all.length > 1) {
    parts.push(tabs(stretches ? "Windows, by the ranks they show" : "Calls", all.map((each, w) => ({
      name: nameOf(each, w), dot: each.status === "ok" ? "" : each.status,
      title: `call ${w + 1}: ${count(each.in.length, "passage")}, ${each.status === "missing" ? "not in the traces" : each.status}`,
    })), state.window, (w) => stay({ window: w, passage: 0 }), "window-tab"));
  }
  if (call) parts.push(windowPanel(call, all.length));
  section.replaceChildren(...parts);
  drawSlopes();
  showPassage(false);
  highlight(parse(controls.search.value));
}

function windowPanel(call, of) {
  const query = contents(state.query);
  const last = call.requests ? call.requests[call.requests.length - 1] : null;
  const tokens = (call.requests || []).reduce((sum, request) => sum + (request[4] || 0), 0);
  const seconds = (call.requests || []).reduce((sum, request) => sum + request[6], 0);
  return el("div", { id: "window", role: of > 1 ? "tabpanel" : null, "aria-labelledby": of > 1 ? `window-tab-${state.window}` : null },
    el("div", { class: "window-head" },
      el("strong", {}, of > 1 ? `Call ${state.window + 1} of ${of}` : "The call"),
      call.window ? el("span", {}, `${call.in.length === 1 ? "rank" : "ranks"} ${ranksOf(call)}`) : null,
      call.sample ? el("span", {}, `sample ${call.sample + 1}`) : null,
      el("span", { class: `mark ${call.status}` }, call.status === "missing" ? "not in the traces" : call.status),
      call.forced ? el("span", { class: "mark" }, "forced finish") : null,
      tokens ? el("span", {}, `${count(tokens, "token")} answered`) : null,
      last && last[3] ? el("span", {}, `${count(last[3], "token")} asked${last[5] ? `, ${last[5].toLocaleString("en")} cached` : ""}`) : null,
      call.requests ? el("span", {}, time(seconds)) : null,
      call.cut ? el("span", {}, `${count(call.cut, "passage")} cut to fit`) : null,
      query.grades && call.in.some((number) => query.grades.get(number) >= index.level) ? el("span", { class: "legend" }, "relevant") : null),
    call.answered === false ? el("p", { class: "note" }, "There is no answer to read: the window kept its order.") : null,
    call.status === "missing" ? el("p", { class: "note" }, "The traces do not have this call: the window kept its order.") : null,
    el("div", { class: "window" }, slopes(call, query), thought(call)));
}
