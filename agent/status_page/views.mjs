// The parts of the page, each made from what GET /status and GET /metrics say. Lists show the first rows only until asked for more.

import { Chart } from './chart.mjs';
import { Rows, byId, el, mark, nameOf, rebuild, setHidden, setText } from './dom.mjs';
import { NOTHING, clock, count, plural, rate, seconds, share, splitName } from './format.mjs';

const SHOWN_FIRST = 25;
const SHOWN_MAX = 500;
const PROVIDERS_SHOWN = 100;
const OPEN_AT_FIRST = 5; // so few subscriptions show their providers without being asked

// Where the words of a search are all in one of the texts.
export function matcher(words) {
  const wanted = words.toLowerCase().split(/\s+/).filter((word) => word !== '');
  if (wanted.length === 0) return () => true;
  return (...texts) => {
    const all = texts.join(' ').toLowerCase();
    return wanted.every((word) => all.includes(word));
  };
}

const serviceName = (entry) => nameOf({ name: entry.interface, version: entry.version, group: entry.group }, splitName);
const keyOf = (...parts) => JSON.stringify(parts);

// A list with a heading that counts, and a button that shows more.
class Section {
  constructor(id, make, { keyOfItem }) {
    Object.assign(this, { section: byId(id), more: byId(`${id}-more`), counter: byId(`${id}-count`), keyOfItem, limit: SHOWN_FIRST });
    this.rows = new Rows(byId(`${id}-rows`), make);
    this.button = el('button', { type: 'button' });
    this.button.addEventListener('click', () => { this.limit = this.limit === SHOWN_FIRST ? SHOWN_MAX : SHOWN_FIRST; this.show(this.items, this.total); });
    this.note = el('span', { class: 'muted' });
    this.more.append(this.button, ' ', this.note);
  }

  // `items`: those that fit the search, in their order; `total`: of how many.
  show(items, total) {
    Object.assign(this, { items, total });
    setHidden(this.section, total === 0);
    setText(this.counter, items.length === total ? count(total) : `${count(items.length)} of ${count(total)}`);
    this.rows.show(items.slice(0, this.limit), this.keyOfItem);
    const isCut = items.length > SHOWN_FIRST;
    setHidden(this.more, !isCut && items.length > 0);
    setHidden(this.button, !isCut);
    setText(this.button, this.limit === SHOWN_FIRST ? `Show ${items.length > SHOWN_MAX ? `the first ${SHOWN_MAX}` : `all ${count(items.length)}`}` : `Show the first ${SHOWN_FIRST} only`);
    const isBeyond = this.limit === SHOWN_MAX && items.length > SHOWN_MAX;
    setText(this.note, items.length === 0 ? 'Nothing here fits the search.' : isBeyond ? `${count(items.length - SHOWN_MAX)} more: search for them.` : '');
  }
}

// --- traffic

class TrafficRow {
  constructor({ name }, explain) {
    this.charts = {
      rate: new Chart('requests per second, last two minutes', ['rate'], { area: true }),
      failed: new Chart('share of failed requests, last two minutes', ['failed'], { area: true }),
      latency: new Chart('latency p50 and p99, last two minutes', ['p99', 'p50']),
    };
    this.cells = Object.fromEntries(['rate', 'failed', 'p50', 'p99', 'total'].map((key) => [key, el('span', { class: `number ${key}` })]));
    this.button = el('button', { type: 'button', class: 'open', 'aria-expanded': 'false' }, serviceName({ interface: name }));
    this.button.addEventListener('click', () => this.toggle());
    this.methods = el('div', { class: 'methods', hidden: true });
    this.explain = explain;
    this.element = el('tr', {},
      el('th', { scope: 'row' }, this.button, this.methods),
      el('td', { 'data-title': 'requests/s' }, this.cells.rate, this.charts.rate.element),
      el('td', { 'data-title': 'failed' }, this.cells.failed, this.charts.failed.element),
      el('td', { class: 'latency', 'data-title': 'p50 / p99' }, el('span', { class: 'two' }, this.cells.p50, this.cells.p99), this.charts.latency.element),
      el('td', { class: 'total', 'data-title': 'requests' }, this.cells.total));
  }

