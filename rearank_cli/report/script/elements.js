// Elements, and how numbers are written.

const byId = (id) => document.getElementById(id);
const data = (id) => JSON.parse(byId(id).textContent);
const index = data("index");
const several = index.files.length > 1;
const state = { query: null, file: 0, window: 0, passage: 0 };

function el(tag, properties, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "class") element.className = value;
    else if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined));
  return element;
}

// What is drawn again takes the focus of what it replaces.
function refocus(selector) {
  const element = document.querySelector(selector);
  if (element) element.focus({ preventScroll: true });
}

const signed = (value, digits = 4) => (value > 0 ? "+" : value < 0 ? "−" : "±") + Math.abs(value).toFixed(digits);
const tone = (value) => (same(value) ? "" : value > 0 ? "gain" : "loss");
const same = (value) => Math.abs(value) < 1e-9;
const count = (number, one, many) => `${number.toLocaleString("en")} ${number === 1 ? one : many || one + "s"}`;
const time = (seconds) => (seconds < 10 ? seconds.toFixed(seconds < 1 ? 3 : 1) : Math.round(seconds).toLocaleString("en")) + " s";
