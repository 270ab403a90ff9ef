// Asks the agent how it is, again and again, and shows it.

import { byId, el, rebuild, setClass, setHidden, setText } from './dom.mjs';
import { ExplainBox } from './explain.mjs';
import { clock } from './format.mjs';
import { History } from './history.mjs';
import { readTraffic } from './metrics.mjs';
import { EventsView, PublicationsView, SubscriptionsView, Tiles, TrafficView, matcher, noticesOf, showListeners, showNotices, showRegistries } from './views.mjs';

const PERIOD_MS = 2_000;
const PATIENCE_MS = 10_000;
// Where an answer takes long, the agent has rest: so many times as long as it took, up to a limit.
const REST_FACTOR = 4;
const REST_MAX_MS = 10_000;

const history = new History();
const explainBox = new ExplainBox();
const explain = (service) => explainBox.fill(service);
const tiles = new Tiles();
const traffic = new TrafficView(explain);
const publications = new PublicationsView();
const subscriptions = new SubscriptionsView(explain);
const events = new EventsView(() => show());
const filter = byId('filter');

let status; // the last answer of each
let figures = {};
let lastAnswer; // when it came
let program; // that served this page
let isPaused = false;
let isLost = false;

async function get(path) {
  const response = await fetch(path, { cache: 'no-store', signal: AbortSignal.timeout(PATIENCE_MS) });
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return response;
}

async function look() {
  const [newStatus, metrics] = await Promise.all([get('status').then((response) => response.json()), get('metrics').then((response) => response.text())]);
  const read = readTraffic(metrics);
  history.add(performance.now(), read);
  [status, figures, lastAnswer] = [newStatus, read.all, new Date()];
  program ??= `${status.version} ${status.commit}`;
}

const flagCommand = (verb, rest) => `curl -sS ${window.location.host}/${verb} -d '{"service":{"interface":"com.example.DemoService"${rest}}}'`;

function showFirstSteps({ listeners }) {
  setText(byId('empty-publish'), flagCommand('publish', ',"version":"1.0.0","port":20880,"methods":["sayHello"]'));
  setText(byId('empty-subscribe'), flagCommand('subscribe', ',"version":"1.0.0"'));
  const outbound = listeners.find(({ name }) => name === 'outbound');
  if (outbound) setText(byId('empty-outbound'), outbound.address.replace(/^(local|0\.0\.0\.0):/, '127.0.0.1:'));
}

function showHeader() {
  const { host, ready, reason, version, commit } = status;
  const where = host || window.location.host;
  document.title = `${isLost ? 'no answer' : ready ? 'ready' : 'not ready'} · ${where} · Skiff`;
  setText(byId('host'), where);
  const state = byId('state').firstElementChild;
  setClass(state, `mark ${isLost ? 'bad' : ready ? 'good' : 'bad'}`);
  setText(state, isLost ? 'no answer' : ready ? 'ready' : `not ready: ${reason}`);
  setText(byId('updated'), isPaused ? `paused at ${clock(lastAnswer)}` : `as of ${clock(lastAnswer)}`);
  setText(byId('version'), `skiff ${version} (${commit})`);
}

const PARTS = [['traffic', 'Traffic'], ['published', 'Published'], ['subscribed', 'Subscriptions'], ['registry', 'Registry'], ['explain', 'Explain'], ['events', 'Events']];

function showNav() {
  const shown = PARTS.filter(([id]) => !byId(id).hidden).map(([id, title]) => [id, title, byId(`${id}-count`)?.textContent]);
  rebuild(byId('nav'), shown, () => shown.map(([id, title, number]) => el('a', { href: `#${id}` }, title, number ? el('span', { class: 'count' }, number) : null)));
}

function show() {
  document.body.classList.toggle('lost', isLost);
  if (!status) {
    if (isLost) showNotices([['bad', 'The agent does not answer. Trying again.']]);
    return;
  }
  const notices = noticesOf(status);
  if (isLost) notices.unshift(['bad', `No answer from the agent since ${clock(lastAnswer)}: below is how it was then. Trying again.`]);
  if (program !== `${status.version} ${status.commit}`) notices.push(['wait', 'Another version of the agent runs now: reload this page.']);
  const matches = matcher(filter.value);
  showHeader();
  showNotices(notices);
  const isEmpty = status.publications.length + status.subscriptions.length + history.services.size === 0;
  setHidden(byId('empty'), !isEmpty);
  if (isEmpty) showFirstSteps(status);
  tiles.show(history, figures, isEmpty);
  traffic.show(history, matches);
  publications.show(status.publications, matches);
  subscriptions.show(status.subscriptions, history, matches);
  showRegistries(status);
  showListeners(status.listeners);
  events.show(status.events || [], matches);
  showNav();
  const names = [...new Set([...history.services.keys(), ...status.subscriptions.map((one) => one.interface)])].sort().slice(0, 1_000);
  explainBox.offer(names, (name) => [...(history.services.get(name)?.methods() || [])].map(({ method }) => method));
}

let timer;
let isLooking = false;

// Looks, and again when it is time; not while nobody sees the page.
async function keepLooking() {
  clearTimeout(timer);
  if (isLooking || isPaused || document.hidden) return;
  isLooking = true;
  const start = performance.now();
  try {
    await look();
    isLost = false;
  } catch {
    isLost = true;
  }
  isLooking = false;
  const spent = performance.now() - start;
  show();
  timer = setTimeout(keepLooking, isLost ? PERIOD_MS : Math.max(PERIOD_MS - spent, Math.min(spent * REST_FACTOR, REST_MAX_MS)));
}

document.addEventListener('visibilitychange', keepLooking);
byId('pause').addEventListener('click', ({ currentTarget }) => {
  isPaused = !isPaused;
  currentTarget.setAttribute('aria-pressed', String(isPaused));
  setText(currentTarget, isPaused ? 'Go on' : 'Pause');
  if (isPaused && status) showHeader();
  keepLooking();
});
filter.addEventListener('input', () => show());
document.addEventListener('keydown', (event) => {
  const isTyping = /^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName);
  if (event.key === '/' && !isTyping && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    filter.focus();
    filter.select();
  }
  if (event.key === 'Escape' && document.activeElement === filter) {
    filter.value = '';
    show();
  }
});
keepLooking();