  toggle() {
    this.methods.hidden = !this.methods.hidden;
    this.button.setAttribute('aria-expanded', String(!this.methods.hidden));
    if (this.item) this.update(this.item);
  }

  update(item) {
    this.item = item;
    const { series, now, times } = item;
    setText(this.cells.rate, rate(now.rate));
    setText(this.cells.failed, share(now.failed));
    this.cells.failed.classList.toggle('bad', now.failed > 0);
    setText(this.cells.p50, seconds(now.p50));
    setText(this.cells.p99, seconds(now.p99));
    setText(this.cells.total, count(now.requests));
    this.charts.rate.update([series.rate], times, 1);
    this.charts.failed.update([series.failed], times, 0.05);
    this.charts.latency.update([series.p99, series.p50], times, 0.0001);
    if (!this.methods.hidden) this.showMethods();
  }

  showMethods() {
    const methods = this.item.series.methods().slice(0, PROVIDERS_SHOWN);
    rebuild(this.methods, methods, () => [el('table', {},
      el('thead', {}, el('tr', {}, ...['Method', 'Requests/s', 'Failed', 'Requests', ''].map((title) => el('th', { scope: 'col' }, title)))),
      el('tbody', {}, ...methods.map((one) => this.methodRow(one))))]);
  }

  methodRow({ method, rate: perSecond, failed, requests }) {
    const button = el('button', { type: 'button', class: 'link', 'data-method': method }, 'explain');
    button.addEventListener('click', () => this.explain({ name: this.item.name, method }));
    return el('tr', {}, el('td', { class: 'mono' }, method || '(none)'), el('td', { class: 'number' }, rate(perSecond)),
      el('td', { class: `number ${failed > 0 ? 'bad' : ''}` }, share(failed)), el('td', { class: 'number' }, count(requests)), el('td', {}, button));
  }
}

export class TrafficView {
  constructor(explain) {
    this.section = new Section('traffic', (item) => new TrafficRow(item, explain), { keyOfItem: ({ name }) => name });
    this.table = byId('traffic').querySelector('table');
  }

  show(history, matches) {
    const items = [...history.services].map(([name, series]) => ({ name, series, now: series.now(), times: history.times }));
    items.sort((a, b) => (b.now.rate ?? -1) - (a.now.rate ?? -1) || b.now.requests - a.now.requests || (a.name < b.name ? -1 : 1));
    const isMeasured = items.some(({ series }) => series.p99.some((value) => value !== null));
    this.table.classList.toggle('unmeasured', !isMeasured);
    this.section.show(items.filter(({ name }) => matches(name)), items.length);
  }
}

// --- tiles

class Tile {
  constructor(title, kinds, label, options) {
    this.value = el('span', { class: 'value' });
    this.detail = el('span', { class: 'detail muted' });
    this.chart = new Chart(label, kinds, options);
    this.element = el('div', { class: 'tile' }, el('h2', {}, title), el('p', {}, this.value, ' ', this.detail), this.chart.element);
  }

  update(value, detail, series, times, least, isBad = false) {
    setText(this.value, value);
    setText(this.detail, detail);
    this.value.classList.toggle('bad', isBad);
    this.chart.update(series, times, least);
  }
}

export class Tiles {
  constructor() {
    this.outbound = new Tile('Requests/s', ['rate'], 'requests per second of all services', { area: true });
    this.failed = new Tile('Failed', ['failed'], 'share of failed requests of all services', { area: true });
    this.latency = new Tile('Latency p99', ['p99', 'p50'], 'latency p99 and p50 of all services');
    this.inFlight = new Tile('In flight', ['rate'], 'requests without an answer yet', { area: true });
    this.inbound = new Tile('Inbound requests/s', ['rate'], 'requests per second to the providers of this machine', { area: true });
    byId('tiles').append(...[this.outbound, this.failed, this.latency, this.inFlight, this.inbound].map((tile) => tile.element));
  }

