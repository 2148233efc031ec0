
"use strict";
// Every 15 seconds the page fetches itself and takes over what has changed. What stays the same stays as it is: open
// rows, the focus, marked text, the place that is read. Without this script the page works too, and has a link to refresh.
(() => {
  const every = 15000, patience = 10000;
  const now = document.getElementById("now");
  const updated = document.getElementById("updated");
  const said = document.getElementById("said");
  const clock = () => new Date().toTimeString().slice(0, 8);
  const same = (one, other) => one.nodeName === other.nodeName && (one.id || "") === (other.id || "");
  let known = clock(), tried = Date.now(), busy = false, lost = false;

  // say speaks to who cannot see: only when something is new.
  const say = (text, trouble) => {
    if (said.textContent !== text) said.textContent = text;
    said.className = trouble ? "trouble" : "unseen";
  };

  // morph makes one node what another one is. An open row stays open, whatever the server says.
  const morph = (have, want) => {
    if (have.nodeType === Node.TEXT_NODE && have.data !== want.data) have.data = want.data;
    if (have.nodeType !== Node.ELEMENT_NODE || busyForm(have)) return;
    for (const {name} of [...have.attributes]) if (name !== "open" && !want.hasAttribute(name)) have.removeAttribute(name);
    for (const {name, value} of want.attributes) if (name !== "open" && have.getAttribute(name) !== value) have.setAttribute(name, value);
    morphChildren(have, want);
    if (have.nodeName === "FORM") have.reset();
  };

  const morphChildren = (have, want) => {
    const staying = new Set([...want.children].map((child) => child.id));
    for (const child of [...have.children]) if (child.id && !staying.has(child.id)) child.remove();
    const byId = new Map([...have.children].filter((child) => child.id).map((child) => [child.id, child]));
    let at = have.firstChild;
    const drop = () => { const next = at.nextSibling; at.remove(); at = next; };
    for (const child of [...want.childNodes]) {
      const found = child.id ? byId.get(child.id) : at;
      if (child.id && found) while (at && at !== found && !at.id) drop();
      if (!found || !same(found, child)) {
        have.insertBefore(document.importNode(child, true), at);
        continue;
      }
      if (found === at) at = at.nextSibling;
      else have.insertBefore(found, at);
      morph(found, child);
    }
    while (at) drop();
  };

  // busyForm is a form in which somebody is choosing or typing: it must not change under their hands.
  const busyForm = (node) => node.nodeName === "FORM" && (node.contains(document.activeElement) || [...node.elements].some(changed));
  const changed = (field) => field.options ? [...field.options].some((option) => option.selected !== option.defaultSelected)
    : field.defaultValue !== undefined && field.value !== field.defaultValue;

  const take = (fresh) => {
    const focused = document.activeElement;
    const read = [...now.querySelectorAll("article")].find((article) => article.getBoundingClientRect().bottom > 0);
    const top = read && read.getBoundingClientRect().top;
    morph(now, fresh);
    if (!focused.isConnected) document.getElementById("count").focus({preventScroll: true});
    else if (document.activeElement !== focused) focused.focus({preventScroll: true});
    if (read && read.isConnected && window.scrollY > 0) window.scrollBy(0, read.getBoundingClientRect().top - top);
  };

  const refresh = async () => {
    if (busy) return;
    busy = true;
    tried = Date.now();
    const before = document.getElementById("count").textContent;
    try {
      const answer = await fetch(location.pathname + location.search, {cache: "no-store", signal: AbortSignal.timeout(patience)});
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("now");
      if (!fresh) throw new Error("no page of the exporter");
      take(fresh);
      known = clock();
      updated.textContent = "Updated " + known;
      const after = document.getElementById("count").textContent;
      if (lost) say("The exporter answers again. " + after, false);
      else if (before !== after) say(after, false);
      lost = false;
    } catch {
      lost = true;
      say("Cannot reach the exporter, showing what was known at " + known + ".", true);
    } finally {
      busy = false;
    }
  };

  document.getElementById("refresh").addEventListener("click", (event) => {
    event.preventDefault();
    refresh();
  });
  document.addEventListener("visibilitychange", () => {
    if (!document.hidden && Date.now() - tried >= every) refresh();
  });
  setInterval(() => { if (!document.hidden) refresh(); }, every);
})();
