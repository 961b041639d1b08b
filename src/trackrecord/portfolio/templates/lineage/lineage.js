"use strict";
(() => {
  const map = document.querySelector(".map");
  const panel = map.querySelector(".panel");
  const every = [...map.querySelectorAll(".n, .e, circle")];
  const nodes = [...map.querySelectorAll(".n")];
  const up = new Map(), down = new Map();
  const put = (ways, a, b) => ways.set(a, (ways.get(a) || new Set()).add(b));
  for (const edge of map.querySelectorAll(".graph .e")) {
    put(up, edge.dataset.b, edge.dataset.a);
    put(down, edge.dataset.a, edge.dataset.b);
  }
  const reach = (start, ways) => {
    const seen = new Set(), left = [start];
    while (left.length) {
      for (const next of ways.get(left.pop()) || []) {
        if (!seen.has(next)) { seen.add(next); left.push(next); }
      }
    }
    return seen;
  };
  const shownNodes = () => nodes.filter(node => node.getClientRects().length);
  const drawn = number => shownNodes().find(node => node.dataset.n === number);
  let chosen = null;

  const clear = () => {
    chosen = null;
    map.classList.remove("chosen");
    panel.hidden = true;
    for (const part of every) part.classList.remove("on", "up", "down");
  };
  const choose = (number, move) => {
    clear();
    chosen = number;
    const above = reach(number, up), below = reach(number, down);
    const within = (set, name) => name === number || set.has(name);
    for (const part of every) {
      const { n, a, b } = part.dataset;
      if (n !== undefined) {
        part.classList.toggle("on", n === number);
        part.classList.toggle("up", above.has(n));
        part.classList.toggle("down", below.has(n));
      } else if (a !== undefined) {
        part.classList.toggle("up", within(above, a) && within(above, b));
        part.classList.toggle("down", within(below, a) && within(below, b));
      }
    }
    map.classList.add("chosen");
    const said = document.getElementById("n" + number).cloneNode(true);
    said.removeAttribute("id");
    panel.lastElementChild.replaceChildren(said);
    panel.hidden = false;
    panel.scrollTop = 0;
    const node = drawn(number);
    if (move && node) {
      node.focus({ preventScroll: true });
      node.scrollIntoView({ block: "center", inline: "center" });
    }
  };
  map.addEventListener("click", event => {
    const link = event.target.closest("[data-n]");
    if (link) {
      event.preventDefault();
      choose(link.dataset.n, link.closest(".panel") !== null);
    } else if (event.target.closest(".panel button") || !event.target.closest(".panel, .tools")) {
      clear();
    }
  });
  const middle = node => {
    const box = node.getBoundingClientRect();
    return [box.left + box.width / 2, box.top + box.height / 2];
  };
  const beside = (key, number) => {
    const [x, y] = middle(drawn(number));
    const ways = { ArrowLeft: up, ArrowRight: down }[key];
    const near = ways ? shownNodes().filter(node => (ways.get(number) || new Set()).has(node.dataset.n))
      : shownNodes().filter(node => {
        const [a, b] = middle(node);
        return Math.abs(a - x) < 100 && (key === "ArrowUp" ? b < y - 1 : b > y + 1);
      });
    const far = node => Math.abs(middle(node)[1] - y);
    return near.sort((a, b) => far(a) - far(b))[0];
  };
  document.addEventListener("keydown", event => {
    if (event.key === "Escape") { clear(); return; }
    if (!event.key.startsWith("Arrow") || event.target.matches("input")) return;
    const at = event.target.closest && event.target.closest(".map .n");
    const number = at ? at.dataset.n : chosen;
    if (number === null || !drawn(number)) return;
    event.preventDefault();
    const next = beside(event.key, number);
    if (next) choose(next.dataset.n, true);
  });
  const find = document.getElementById("find");
  find.addEventListener("input", () => {
    const wanted = find.value.trim().toLowerCase();
    const name = node => node.querySelector("title, span").textContent.toLowerCase();
    const found = wanted && (shownNodes().find(node => name(node) === wanted)
      || (wanted.length > 2 && shownNodes().find(node => name(node).includes(wanted))));
    if (!found) return;
    choose(found.dataset.n, false);
    found.scrollIntoView({ block: "center", inline: "center" });
  });
  map.querySelector(".tools").hidden = false;
  if (document.body.dataset.focus !== undefined) choose(document.body.dataset.focus, true);
})();