  show({ all, inbound, inFlight, times }, figures, isEmpty) {
    setHidden(byId('tiles'), isEmpty);
    const now = all.now();
    const into = inbound.now();
    this.outbound.update(rate(now.rate), `from ${plural(figures.consumers ?? 0, 'connection')}`, [all.rate], times, 1);
    this.failed.update(share(now.failed), 'of the latest requests', [all.failed], times, 0.05, now.failed > 0);
    setHidden(this.latency.element, all.p99.every((value) => value === null));
    this.latency.update(seconds(now.p99), `p50 ${seconds(now.p50)}`, [all.p99, all.p50], times, 0.0001);
    this.inFlight.update(count(figures.outboundInFlight ?? 0), `on ${plural(figures.upstreams ?? 0, 'connection')} to providers`, [inFlight], times, 4);
    this.inbound.update(rate(into.rate), `${share(into.failed)} failed, ${count(figures.inboundInFlight ?? 0)} in flight`, [inbound.rate], times, 1, into.failed > 0);
  }
}

// --- what is published

// An entry that opens: a line that always says how it is, and what is below it.
class Entry {
  constructor() {
    this.summary = el('summary');
    this.body = el('div', { class: 'body' });
    this.element = el('details', {}, this.summary, this.body);
    this.element.addEventListener('toggle', () => { if (this.element.open && this.item) this.showBody(this.item); });
  }

  update(item) {
    this.item = item;
    this.showLine(item);
    if (this.element.open) this.showBody(item);
  }

  // `note`: what of it people must see without opening it.
  line(item, parts, note) {
    rebuild(this.summary, [item.interface, item.version, item.group, parts, note], () => [serviceName(item), ...parts.map(([kind, text]) => mark(kind, text)),
      note === '' ? null : el('span', { class: 'note' }, note)]);
  }
}

const facts = (pairs) => el('dl', {}, ...pairs.filter(([, value]) => value !== undefined && value !== '').flatMap(([term, value]) => [el('dt', {}, term), el('dd', { class: 'mono' }, String(value))]));

const HEALTH = { up: 'good', down: 'bad', starting: 'wait', recovering: 'warn', unchecked: 'none' };
const STATES = { registered: 'good', pending: 'warn', stopping: 'wait', drained: 'wait' };

class PublicationEntry extends Entry {
  showLine(item) {
    const error = item.last_error && item.health !== 'up' && !item.reason.includes(item.last_error) ? item.last_error : '';
    this.line(item, [['plain', `port ${item.port}`], [HEALTH[item.health] || 'none', item.health], [STATES[item.state] || 'none', item.state]],
      [item.reason, error].filter(Boolean).join('; '));
  }

  showBody(item) {
    rebuild(this.body, item, () => [facts([['registry', item.registry], ['last error', item.last_error || 'none'], ['warm-up', item.warming_up], ['lease', item.lease], ['in the registry as', item.url]])]);
  }
}

const URGENCY = { down: 0, recovering: 1, starting: 2, up: 4, unchecked: 4 };
const urgency = ({ health, state }) => Math.min(URGENCY[health] ?? 3, state === 'registered' ? 4 : 3);

export class PublicationsView {
  constructor() { this.section = new Section('published', () => new PublicationEntry(), { keyOfItem: (one) => keyOf(one.interface, one.group, one.version, one.port, one.registry) }); }

  show(publications, matches) {
    const items = publications.filter((one) => matches(one.interface, one.version, one.group, one.port, one.state, one.health, one.reason, one.last_error));
    items.sort((a, b) => urgency(a) - urgency(b)); // stable: else as the agent has them
    this.section.show(items, publications.length);
  }
}

// --- subscriptions

const kindOfConnection = (connection) => {
  if (/^(down|failing)/.test(connection)) return 'bad';
  if (connection === 'readonly') return 'warn';
  if (connection === 'connecting') return 'wait';
  return connection === 'connected' ? 'good' : 'none';
};

// "3 connected, 1 down"
function connections(endpoints) {
  const counts = new Map();
  for (const { connection } of endpoints) {
    const word = connection.split(':')[0];
    counts.set(word, (counts.get(word) || 0) + 1);
  }
  return [...counts].map(([word, number]) => `${number} ${word}`).join(', ');
}

const factCell = (title, text) => el('td', { 'data-title': title, class: text ? undefined : 'absent' }, text || NOTHING);

