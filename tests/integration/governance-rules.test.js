'use strict';
// Rules that are written into ZooKeeper while calls run: each change is seen in the answers, and no call fails by it.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SERVICE = 'com.example.GovernedService';
const DOCUMENT = `${SERVICE}::`;
const APPLICATION = 'governed-provider';
const NAMES = ['red', 'green', 'blue'];
const LOOK = 300; // calls that are enough to see everybody who gets any

const conditions = (lines, more = '') => `configVersion: v3.0\nscope: service\nkey: ${SERVICE}\nforce: true\nruntime: true\nenabled: true\n${more}conditions:\n${lines.map((line) => `  - "${line}"\n`).join('')}`;

scenario('Rules in the registry', ({ stage, before, it }) => {
  const providers = {};
  let zookeeper;
  let agent;
  let load;
  let spec = { service: SERVICE, method: 'whoami' };

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    for (const name of NAMES) {
      providers[name] = await RawProvider.start(stage, (call) => call.value(call.method === 'timeout' ? call.attachments.timeout ?? 'none' : name));
      await zookeeper.register(SERVICE, {
        port: providers[name].port,
        parameters: { application: APPLICATION, color: name, ...(name === 'blue' ? { 'dubbo.tag': 'experimental' } : {}) },
      });
    }
    agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.subscribe({ interface: SERVICE, application: 'governed-consumer' }, NAMES.length);
    load = await Load.start(stage, agent.outbound, () => spec);
  });

  // The calls go to these and to nobody else, each of them, after what was in flight is answered.
  const goTo = (...names) => eventually(async () => {
    load.takeValues();
    await load.more(LOOK);
    return [...load.takeValues().keys()].sort().join() === [...names].sort().join();
  }, `calls go to ${names.join(', ')}`);

  const noneFailed = () => assert.deepEqual(load.failures, []);

  it('without any, keep calls without a tag from tagged providers', async () => {
    await goTo('red', 'green');
    noneFailed();
  });

  it('as a condition router, take effect as they are written, changed and deleted', async () => {
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=whoami => color=red']));
    await goTo('red');
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=whoami => color=green']));
    await goTo('green');
    await zookeeper.removeDocument(`${DOCUMENT}.condition-router`);
    await goTo('red', 'green');
    noneFailed();
  });

  it('that name a provider by the port it really listens on, match it', async () => {
    const far = await startAgent(stage, { name: 'far-agent', registry: zookeeper.registry });
    const behind = await RawProvider.start(stage, (call) => call.value('behind'));
    await far.publish({ interface: SERVICE, port: behind.port, methods: ['whoami'], parameters: { warmup: '1' }, application: APPLICATION });
    await agent.knowsProviders(SERVICE, NAMES.length + 1);
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions([`=> address=127.0.0.1:${behind.port}`]));
    await goTo('behind');
    await zookeeper.removeDocument(`${DOCUMENT}.condition-router`);
    await far.unpublish({ interface: SERVICE, port: behind.port });
    await goTo('red', 'green');
    noneFailed();
  });

  it('that are broken change nothing and are reported', async () => {
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=whoami => color=green']));
    await goTo('green');
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, 'conditions: [');
    await eventually(() => agent.logLines(/rule is not in force.*condition-router/).length > 0, 'the broken rule is reported');
    await goTo('green');
    await eventually(async () => (await agent.metrics()).skiff_rules_broken === 1, 'the metric says so');
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=whoami => color=red']));
    await goTo('red');
    await zookeeper.removeDocument(`${DOCUMENT}.condition-router`);
    await eventually(async () => (await agent.metrics()).skiff_rules_broken === 0, 'the metric says so');
    await goTo('red', 'green');
    noneFailed();
  });

  it('as a tag router, send tagged calls to the tagged, by its list and by its URL', async () => {
    spec = { service: SERVICE, method: 'whoami', attachments: { 'dubbo.tag': 'experimental' } };
    await goTo('blue');
    await zookeeper.setDocument(`${APPLICATION}.tag-router`, `configVersion: v3.0\nforce: true\nenabled: true\nkey: ${APPLICATION}\ntags:\n  - {name: experimental, addresses: ["127.0.0.1:${providers.red.port}"]}\n`);
    await goTo('red');
    spec = { service: SERVICE, method: 'whoami' };
    await goTo('green');
    await zookeeper.removeDocument(`${APPLICATION}.tag-router`);
    await goTo('red', 'green');
    noneFailed();
  });

  it('as configurators, change weights, timeouts and who is there', async () => {
    await zookeeper.setDocument(`${DOCUMENT}.configurators`, `configVersion: v3.0\nscope: service\nkey: ${SERVICE}\nenabled: true\nconfigs:\n  - {side: consumer, match: {param: [{key: color, value: {exact: red}}]}, parameters: {disabled: true}}\n`);
    await goTo('green');
    await zookeeper.removeDocument(`${DOCUMENT}.configurators`);
    await goTo('red', 'green');
    const node = await zookeeper.addRuleUrl(SERVICE, 'configurators', `override://0.0.0.0/${SERVICE}?category=configurators&dynamic=false&enabled=true&timeout=4321`);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    await eventually(async () => (await consumer.call({ service: SERVICE, method: 'timeout' })).value === '4321', 'providers are told the timeout');
    await zookeeper.remove(node);
    await eventually(async () => (await consumer.call({ service: SERVICE, method: 'timeout' })).value !== '4321', 'the timeout is gone');
    noneFailed();
  });

  it('as URLs of Dubbo 2.6, route as well, and scripts are refused with a reason', async () => {
    const rule = encodeURIComponent('method=whoami => color=green');
    const node = await zookeeper.addRuleUrl(SERVICE, 'routers', `condition://0.0.0.0/${SERVICE}?category=routers&dynamic=false&enabled=true&force=true&priority=1&runtime=true&rule=${rule}`);
    await goTo('green');
    await zookeeper.remove(node);
    await goTo('red', 'green');
    await zookeeper.addRuleUrl(SERVICE, 'routers', `script://0.0.0.0/${SERVICE}?category=routers&dynamic=false&rule=return`);
    await eventually(() => agent.logLines(/rule is not in force.*script/).length > 0, 'the script is refused');
    await goTo('red', 'green');
    noneFailed();
  });

  it('that leave nobody are answered so, with the name of the rule', async () => {
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=forbidden => ']));
    await eventually(async () => (await consumer.call({ service: SERVICE, method: 'forbidden' })).status === 80, 'the method is forbidden');
    const { message } = await consumer.call({ service: SERVICE, method: 'forbidden' });
    assert.match(message, new RegExp(`a rule leaves no provider of ${SERVICE}.*${SERVICE}::.condition-router`));
    assert.ok((await agent.metrics()).skiff_outbound_refused_by_rule_total > 0);
    await zookeeper.removeDocument(`${DOCUMENT}.condition-router`);
    noneFailed();
  });

  it('are still in force after a restart without the registry', async () => {
    await zookeeper.setDocument(`${DOCUMENT}.condition-router`, conditions(['method=whoami => color=green']));
    await goTo('green');
    assert.deepEqual(await load.stop(), []);
    await zookeeper.stop();
    await agent.stop();
    const next = await startAgent(stage, { registry: zookeeper.registry, ports: agent, stateDir: agent.stateDir });
    const consumer = await RawConsumer.connect(stage, next.outbound);
    for (let i = 0; i < 50; i++) assert.equal((await consumer.call({ service: SERVICE, method: 'whoami' })).value, 'green');
  });
});

scenario('Rules about a provider of this machine', ({ stage, before, it }) => {
  let zookeeper;
  let agent;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  it('are applied where it is published, since a thin provider does not apply them', async () => {
    const provider = await RawProvider.start(stage);
    await agent.publish({ interface: SERVICE, port: provider.port, methods: ['whoami'], application: APPLICATION });
    const weight = async () => (await zookeeper.urls(SERVICE)).map((url) => new URLSearchParams(url.slice(url.indexOf('?'))).get('weight')).join();
    await zookeeper.setDocument(`${APPLICATION}.configurators`, `configVersion: v3.0\nscope: application\nkey: ${APPLICATION}\nenabled: true\nconfigs:\n  - {side: provider, addresses: ["0.0.0.0"], parameters: {weight: 37}}\n`);
    await eventually(async () => await weight() === '37', 'the provider is registered with the weight of the rule');
    await zookeeper.removeDocument(`${APPLICATION}.configurators`);
    await eventually(async () => await weight() === '', 'the provider is registered without it');
  });
});
