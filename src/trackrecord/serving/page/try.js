"use strict";
(() => {
  const { features, rows, threshold } = JSON.parse(document.getElementById("data").textContent);
  const at = (id) => document.getElementById(id);
  const fields = features.map((_, place) => at(`f${place}`));
  const button = document.querySelector("button[type=submit]");
  let shown = 0;

  const fill = (row) => fields.forEach((field, place) => {
    const value = row[features[place].name];
    field.value = value === null || value === undefined ? "" : String(value);
  });

  const read = (place) => {
    const text = fields[place].value, kind = features[place].kind;
    if (text.trim() === "") return null;
    if (kind === "boolean") return text === "true";
    if (kind === "string") return text;
    const number = Number(text.trim().replace(",", "."));
    if (!Number.isFinite(number)) throw new Error("is no number");
    return number;
  };

  const mark = (place, why) => {
    at(`e${place}`).textContent = why;
    if (why) fields[place].setAttribute("aria-invalid", "true");
    else fields[place].removeAttribute("aria-invalid");
  };

  // The row that the fields say; null where one of them says nothing that can be asked.
  const row = () => {
    const found = Object.create(null);
    let whole = true;
    features.forEach((feature, place) => {
      mark(place, "");
      try { found[feature.name] = read(place); } catch (error) { mark(place, error.message); whole = false; }
    });
    return whole ? found : null;
  };

  const example = () => {
    const asked = row();
    if (!asked) return;
    const body = JSON.stringify(asked).replaceAll("'", "'\\''");
    at("curl").textContent = `curl ${location.origin}/predict \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
  };

  const fail = (text) => { at("answer").hidden = true; at("failure").hidden = false; at("why").textContent = text; };

  const ask = async () => {
    const asked = row();
    if (!asked) return;
    button.disabled = true;
    const before = performance.now();
    try {
      const id = "page-" + Array.from(crypto.getRandomValues(new Uint8Array(8)), (b) => b.toString(16).padStart(2, "0")).join("");
      const response = await fetch("predict", {
        method: "POST",
        headers: { "Content-Type": "application/json", "X-Request-ID": id },
        body: JSON.stringify(asked),
      });
      const told = await response.json();
      const took = performance.now() - before;
      if (!response.ok) {
        for (const { column, why } of told.errors ?? []) {
          const place = features.findIndex((feature) => feature.name === column);
          if (place >= 0) mark(place, why);
        }
        fail(told.error);
        return;
      }
      at("failure").hidden = true;
      at("answer").hidden = false;
      at("probability").textContent = told.probability.toFixed(3);
      at("verdict").textContent = told.label ? "yes" : "no";
      at("verdict").className = told.label ? "yes" : "";
      at("fill").style.width = `${100 * told.probability}%`;
      at("mark").style.left = `${100 * threshold}%`;
      at("answer").scrollIntoView({ block: "nearest" });
      at("told").textContent = `Version ${told.version}, in ${took.toFixed(0)} ms. Request ${told.request_id}`;
    } catch (error) {
      fail(`The server did not answer: ${error.message}`);
    } finally {
      button.disabled = false;
    }
  };

  at("ask").addEventListener("submit", (event) => { event.preventDefault(); ask(); });
  at("ask").addEventListener("input", example);
  at("other").addEventListener("click", () => { shown = (shown + 1) % rows.length; fill(rows[shown]); example(); });
  at("other").hidden = rows.length < 2;
  if (rows.length) fill(rows[0]);
  example();
})();
