// A passage that is chosen, and all there is of it in a call.

// What a passage, a line and the words about it have in common is shown together.
function near(passage) {
  for (const node of article.querySelectorAll(".near")) node.classList.remove("near");
  for (const path of article.querySelectorAll(".slopes path")) path.classList.toggle("on", Number(path.dataset.passage) === (passage || state.passage));
  if (passage) for (const node of article.querySelectorAll(`li[data-passage="${passage}"], a[data-passage="${passage}"]`)) node.classList.add("near");
}

function showPassage(scroll) {
  for (const node of article.querySelectorAll("#windows .on")) node.classList.remove("on");
  for (const node of article.querySelectorAll(".slopes .body")) node.remove();
  const call = calls()[state.window];
  if (!call || state.passage > call.in.length) state.passage = 0;
  near(0);
  const passage = state.passage || Number(Boolean(call) && call.in.length === 1);
  if (!passage) {
    drawSlopes();
    return;
  }
  const shown = article.querySelector(`.slopes .in li[data-passage="${passage}"]`);
  for (const item of article.querySelectorAll(`.slopes li[data-passage="${passage}"]`)) item.classList.add("on");
  const mentions = Array.from(article.querySelectorAll(`.words a[data-passage="${passage}"]`));
  for (const mention of mentions) {
    mention.classList.add("on");
    mention.parentNode.classList.add("on");
  }
  shown.append(passageBody(call.in[passage - 1], mentions));
  drawSlopes();
  if (scroll) shown.scrollIntoView({ block: "nearest" });
}

function passageBody(number, mentions) {
  const { id, title, text, length } = doc(number);
  return el("div", { class: "body" },
    el("bdi", { class: "id quiet" }, id),
    title ? el("div", { class: "title text", dir: "auto" }, el("strong", {}, title)) : null,
    text ? el("div", { class: "text", dir: "auto" }, text, length ? ` … (${count(length, "character")} in all)` : "") : null,
    mentions.length ? el("div", { class: "links" }, "Mentioned: ", mentions.map((mention, i) => [
      el("button", { type: "button", class: "more", onclick: () => { mention.scrollIntoView({ block: "center" }); mention.focus({ preventScroll: true }); } }, String(i + 1)), " "])) : el("div", { class: "links quiet" }, "The reasoning does not mention it."));
}
