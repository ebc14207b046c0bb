// What is pressed and clicked.

const help = byId("help");
const keys = {
  "/": () => { controls.search.focus(); controls.search.select(); },
  j: () => step(1), k: () => step(-1),
  n: () => stepWindow(1), p: () => stepWindow(-1),
  "]": () => several && state.query !== null && stay({ file: Math.min(state.file + 1, index.files.length - 1), passage: 0 }),
  "[": () => several && state.query !== null && stay({ file: Math.max(state.file - 1, 0), passage: 0 }),
  o: () => go(""), t: nextTheme, "?": () => help.showModal(),
};

function escape() {
  if (help.open) return;
  if (document.activeElement === controls.search || (state.query === null && controls.search.value)) {
    if (controls.search.value) {
      controls.search.value = "";
      filter();
    } else controls.search.blur();
  } else if (state.passage) stay({ passage: 0 });
  else if (state.query !== null) go("");
}

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
  if (event.key === "Escape") {
    escape();
    return;
  }
  const inSide = event.target.closest(".side nav") || event.target === controls.search;
  if (inSide && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    event.preventDefault();
    step(event.key === "ArrowDown" ? 1 : -1, event.target !== controls.search);
    return;
  }
  if (event.target === controls.search && event.key === "Enter" && visible.length) {
    go(visible[0].link.getAttribute("href"));
    return;
  }
  if (event.target.closest("input, select, textarea") || help.open) return;
  if (keys[event.key]) {
    event.preventDefault();
    keys[event.key]();
  }
});

document.addEventListener("click", (event) => {
  const link = event.target.closest('a[href^="#"]');
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
  event.preventDefault();
  const hash = link.getAttribute("href");
  const inWindow = state.query !== null && link.closest("#windows");
  if (inWindow) {
    const passage = Number(link.closest("[data-passage]").dataset.passage);
    const again = passage === state.passage && link.closest(".slopes");
    stay({ passage: again ? 0 : passage });
  } else go(hash === "#" ? "" : hash);
});