class SubscriptionEntry extends Entry {
  constructor(item, isOpen, explain) {
    super();
    this.explain = explain;
    this.element.open = isOpen;
  }

  showLine(item) {
    const { endpoints } = item;
    const bad = endpoints.filter(({ connection }) => kindOfConnection(connection) === 'bad').length;
    const held = endpoints.filter((one) => one.held).length;
    const kind = item.providers === 0 || (bad > 0 && bad === endpoints.length) ? 'bad' : bad > 0 ? 'warn' : 'good';
    this.line(item, [
      item.on_demand ? ['plain', 'on demand'] : null,
      item.stale ? ['warn', 'stale list'] : null,
      held > 0 ? ['warn', `${held} held`] : null,
      item.state === 'pending' ? ['warn', 'pending'] : [kind, plural(item.providers, 'provider') + (endpoints.length > 0 ? `: ${connections(endpoints)}` : '')],
    ].filter(Boolean), item.reason);
  }

  showBody(item) {
    const endpoints = item.endpoints.slice(0, PROVIDERS_SHOWN);
    rebuild(this.body, item, () => [
      endpoints.length === 0 ? el('p', { class: 'muted' }, 'No provider is known.') : el('div', { class: 'scroll' }, el('table', { class: 'providers' },
        el('thead', {}, el('tr', {}, ...['Provider', 'Connection', 'Weight', 'Tag', 'Application', 'Group, version'].map((title) => el('th', { scope: 'col' }, title)))),
        el('tbody', {}, ...endpoints.map((one) => el('tr', {},
          el('td', { class: 'mono', title: one.url }, one.address),
          el('td', {}, mark(kindOfConnection(one.connection), one.connection), one.held ? mark('warn', 'held: no registry lists it') : null),
          el('td', { class: 'number', 'data-title': 'weight' }, String(one.weight)),
          factCell('tag', one.tag), factCell('application', one.application), factCell('of', [one.group, one.version].filter(Boolean).join(', '))))))),
      item.providers > endpoints.length ? el('p', { class: 'muted' }, `and ${count(item.providers - endpoints.length)} more`) : null,
      this.explainLink(item),
    ]);
  }

  explainLink({ interface: name, version, group }) {
    const only = (text) => (/[*,]/.test(text) ? '' : text); // a subscription may mean several
    const button = el('button', { type: 'button', class: 'link' }, 'Explain a request to it');
    button.addEventListener('click', () => this.explain({ name, version: only(version), group: only(group) }));
    return el('p', {}, button);
  }
}

export class SubscriptionsView {
  constructor(explain) {
    this.isFew = false;
    this.section = new Section('subscribed', (item) => new SubscriptionEntry(item, this.isFew && item.endpoints.length <= 2 * OPEN_AT_FIRST, explain),
      { keyOfItem: (one) => keyOf(one.interface, one.group, one.version, one.registry, one.on_demand) });
  }

  // Those with trouble first, then the busiest.
  show(subscriptions, history, matches) {
    this.isFew = subscriptions.length <= OPEN_AT_FIRST;
    const texts = (one) => [one.interface, one.version, one.group, one.state, one.reason, one.stale ? 'stale' : '', ...one.endpoints.flatMap(({ address, connection, tag, application, held }) => [address, connection, tag, application, held ? 'held' : ''])];
    const hasTrouble = (one) => one.state === 'pending' || one.stale || one.providers === 0 || one.endpoints.some(({ connection, held }) => held || kindOfConnection(connection) === 'bad');
    const requests = (one) => history.services.get(one.interface)?.now().requests ?? 0;
    const items = subscriptions.filter((one) => matches(...texts(one))).map((one) => ({ one, trouble: hasTrouble(one) ? 1 : 0, requests: requests(one) }));
    items.sort((a, b) => b.trouble - a.trouble || b.requests - a.requests);
    this.section.show(items.map(({ one }) => one), subscriptions.length);
  }
}

// --- registry, listeners, notices

