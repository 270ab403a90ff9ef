// Elements. Whatever is shown goes through here as text: names and errors come from other machines, and none of it is ever read as HTML.

export const byId = (id) => document.getElementById(id);

// `attributes` without handlers and styles: the agent's Content-Security-Policy forbids both. Children: nodes, texts, or null for none.
export function el(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined && value !== false) element.setAttribute(name, value === true ? '' : value);
  element.append(...children.filter((child) => child !== null && child !== undefined));
  return element;
}

// The DOM is only touched where something changed.
export function setText(element, text) { if (element.textContent !== text) element.textContent = text; }

export function setClass(element, name) { if (element.className !== name) element.className = name; }

export function setHidden(element, isHidden) { if (element.hidden !== isHidden) element.hidden = isHidden; }

// Somebody is in it with the keyboard, or has marked some of its text.
function isInUse(element) {
  const focused = document.activeElement;
  const selection = document.getSelection();
  return (element !== focused && element.contains(focused)) || (!selection.isCollapsed && element.contains(selection.anchorNode));
}

// Where the content is made anew as a whole: done only where `value`, what it is made of, is another one, and nobody is about to use it.
export function rebuild(element, value, make) {
  const text = JSON.stringify(value);
  if (element.shownValue === text || isInUse(element)) return;
  element.shownValue = text;
  element.replaceChildren(...make().filter((child) => child !== null));
}

// "com.example.DemoService 1.0.0 blue", its parts set apart.
export function nameOf({ name, version, group }, splitName) {
  const [folder, last] = splitName(name);
  return el('span', { class: 'name mono' }, el('span', { class: 'folder' }, folder), el('wbr'), el('b', {}, last),
    version ? el('span', { class: 'tag', title: 'version' }, version) : null,
    group ? el('span', { class: 'tag', title: 'group' }, `group ${group}`) : null);
}

// A state: its shape, its colour and its word. Kinds: good, wait, warn, bad, none.
export const mark = (kind, text, title) => el('span', { class: `mark ${kind}`, title }, text);

// The rows of a list, each kept as long as its key is in the list. A row is { element, update(item) }.
export class Rows {
  constructor(parent, make) { Object.assign(this, { parent, make, rows: new Map() }); }

  // While somebody points at the list, or is in it with the keyboard, its rows stay where they are.
  isHeld() { return this.parent.matches(':hover') || this.parent.contains(document.activeElement); }

  show(items, keyOf) {
    const byKey = new Map(items.map((item) => [keyOf(item), item]));
    for (const [key, row] of this.rows) {
      if (byKey.has(key)) continue;
      row.element.remove();
      this.rows.delete(key);
    }
    const isHeld = this.isHeld();
    let place = this.parent.firstElementChild;
    for (const [key, item] of byKey) {
      const known = this.rows.get(key);
      const row = known || this.make(item);
      this.rows.set(key, row);
      row.update(item);
      if (known && isHeld) continue;
      if (row.element === place) place = place.nextElementSibling;
      else if (isHeld) this.parent.append(row.element);
      else this.parent.insertBefore(row.element, place);
    }
  }
}
