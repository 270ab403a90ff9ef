'use strict';
// Agents, stock consumers and plain providers find each other in ZooKeeper.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { curl } = require('./lib/command');
const { startApacheConsumer, startProvider } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const parametersOf = (url) => Object.fromEntries(url.split('?')[1].split('&').map((pair) => pair.split('=')));

scenario('Discovery through ZooKeeper', ({ stage, before, it }) => {
  let zookeeper;
  let agent;
  let provider;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    provider = await startProvider(stage, {
      name: 'stock-provider', services: ['com.example.Published', 'com.example.Plain', 'com.example.OnDemand', 'com.example.Withdrawn'].map((name) => ({ interface: name })),
    });
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  const publishWithCurl = (service) => curl(`${agent.url}/publish`, '-d', JSON.stringify({ service }));

  it('lets a stock consumer call what curl published, through the inbound port alone', async () => {
    const name = 'com.example.Published';
    const { status, body } = await publishWithCurl({ interface: name, port: String(provider.port), methods: ['echo', 'fail', 'whoami'] });
    assert.equal(status, 200);
    assert.equal(body.err_no, 0);
    assert.equal(body.err_msg, 'publish success');
    assert.equal(body.state, 'registered');

    const urls = await zookeeper.urls(name);
    assert.equal(urls.length, 1);
    assert.ok(urls[0].startsWith(`dubbo://127.0.0.1:${agent.inbound}/${name}?`), urls[0]);
    assert.equal(body.url, urls[0]);

    const earlier = await agent.metrics();
    const callsEarlier = await provider.ask('calls');
    const consumer = await startApacheConsumer(stage, { name: 'stock-consumer', interface: name, zookeeper: zookeeper.address });
    assert.equal(await consumer.call('echo', 'hello, 世界 😀'), 'hello, 世界 😀');
    assert.equal(await consumer.call('whoami'), 'stock-provider');
    await assert.rejects(consumer.call('fail', 'this'), /refused: this/);

    assert.equal(await provider.ask('calls') - callsEarlier, 3);
    const later = await agent.metrics();
    const grown = (metric) => later[metric] - earlier[metric];
    assert.equal(grown('skiff_inbound_requests_total'), 3);
    assert.equal(grown('skiff_inbound_answered_total'), 3);
    assert.equal(grown('skiff_outbound_requests_total'), 0);
  });

  it('writes a provider node that every stock client can read', async () => {
    const name = 'com.example.NodeFormat';
    await agent.publish({
      interface: name, group: 'blue', version: '1.2.3', port: provider.port, methods: ['b', 'a'], application: 'format-test',
      parameters: { weight: '200', 'a.timeout': '500', note: 'x~y' },
    });
    const [node] = await zookeeper.nodes(name);
    assert.match(node, /^(?:[A-Za-z0-9.\-*_+]|%[0-9A-F]{2})+$/);
    assert.ok(node.includes('%7E') || node.includes('%257E'), 'Java encodes ~');

    const [url] = await zookeeper.urls(name);
    const keys = url.split('?')[1].split('&').map((pair) => pair.split('=')[0]);
    assert.deepEqual(keys, [...keys].sort());
    assert.ok(!['version', 'group', 'dubbo'].includes(keys[0]), `${keys[0]} is the first parameter`);
    assert.deepEqual(keys.filter((key) => key !== 'timestamp' && key !== 'pid' && /(timestamp|pid)$/.test(key)), []);

    const parameters = parametersOf(url);
    for (const [key, value] of Object.entries({
      interface: name, group: 'blue', version: '1.2.3', application: 'format-test', dubbo: '2.0.2', side: 'provider', category: 'providers',
      weight: '200', 'a.timeout': '500', dynamic: 'true',
    })) assert.equal(parameters[key], value, key);
    assert.deepEqual(decodeURIComponent(parameters.methods).split(',').sort(), ['a', 'b']);
    assert.ok(Math.abs(Number(parameters.timestamp) - Date.now()) < 60_000);
    assert.ok(Object.values(parameters).includes(String(provider.port)), 'other agents can see where the provider really listens');
  });

  it('never writes an empty group or version', async () => {
    const name = 'com.example.NoGroup';
    await agent.publish({ interface: name, group: '', version: '', port: provider.port, methods: ['echo'] });
    const parameters = parametersOf((await zookeeper.urls(name))[0]);
    assert.equal(parameters.group, undefined);
    assert.equal(parameters.version, undefined);
  });

  it('keeps one node for a publication that is repeated, and takes away exactly that node', async () => {
    const name = 'com.example.Withdrawn';
    const neighbour = await zookeeper.register(name, { port: provider.port });
    const service = { interface: name, port: provider.port, methods: ['echo'] };
    await agent.publish(service);
    await agent.publish(service);
    assert.equal((await zookeeper.nodes(name)).length, 2);
    const answer = await agent.unpublish(service);
    assert.equal(answer.state, 'unregistered');
    assert.deepEqual(await zookeeper.nodes(name), [neighbour.split('/').pop()]);
  });

  it('takes a provider that registered itself without any agent, after a subscription', async () => {
    const name = 'com.example.Plain';
    await zookeeper.register(name, { port: provider.port });
    const answer = await agent.subscribe({ interface: name });
    assert.equal(answer.state, 'subscribed');
    assert.equal(answer.providers, 1);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await consumer.call({ service: name, method: 'whoami' })).value, 'stock-provider');
  });

  it('shows a subscription as a consumer node, and takes it away again', async () => {
    const name = 'com.example.Subscribed';
    await zookeeper.register(name, { port: provider.port, parameters: { group: 'red', version: '2.0.0' } });
    const service = { interface: name, group: 'red', version: '2.0.0', application: 'watcher' };
    await agent.subscribe(service);
    const [url] = await eventually(async () => {
      const urls = await zookeeper.urls(name, 'consumers');
      return urls.length === 1 && urls;
    }, 'the consumer node is there');
    assert.match(url, /^consumer:\/\/127\.0\.0\.1(:\d+)?\/com\.example\.Subscribed\?/);
    const parameters = parametersOf(url);
    for (const [key, value] of Object.entries({ interface: name, group: 'red', version: '2.0.0', application: 'watcher', side: 'consumer', category: 'consumers' })) {
      assert.equal(parameters[key], value, key);
    }
    await agent.unsubscribe(service);
    await eventually(async () => (await zookeeper.nodes(name, 'consumers')).length === 0, 'the consumer node is gone');
  });

  it('takes such a provider on demand, without any subscription', async () => {
    const name = 'com.example.OnDemand';
    await zookeeper.register(name, { port: provider.port });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    // The first ones are held until the list is here.
    const answers = await Promise.all(Array.from({ length: 5 }, () => consumer.call({ service: name, method: 'whoami' })));
    assert.deepEqual(answers.map((answer) => answer.value), Array(5).fill('stock-provider'));
    const { body } = await agent.get('/subscriptions');
    const subscription = body.subscriptions.find((entry) => entry.interface === name);
    assert.equal(subscription.on_demand, true);
    assert.ok((await agent.metrics()).skiff_outbound_held_total >= 1);
  });

  it('follows every change of the list: added, removed, changed', async () => {
    const name = 'com.example.Changing';
    const [one, two] = [await RawProvider.start(stage, (call) => call.value('one')), await RawProvider.start(stage, (call) => call.value('two'))];
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const namesSeen = async () => {
      const answers = await Promise.all(Array.from({ length: 60 }, () => consumer.call({ service: name })));
      assert.deepEqual(answers.filter((answer) => answer.status !== 20), []);
      return [...new Set(answers.map((answer) => answer.value))].sort().join();
    };
    const first = await zookeeper.register(name, { port: one.port });
    await agent.subscribe({ interface: name });
    assert.equal(await namesSeen(), 'one');
    const second = await zookeeper.register(name, { port: two.port });
    await eventually(async () => await namesSeen() === 'one,two', 'both are called');
    // A weight of 0 means no traffic: the node is replaced, as a provider does whose parameters change.
    const without = await zookeeper.register(name, { port: one.port, parameters: { weight: '0' } });
    await zookeeper.remove(first);
    await eventually(async () => await namesSeen() === 'two', 'weight 0 is honoured');
    await zookeeper.remove(without);
    await zookeeper.register(name, { port: one.port });
    await zookeeper.remove(second);
    await eventually(async () => await namesSeen() === 'one', 'only the new one is called');
    const disabled = await zookeeper.register(name, { port: two.port, parameters: { enabled: 'false' } });
    await zookeeper.register(name, { port: two.port, parameters: { weight: '100' } });
    await eventually(async () => await namesSeen() === 'one,two', 'the enabled node of two addresses the same provider');
    await zookeeper.remove(disabled);
  });
});
