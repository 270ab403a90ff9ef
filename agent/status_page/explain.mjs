// The explain box: asks GET /explain, and shows the answer rule by rule.

import { byId, el, mark, rebuild } from './dom.mjs';

const linesOf = (text) => text.split('\n').map((line) => line.trim()).filter((line) => line !== '');

// The query of a form's fields; throws an Error with a sentence where an attachment is not key=value.
export function explainQuery({ interface: name, method, version, group, attachments, arguments: args }) {
  const query = new URLSearchParams({ interface: name.trim() });
  for (const [key, value] of Object.entries({ method, version, group })) if (value.trim() !== '') query.set(key, value.trim());
  for (const line of linesOf(attachments)) {
    const equals = line.indexOf('=');
    if (equals <= 0) throw new Error(`Attachments: came "${line}", expected key=value`);
    query.set(`attachment.${line.slice(0, equals).trim()}`, line.slice(equals + 1).trim());
  }
  linesOf(args).forEach((value, i) => query.set(`argument.${i}`, value));
  return query;
}

const percent = (probability) => `${(probability * 100).toFixed(1)} %`;

function ruleItem({ rule, outcome, detail, left }) {
  return el('li', {},
    el('p', { class: 'rule mono' }, rule),
    el('p', {}, el('b', {}, outcome), detail ? `: ${detail}` : ''),
    left && left.length > 0 ? el('p', { class: 'muted mono left' }, `left: ${left.join(', ')}`) : null);
}

function pathBlock(path, isOnly) {
  const { source, timeout_ms: timeout, retries } = path.policy || {};
  const policy = path.policy && [`policy of ${source}`, timeout === undefined ? null : `timeout ${timeout} ms`, retries === undefined ? null : `retries ${retries}`];
  return el('section', {},
    el('h3', {}, isOnly ? 'Rules' : `Rules, for ${percent(path.probability)} of these requests`),
    path.rules.length > 0 ? el('ol', { class: 'rules' }, ...path.rules.map(ruleItem)) : el('p', { class: 'muted' }, 'No rule concerns this request.'),
    path.refused ? el('p', {}, mark('bad', `refused by ${path.refused}`)) : null,
    path.loadbalance ? el('p', {}, `Load balance: ${path.loadbalance}`) : null,
    policy ? el('p', {}, policy.filter(Boolean).join(', ')) : null);
}

const kindOf = (state) => (/^(down|failing)/.test(state) ? 'bad' : /^readonly/.test(state) ? 'warn' : state === 'connected' ? 'good' : 'none');

function providerRow({ address, probability, weight, state, values }) {
  const share = el('meter', { min: 0, max: 1, value: probability, 'aria-label': `${percent(probability)} of the requests` });
  return el('tr', {},
    el('td', { class: 'number' }, share, ` ${percent(probability)}`),
    el('td', { class: 'mono' }, address),
    el('td', { class: 'number', 'data-title': 'weight' }, String(weight)),
    el('td', {}, mark(kindOf(state), state)),
    el('td', { class: 'values wide' }, ...values.map(({ key, value, source }) => el('div', {}, el('span', { class: 'mono' }, `${key}=${value}`), el('span', { class: 'muted' }, ` ${source}`)))));
}

function listBlock(title, texts) {
  return texts.length > 0 ? el('section', {}, el('h3', {}, title), el('ul', { class: 'mono' }, ...texts.map((text) => el('li', {}, text)))) : null;
}

function explanationBlocks(answer) {
  const providers = [...answer.providers].sort((a, b) => b.probability - a.probability);
  const facts = [answer.version && `version ${answer.version}`, answer.group && `group ${answer.group}`, `method ${answer.method || '(any)'}`, `cluster ${answer.cluster}`, answer.sticky ? 'sticky' : null];
  return [
    el('p', { class: 'facts' }, el('b', { class: 'mono' }, answer.interface), ` ${facts.filter(Boolean).join(', ')}`),
    ...answer.paths.map((path) => pathBlock(path, answer.paths.length === 1)),
    answer.more_paths ? el('p', { class: 'muted' }, 'There are more ways than are shown here.') : null,
    listBlock('Filters', answer.filters),
    listBlock('Rules that never concern this method', answer.not_for_this_method),
    el('section', {}, el('h3', {}, 'Where it would go'),
      providers.length === 0 ? el('p', {}, mark('bad', 'nowhere: no provider is left')) : el('div', { class: 'scroll' }, el('table', { class: 'providers' },
        el('thead', {}, el('tr', {}, ...['Share', 'Provider', 'Weight', 'Connection', 'Values in force'].map((title) => el('th', { scope: 'col' }, title)))),
        el('tbody', {}, ...providers.map(providerRow))))),
  ];
}

export class ExplainBox {
  constructor() {
    Object.assign(this, { form: byId('explain-form'), result: byId('explanation'), methodsOf: () => [] });
    this.form.addEventListener('submit', (event) => { event.preventDefault(); this.ask(); });
    this.form.elements.interface.addEventListener('input', () => this.offerMethods());
  }

  // From a service on the page to its explanation.
  fill({ name, version = '', group = '', method = '' }) {
    const fields = this.form.elements;
    Object.assign(fields.interface, { value: name });
    Object.assign(fields.version, { value: version });
    Object.assign(fields.group, { value: group });
    Object.assign(fields.method, { value: method });
    this.offerMethods();
    byId('explain').scrollIntoView();
    (method ? this.form.querySelector('button') : fields.method).focus({ preventScroll: true });
  }

  // What is known at the moment: names of interfaces, and the methods of one.
  offer(names, methodsOf) {
    this.methodsOf = methodsOf;
    rebuild(byId('interfaces'), names, () => names.map((name) => el('option', { value: name })));
    this.offerMethods();
  }

  offerMethods() {
    const methods = this.methodsOf(this.form.elements.interface.value.trim());
    rebuild(byId('methods'), methods, () => methods.map((method) => el('option', { value: method })));
  }

  async ask() {
    const number = this.number = (this.number || 0) + 1; // an answer to an earlier question is not shown
    const show = (...blocks) => { if (number === this.number) this.result.replaceChildren(...blocks.filter((block) => block !== null)); };
    try {
      const query = explainQuery(Object.fromEntries(new FormData(this.form)));
      show(el('p', { class: 'muted' }, 'asking the agent …'));
      const response = await fetch(`explain?${query}`, { cache: 'no-store' });
      const answer = await response.json();
      if (response.ok) show(...explanationBlocks(answer));
      else show(el('p', {}, mark('warn', answer.err_msg)));
    } catch (error) {
      show(el('p', {}, mark('bad', error instanceof TypeError ? 'The agent did not answer.' : error.message)));
    }
  }
}
