"use strict";
(() => {
  // A row of `data.texts` by name; the page's maker writes them in this order (report/run/texts.py).
  const [TEXT, LABEL, SAID, NAMES, MISSED, EXTRA, SET, FATE, SOURCE, CYCLE, LESSON, SURE, REASON, RESULT, X, Y] = Array(16).keys();
  const PAGE = 15; // texts shown at first, and by every "Show more"
  const data = JSON.parse(document.getElementById("data").textContent);
  addEventListener("beforeprint", () => document.querySelectorAll("details").forEach((each) => { each.open = true; }));
  if (!data.texts) return;

  const make = (tag, text, parent, attributes = {}) => {
    const made = document.createElement(tag);
    if (text !== null) made.textContent = text; // never as HTML: every text is foreign
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (parent) parent.append(made);
    return made;
  };
  const place = (name) => {
    const found = document.querySelector(`[data-widget="${name}"]`);
    if (found) found.textContent = "";
    return found;
  };
  const told = { set: data.sets, fate: data.fates, source: data.sources, lesson: data.lessons, reason: data.reasons, label: data.names, said: data.names };
  const column = { set: SET, fate: FATE, source: SOURCE, cycle: CYCLE, lesson: LESSON, reason: REASON };

  // ---- the browser of texts
  const box = place("browser");
  const results = { right: "right", wrong: "wrong", missed: "label missed", extra: "label said wrongly", untested: "not tested" };
  const fields = {};
  let shown = [], count = 0;

  const fits = (row, wanted) => {
    if (wanted.label !== undefined && !row[{ missed: MISSED, extra: EXTRA }[wanted.result] ?? NAMES].includes(wanted.label)) return false;
    if (wanted.said !== undefined && !(row[EXTRA].includes(wanted.said) || (row[NAMES].includes(wanted.said) && !row[MISSED].includes(wanted.said) && row[RESULT] > 0))) return false;
    if (wanted.result === "right" && row[RESULT] !== 1) return false;
    if (wanted.result === "wrong" && row[RESULT] !== 2) return false;
    if (wanted.result === "untested" && row[RESULT] !== 0) return false;
    if (wanted.result === "missed" && !row[MISSED].length) return false;
    if (wanted.result === "extra" && !row[EXTRA].length) return false;
    if (wanted.sure !== undefined && !(row[SURE] >= 0 && row[SURE] <= wanted.sure)) return false;
    if (wanted.words && !row[TEXT].toLowerCase().includes(wanted.words)) return false;
    return Object.entries(column).every(([name, at]) => wanted[name] === undefined || row[at] === wanted[name]);
  };
  const wanted = () => {
    const found = { result: fields.result.value, words: fields.words.value.toLowerCase() };
    for (const name of [...Object.keys(column), "label", "said", "sure"]) if (fields[name].value !== "") found[name] = Number(fields[name].value);
    return found;
  };
  const describe = (row, parent) => {
    const small = make("small", null, parent);
    const add = (name, value, kind) => {
      if (value === "" || value === undefined) return;
      if (small.childNodes.length) small.append(" · ");
      small.append(`${name} `);
      make("b", value, small, kind ? { class: kind } : {});
    };
    add("", data.sets[row[SET]]);
    add("label", row[LABEL]);
    if (row[RESULT]) add(row[RESULT] === 2 ? "the student said" : "the student agreed", row[RESULT] === 2 ? row[SAID] : "", "wrong");
    if (row[RESULT] === 1) small.append(" · the student said so too");
    add("cycle", row[CYCLE] >= 0 ? String(row[CYCLE]) : "");
    add("source", data.sources[row[SOURCE]]);
    add("lesson", data.lessons[row[LESSON]]);
    add("teacher sure", row[SURE] >= 0 ? `${row[SURE]} %` : "");
    add("", data.fates[row[FATE]]);
    add("why", data.reasons[row[REASON]]);
  };
  const more = () => {
    for (const row of shown.slice(count, count + PAGE)) {
      const item = make("li", null, fields.list);
      make("p", row[TEXT], item);
      describe(row, item);
    }
    count = Math.min(count + PAGE, shown.length);
    fields.more.hidden = count >= shown.length;
  };
  const show = (known = true) => {
    const now = wanted();
    shown = known ? data.texts.filter((row) => fits(row, now)) : [];
    count = 0;
    fields.list.textContent = "";
    fields.count.textContent = `${shown.length.toLocaleString("en")} of ${data.texts.length.toLocaleString("en")} texts on this page`;
    more();
  };
  const field = (form, name, title, made) => {
    const label = make("label", title, form);
    made.setAttribute("aria-label", title);
    label.append(made);
    fields[name] = made;
  };
  const select = (form, name, title, options) => {
    const made = document.createElement("select");
    make("option", "any", made, { value: "" });
    for (const [value, words] of options) make("option", words.length > 60 ? `${words.slice(0, 60)}…` : words, made, { value });
    field(form, name, title, made);
  };
  const numbered = (name) => told[name].map((words, value) => [value, words]).filter(([, words]) => words !== "");
  const open = (query) => {
    fields.form.reset();
    let known = true; // none of its texts may be on this page
    for (const [name, value] of Object.entries(query)) {
      const number = told[name] ? told[name].indexOf(value) : 0;
      known &&= number >= 0;
      fields[name].value = told[name] ? String(number) : value;
    }
    show(known);
    box.scrollIntoView();
    fields.count.focus({ preventScroll: true });
  };
  if (box) {
    const form = make("form", null, box, { "aria-label": "Which texts" });
    fields.form = form;
    const cycles = [...new Set(data.texts.map((row) => row[CYCLE]))].filter((each) => each >= 0).sort((a, b) => a - b);
    select(form, "set", "Set", numbered("set"));
    select(form, "label", "Label", numbered("label"));
    select(form, "result", "Result", Object.entries(results));
    select(form, "said", "Student said", numbered("said"));
    select(form, "fate", "What became of it", numbered("fate"));
    select(form, "reason", "Why", numbered("reason"));
    select(form, "source", "Source", numbered("source"));
    select(form, "cycle", "Cycle", cycles.map((each) => [each, String(each)]));
    select(form, "lesson", "Lesson", numbered("lesson"));
    field(form, "sure", "Teacher at most so sure, %", make("input", null, null, { type: "number", min: 0, max: 100, step: 5 }));
    field(form, "words", "Words in it", make("input", null, null, { type: "search" }));
    make("button", "Show all", form, { type: "reset" });
    fields.count = make("p", "", box, { "aria-live": "polite", tabindex: "-1" });
    fields.list = make("ul", null, box, { class: "texts", "aria-label": "Texts" });
    fields.more = make("button", "Show more", box, { type: "button" });
    form.addEventListener("input", () => show());
    form.addEventListener("reset", () => setTimeout(show));
    form.addEventListener("submit", (event) => event.preventDefault());
    fields.more.addEventListener("click", more);
    show();
    for (const button of document.querySelectorAll("button[data-query]")) {
      button.disabled = false;
      button.addEventListener("click", () => open(JSON.parse(button.dataset.query)));
    }
  }

  // ---- the map
  const spot = place("map");
  if (!spot) return;
  const drawn = (tag, attributes, parent) => {
    const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    if (parent) parent.append(made);
    return made;
  };
  const placed = data.texts.filter((row) => row[X] >= 0);
  const by = {
    label: (row) => (row[NAMES].length ? data.names[row[NAMES][0]] : "none"),
    source: (row) => data.sources[row[SOURCE]] || data.sets[row[SET]],
    result: (row) => ["not tested", "right", "wrong"][row[RESULT]],
    set: (row) => data.sets[row[SET]],
    fate: (row) => data.fates[row[FATE]] || "held out",
  };
  const titles = { label: "label", source: "source", result: "right or wrong", set: "set", fate: "what became of it" };
  const form = make("form", null, spot, { "aria-label": "The map" });
  const choice = make("select", null, make("label", "Colour by", form), { "aria-label": "Colour by" });
  for (const [value, words] of Object.entries(titles)) make("option", words, choice, { value });
  const svg = drawn("svg", { viewBox: "-20 -20 1040 740", class: "map", role: "img" }, spot);
  svg.setAttribute("aria-label", `Map of ${placed.length} texts: those that mean alike lie close together. The list of texts has the same.`);
  const key = make("ul", null, spot, { class: "key", "aria-label": "Colours" });
  const said = make("ul", null, spot, { class: "texts", "aria-label": "The text that was chosen", "aria-live": "polite" });
  const dots = placed.map((row, number) => drawn("circle", { cx: row[X], cy: row[Y] * 0.7, r: 6, "data-row": number }, svg));
  const paint = () => {
    const counts = new Map();
    for (const row of placed) counts.set(by[choice.value](row), (counts.get(by[choice.value](row)) || 0) + 1);
    const names = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
    const kind = (name) => Math.min(names.indexOf(name), 7);
    placed.forEach((row, number) => dots[number].setAttribute("class", `c${kind(by[choice.value](row))}`));
    key.textContent = "";
    names.slice(0, names.length > 8 ? 7 : 8).forEach((name) => {
      const item = make("li", null, key);
      drawn("circle", { cx: 5, cy: 5, r: 5, class: `c${kind(name)}` }, drawn("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, item));
      item.append(`${name} (${counts.get(name)})`);
    });
    if (names.length > 8) {
      const item = make("li", null, key);
      drawn("circle", { cx: 5, cy: 5, r: 5, class: "c7" }, drawn("svg", { viewBox: "0 0 10 10", "aria-hidden": "true" }, item));
      item.append(`${names.length - 7} others`);
    }
  };
  svg.addEventListener("click", (event) => {
    const number = event.target.dataset.row;
    if (number === undefined) return;
    dots.forEach((each) => each.classList.remove("here"));
    dots[number].classList.add("here");
    said.textContent = "";
    const item = make("li", null, said);
    make("p", placed[number][TEXT], item);
    describe(placed[number], item);
  });
  choice.addEventListener("input", paint);
  paint();
})();