export function showRegistries({ registries, lists }) {
  setHidden(byId('registry'), false);
  const { frozen, waiting, stale, held_providers: held } = lists || {};
  rebuild(byId('registry-rows'), [registries, lists], () => [
    ...registries.map((one) => el('div', { class: 'registry' },
      el('p', {}, el('b', { class: 'mono' }, one.name), ' ', mark(one.connected ? 'good' : 'bad', one.connected ? 'connected' : 'not connected')),
      one.detail && !one.connected ? el('p', { class: 'note' }, one.detail) : null,
      one.advertised ? el('p', {}, el('span', { class: 'muted' }, 'advertised as '), el('span', { class: 'mono' }, one.advertised),
        one.advertised_reason ? el('span', { class: 'muted' }, ` (${one.advertised_reason})`) : null) : null)),
    lists ? el('p', { class: 'lists' }, mark(frozen ? 'warn' : 'good', frozen ? `lists are frozen, ${plural(waiting, 'change')} waiting` : 'lists follow the registry'),
      stale > 0 ? mark('warn', plural(stale, 'stale list')) : null, held > 0 ? mark('warn', plural(held, 'held provider')) : null) : null,
  ]);
}

const PURPOSES = { outbound: 'local consumers', inbound: 'other agents and consumers', api: 'HTTP API and this page' };

export function showListeners(listeners) {
  setHidden(byId('listeners'), false);
  rebuild(byId('listener-rows'), listeners, () => listeners.flatMap(({ name, address }) => [
    el('dt', {}, name), el('dd', {}, el('span', { class: 'mono' }, address), el('span', { class: 'muted' }, ` ${PURPOSES[name] || ''}`))]));
}

// What needs a look, as [kind, text].
export function noticesOf({ ready, reason, drained, registries, lists, publications, state }) {
  const notices = [];
  if (drained) notices.push(['warn', 'This machine is drained: nothing that is published here is registered until skiff undrain.']);
  else if (!ready) notices.push(['bad', `Not ready: ${reason}`]);
  for (const { name, connected, detail } of registries) if (!connected) notices.push(['bad', `Registry ${name} is not connected${detail ? `: ${detail}` : ''}. The last known providers stay in use.`]);
  if (lists?.frozen) notices.push(['warn', `Lists of providers are frozen, ${plural(lists.waiting, 'change')} waiting; POST /unfreeze ends it.`]);
  if (lists?.stale > 0) notices.push(['warn', `${plural(lists.stale, 'service')} without any listed provider: the last list stays in use.`]);
  if (lists?.held_providers > 0) notices.push(['warn', `${plural(lists.held_providers, 'provider')} in use that no registry lists any more.`]);
  const down = publications.filter(({ health }) => health === 'down').length;
  const pending = publications.filter((one) => one.state === 'pending' && one.health !== 'down').length;
  if (down > 0) notices.push(['bad', `${plural(down, 'published service')} down: not in the registry until the provider is healthy.`]);
  if (pending > 0) notices.push(['warn', `${plural(pending, 'published service')} not in the registry yet.`]);
  if (state?.problem) notices.push(['warn', `State is not stored: ${state.problem}`]);
  return notices;
}

export function showNotices(notices) {
  rebuild(byId('notices'), notices, () => notices.map(([kind, text]) => el('li', { class: `notice ${kind}` }, mark(kind, text))));
}

// --- events

const LEVELS = { info: 'none', warning: 'warn', error: 'bad', critical: 'bad' };

export class EventsView {
  constructor(onChange) {
    const serious = byId('events-serious');
    this.isSerious = false;
    serious.addEventListener('click', () => {
      this.isSerious = !this.isSerious;
      serious.setAttribute('aria-pressed', String(this.isSerious));
      onChange();
    });
  }

  // The newest first.
  show(events, matches) {
    setHidden(byId('events'), events.length === 0);
    const items = events.filter(({ level, text }) => (!this.isSerious || level !== 'info') && matches(text, level)).reverse();
    setText(byId('events-count'), items.length === events.length ? count(events.length) : `${count(items.length)} of ${count(events.length)}`);
    setText(byId('events-more'), items.length === 0 ? 'None of these.' : '');
    rebuild(byId('event-rows'), items, () => items.map(({ time, level, text }) => el('li', {},
      el('time', { datetime: time, title: time, class: 'number' }, clock(new Date(time))), mark(LEVELS[level] || 'none', level), el('span', { class: 'text' }, text))));
  }
}
