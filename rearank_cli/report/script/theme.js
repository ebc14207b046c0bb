// Light and dark.

const themes = ["auto", "light", "dark"];
const memory = {
  get() { try { return localStorage.getItem("rearank-theme"); } catch { return null; } },
  set(theme) { try { localStorage.setItem("rearank-theme", theme); } catch { /* a page from disk may not remember */ } },
};
function theme(chosen) {
  document.documentElement.dataset.theme = chosen;
  const button = byId("theme");
  button.querySelector("span").textContent = chosen;
  button.setAttribute("aria-label", `Colours: ${chosen === "auto" ? "as the system has them" : chosen}`);
  memory.set(chosen);
}
const nextTheme = () => theme(themes[(themes.indexOf(document.documentElement.dataset.theme) + 1) % 3]);
