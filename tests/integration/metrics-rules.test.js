'use strict';
// What operators load into Prometheus and Grafana fits the metrics that the agent has, and Prometheus takes all of it.

const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');

const ROOT = path.join(__dirname, '../..');
const ALERTS = 'packaging/prometheus/skiff-alerts.yml';
const ALERTS_TEST = 'tests/packaging/skiff-alerts.test.yml';
const read = (file) => fs.readFileSync(path.join(ROOT, file), 'utf8');

// promtool prints what it finds wrong, and ends with 3 where that is a matter of style.
function promtool(args, input = '') {
  return new Promise((resolve) => {
    const child = execFile('promtool', args, { cwd: ROOT, timeout: 60_000 }, (error, stdout, stderr) => {
      resolve({ code: error ? error.code ?? -1 : 0, output: stdout + stderr });
    });
    child.stdin.on('error', () => {}); // it may end before it has read all
    child.stdin.end(input);
  });
}

// The first cells of the tables: | `skiff_ready` | ...
const declared = new Set([...read('docs/metrics.md').matchAll(/^\| `(\w+)` \|/gm)].map(([, name]) => name));

// Prometheus makes it itself.
const OF_PROMETHEUS = new Set(['up', 'ALERTS']);
// Words of PromQL that may stand where a metric may.
const WORDS = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right', 'and', 'or', 'unless', 'bool', 'offset', 'Inf', 'NaN']);

// The metrics that an expression reads: what is left without strings, label lists and matchers, ranges, functions, and numbers.
function metricsOf(expression) {
  const bare = expression
    .replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, ' ')
    .replace(/\{[^}]*\}/g, ' ')
    .replace(/\[[^\]]*\]/g, ' ');
  return [...bare.matchAll(/(?<![\w:.])([a-zA-Z_:][\w:]*)(?!\s*\(|[\w:])/g)].map(([, name]) => name).filter((name) => !WORDS.has(name));
}

// alert, record, expr and annotations as they stand in the file, each on a line of its own.
const field = (name) => [...read(ALERTS).matchAll(new RegExp(`^ +(?:- )?${name}: (.*)$`, 'gm'))].map(([, value]) => value);
const alerts = field('alert');
const recorded = new Set(field('record'));

function assertDeclared(expression, where) {
  const names = metricsOf(expression);
  assert.ok(names.length > 0, `${where} reads a metric: ${expression}`);
  for (const name of names) {
    const family = name.replace(/_(bucket|sum|count)$/, '');
    const isKnown = [name, family].some((one) => declared.has(one) || recorded.has(one) || OF_PROMETHEUS.has(one));
    assert.ok(isKnown, `${where} reads ${name}, which docs/metrics.md does not have`);
  }
}

// GitHub's anchors of the headings of a page.
const anchorsOf = (page) => new Set([...read(page).matchAll(/^#+ (.*)$/gm)]
  .map(([, title]) => title.toLowerCase().replace(/[^\w\- ]/g, '').replace(/ /g, '-')));

scenario('What Prometheus reads of an agent', ({ stage, it }) => {
  it('has nothing that promtool complains about', async () => {
    const agent = await startAgent(stage);
    const provider = await RawProvider.start(stage);
    await agent.publish({ interface: 'com.example.Some', port: provider.port });
    await agent.subscribe({ interface: 'com.example.Some' });
    const { text } = await agent.get('/metrics');
    assert.deepEqual(await promtool(['check', 'metrics'], text), { code: 0, output: '' });
  });
});

scenario('The alerts', ({ it }) => {
  it('are taken by Prometheus', async () => {
    const { code, output } = await promtool(['check', 'rules', '--lint-fatal', ALERTS]);
    assert.equal(code, 0, output);
    assert.match(output, new RegExp(`SUCCESS: ${alerts.length + recorded.size} rules found`));
  });

  it('fire when they are to, and not else', async () => {
    const { code, output } = await promtool(['test', 'rules', ALERTS_TEST]);
    assert.equal(code, 0, output);
  });

  it('have different names, and a test each', () => {
    assert.equal(new Set(alerts).size, alerts.length);
    for (const alert of alerts) assert.ok(read(ALERTS_TEST).includes(`"${alert}"`), `${ALERTS_TEST} has no ${alert}`);
  });

  it('read metrics that there are', () => {
    const expressions = field('expr');
    assert.equal(expressions.length, alerts.length + recorded.size);
    for (const expression of expressions) assertDeclared(expression, ALERTS);
  });

  it('say what is wrong, what to do, how bad it is, and where to read on', () => {
    for (const name of ['summary', 'description', 'runbook']) assert.equal(field(name).length, alerts.length, name);
    for (const labels of field('labels')) assert.match(labels, /^\{severity: (critical|warning)\}$/);
    assert.equal(field('labels').length, alerts.length);
    const anchors = anchorsOf('docs/operations.md');
    field('runbook').forEach((runbook, i) => {
      assert.equal(runbook, `docs/operations.md#${alerts[i].toLowerCase()}`);
      assert.ok(anchors.has(alerts[i].toLowerCase()), `docs/operations.md has no heading ${alerts[i]}`);
    });
  });
});

scenario('The dashboard', ({ stage, it }) => {
  const dashboard = JSON.parse(read('packaging/grafana/skiff.json'));
  const panels = dashboard.panels.flatMap((panel) => [panel, ...(panel.panels || [])]);
  const drawn = panels.filter((panel) => panel.type !== 'row');

  it('lets its reader choose the data source', () => {
    const variable = dashboard.templating.list.find((one) => one.type === 'datasource');
    assert.equal(variable.query, 'prometheus');
    for (const panel of drawn) assert.equal(panel.datasource.uid, `\${${variable.name}}`, panel.title);
  });

  it('has panels with an id and a place of their own, a title, a unit and a description', () => {
    assert.equal(new Set(panels.map((panel) => panel.id)).size, panels.length);
    assert.equal(new Set(panels.map(({ gridPos: { x, y } }) => `${x} ${y}`)).size, panels.length);
    for (const panel of panels) assert.ok(panel.title, `panel ${panel.id}`);
    for (const panel of drawn) {
      assert.ok(panel.fieldConfig.defaults.unit, `${panel.title} has a unit`);
      assert.ok(panel.description, `${panel.title} has a description`);
      assert.ok(panel.targets.length > 0, `${panel.title} has expressions`);
    }
  });

  it('reads metrics that there are', () => {
    for (const panel of drawn) for (const target of panel.targets) assertDeclared(target.expr, panel.title);
    for (const { expr, name } of dashboard.annotations.list) assertDeclared(expr, name);
    for (const variable of dashboard.templating.list.filter((one) => one.type === 'query')) {
      const [, metric] = /^label_values\((\w+)/.exec(variable.query.query);
      assert.ok(declared.has(metric), metric);
    }
  });

  it('has expressions that Prometheus takes', async () => {
    // As Grafana fills them in.
    const expressions = drawn.flatMap((panel) => panel.targets.map((target) => target.expr
      .replace(/\$__rate_interval/g, '1m').replace(/\$(job|instance|interface)\b/g, '.*')));
    const rules = { groups: [{ name: 'panels', rules: expressions.map((expr, i) => ({ record: `panel:${i}`, expr })) }] };
    const file = path.join(stage.folder(), 'panels.yml');
    fs.writeFileSync(file, JSON.stringify(rules)); // JSON is YAML
    const { code, output } = await promtool(['check', 'rules', file]);
    assert.equal(code, 0, output);
  });
});
