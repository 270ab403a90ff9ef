'use strict';
// What `skiff explain` promises comes true: requests of every kind are explained, and then really made.

const assert = require('node:assert/strict');
const { BINARY, startAgent } = require('./lib/agent');
const { chiSquare } = require('./lib/chi-square');
const { run } = require('./lib/command');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');
const { SERVICES, DOCUMENTS, ROUTES, REQUESTS } = require('./explained-requests.json');

const CALLS = 10_000;
const CONNECTIONS = 4;
const IN_FLIGHT = 32; // on each
// Of 50 true promises one looks this unlikely once in 20,000 runs of this test.
const UNLIKELY = 1e-6;
const WEIGHT_CALLS = 10_000;
const LIMIT_MS = 600_000;

scenario('An explanation', ({ stage, before, it }) => {
  const names = new Map(); // of providers, by address
  let zookeeper;
  let agent;
  let consumers;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    for (const [service, providers] of Object.entries(SERVICES)) {
      for (const { name, parameters } of providers) {
        const provider = await RawProvider.start(stage, (call) => call.value(name));
        names.set(`127.0.0.1:${provider.port}`, name);
        await zookeeper.register(service, { port: provider.port, parameters });
      }
    }
    for (const [key, lines] of Object.entries(DOCUMENTS)) await zookeeper.setDocument(key, `${lines.join('\n')}\n`);
    agent = await startAgent(stage, { registry: zookeeper.registry, workers: 1 });
    for (const [service, providers] of Object.entries(SERVICES)) await agent.subscribe({ interface: service, application: 'explaining-consumer' }, providers.length);
    for (const [name, route] of Object.entries(ROUTES)) {
      const { status, text } = await agent.send('PUT', `/routes/${name}`, JSON.stringify(route));
      assert.equal(status, 200, text);
    }
    consumers = await Promise.all(Array.from({ length: CONNECTIONS }, () => RawConsumer.connect(stage, agent.outbound)));
  });

  // How often each provider, or each error status, answers.
  async function count(request, calls) {
    const counts = new Map();
    let left = calls;
    const spec = { service: request.interface, method: request.method, attachments: request.attachments, args: request.arguments };
    await Promise.all(consumers.flatMap((consumer) => Array.from({ length: IN_FLIGHT }, async () => {
      while (left-- > 0) {
        const { status, value } = await consumer.call(spec);
        const outcome = status === 20 ? value : `status ${status}`;
        counts.set(outcome, (counts.get(outcome) || 0) + 1);
      }
    })));
    return counts;
  }

  function query({ interface: service, method, attachments = {}, arguments: args = [] }) {
    const parameters = new URLSearchParams({ interface: service, method });
    for (const [key, value] of Object.entries(attachments)) parameters.set(`attachment.${key}`, value);
    args.forEach((value, i) => parameters.set(`argument.${i}`, String(value)));
    return `/explain?${parameters}`;
  }

  function promised(explanation) {
    const promises = new Map();
    for (const { address, probability } of explanation.providers) promises.set(names.get(address), (promises.get(names.get(address)) || 0) + probability);
    for (const path of explanation.paths) if (path.refused) promises.set('status 80', (promises.get('status 80') || 0) + path.probability);
    return promises;
  }

  it(`agrees with ${CALLS} real calls, for each of ${REQUESTS.length} requests`, async () => {
    assert.equal(REQUESTS.length, 50);
    const wrong = [];
    for (const request of REQUESTS) {
      await count(request, 200); // all providers are connected to
      const { status, body, text } = await agent.get(query(request));
      assert.equal(status, 200, text);
      const promises = promised(body);
      const counts = await count(request, CALLS);
      const likelihood = chiSquare(counts, promises);
      if (likelihood < UNLIKELY) wrong.push(`${JSON.stringify(request)}: promised ${JSON.stringify([...promises])}, came ${JSON.stringify([...counts])}`);
    }
    assert.deepEqual(wrong, []);
  }, LIMIT_MS);

  it('of weighted clusters 20/80 holds within 2 points', async () => {
    const request = { interface: 'com.example.RoutedService', method: 'split' };
    const counts = await count(request, WEIGHT_CALLS);
    const canary = counts.get('routed-canary') || 0;
    assert.ok(Math.abs(canary / WEIGHT_CALLS - 0.2) <= 0.02, `${canary} of ${WEIGHT_CALLS}`);
    assert.equal([...counts.values()].reduce((sum, n) => sum + n, 0), WEIGHT_CALLS);
    assert.ok([...counts.keys()].every((name) => name.startsWith('routed-')), [...counts.keys()].join());
  });

  it('is printed by skiff explain: rules, what they leave, and where values come from', async () => {
    const { code, stdout, stderr } = await run(BINARY, ['explain', '--api', new URL(agent.url).host,
      '--interface', 'com.example.ConditionedService', '--method', 'find', '--attachment', 'env=gray', '--argument', 'x']);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /com\.example\.ConditionedService, method find, cluster failover/);
    assert.match(stdout, /condition rule com\.example\.ConditionedService::\.condition-router.*env/);
    assert.match(stdout, /narrowed; left: 127\.0\.0\.1:\d+/);
    assert.match(stdout, /100\.0 % {2}127\.0\.0\.1:\d+ {2}weight \d+, connected/);
    assert.match(stdout, /weight=300 {2}\(provider URL\)/);
    assert.match(stdout, /timeout=4321 {2}\(configurator com\.example\.ConditionedService::\.configurators/);
  });

  it('says what it does not know', async () => {
    const unknown = await agent.get('/explain?interface=com.example.Nobody&method=hi');
    assert.equal(unknown.status, 404);
    const group = await agent.get('/explain?interface=com.example.PlainService&method=hi&group=other');
    assert.equal(group.status, 404);
    assert.match(group.body.err_msg, /group 'other'.*there are: no version/);
    const wrong = await agent.get('/explain?method=hi');
    assert.equal(wrong.status, 400);
    const odd = await agent.get('/explain?interface=a&color=red');
    assert.equal(odd.status, 400);
    assert.match(odd.body.err_msg, /color/);
  });

  it('has a list of the rules behind it, and of what is wrong with them', async () => {
    const { body } = await agent.get('/rules');
    const rule = body.rules.find(({ rule: name }) => name === 'com.example.ConditionedService::.condition-router');
    assert.deepEqual(rule.interfaces, ['com.example.ConditionedService']);
    assert.equal(rule.problem, '');
    await zookeeper.setDocument('com.example.PlainService::.condition-router', 'configVersion: v3.0\nscope: service\nkey: com.example.PlainService\nconditions: ["=> address=10.9.8.7:20880"]\n');
    const port = new URL(agent.url).port;
    const checked = await eventually(async () => {
      const answer = await run(BINARY, ['check', '--rules', '--api', `127.0.0.1:${port}`]);
      return answer.code === 1 && answer;
    }, 'skiff check --rules finds something');
    assert.match(checked.stdout, /com\.example\.PlainService::\.condition-router: no known provider is at 10\.9\.8\.7:20880/);
  });
});
