// The page as it begins.

for (const query of queries) {
  query.item = el("li");
  fillItem(query);
}
list.append(...queries.map((query) => query.item));
list.after(nothing);
statusChoices();
theme(themes.includes(memory.get()) ? memory.get() : "auto");
controls.search.addEventListener("input", filter);
for (const control of [controls.change, controls.status]) if (control) control.addEventListener("change", filter);
controls.sort.addEventListener("change", () => { sort(); filter(); list.parentNode.scrollTop = 0; });
if (controls.file) {
  controls.file.addEventListener("change", () => {
    const file = Number(controls.file.value);
    if (state.query !== null) stay({ file, window: 0, passage: 0 });
    else { state.file = file; changeFile(); }
  });
}
byId("theme").addEventListener("click", nextTheme);
byId("keys").addEventListener("click", () => help.showModal());
byId("close").addEventListener("click", () => help.close());
byId("skip").addEventListener("click", () => byId("main").focus());
window.addEventListener("popstate", route);
window.addEventListener("beforeprint", drawSlopes);
filter();
route();
later(indexSome);
