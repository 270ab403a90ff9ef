'use strict';
// What the agent believes of a registry that loses data, and what it finds out by itself.

const assert = require('node:assert/strict');
const { startAgent, BINARY } = require('./lib/agent');
const { run } = require('./lib/command');
const { DeafProxy } = require('./lib/deaf-proxy');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const REBUILD_PAUSE_MS = 50; // registry/limits.h

scenario('Lists of providers', ({ stage, before, it }) => {
  let zookeeper;
  let agent;
  let proxy;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    proxy = await DeafProxy.start(stage, zookeeper.server);
    agent = await startAgent(stage, { registry: proxy.registry, flags: ['--registry-check-interval', '1s'] });
  });

  // Providers that answer with their index, with their nodes.
  async function registerProviders(name, count) {
    const providers = await Promise.all(Array.from({ length: count }, (_, i) => RawProvider.start(stage, (call) => call.value(String(i)))));
    const nodes = await Promise.all(providers.map(({ port }) => zookeeper.register(name, { port })));
    return { providers, nodes };
  }

  const service = async (name, of = agent) => (await of.get(`/services/${name}`)).body;
  const heldPorts = ({ endpoints }) => endpoints.filter((one) => one.held).map((one) => Number(one.address.split(':')[1])).sort();
  const portsOf = (providers) => providers.map(({ port }) => port).sort();
  const removeAll = (nodes) => Promise.all(nodes.map((node) => zookeeper.remove(node)));

  it('keep serving without one failed call when every node is deleted while the providers live', async () => {
    const name = 'com.example.AllDeleted';
    const { providers, nodes } = await registerProviders(name, 4);
    await agent.subscribe({ interface: name }, 4);
    const load = await Load.start(stage, agent.outbound, () => ({ service: name }));
    await load.more(200);
    const before = await agent.metrics();
    await removeAll(nodes);
    const held = await eventually(async () => {
      const now = await service(name);
      return now.stale && heldPorts(now).length === 4 && now;
    }, 'the list is stale and all providers are held');
    assert.deepEqual(heldPorts(held), portsOf(providers));
    // They are probed, and stay.
    await eventually(async () => {
      const now = await agent.metrics();
      return now['skiff_endpoint_probes_total{result="answers"}'] - before['skiff_endpoint_probes_total{result="answers"}'] >= 4;
    }, 'each was probed');
    load.takeValues();
    await load.more(400);
    assert.equal(load.takeValues().size, 4, 'all of them are called');
    assert.deepEqual(await load.stop(), []);

    const metrics = await agent.metrics();
    assert.equal(metrics.skiff_lists_stale, 1);
    assert.equal(metrics.skiff_providers_held, 4);
    assert.equal(metrics.skiff_lists_gone_stale_total, 1);
    assert.ok(metrics.skiff_list_brakes_total >= 1);
    assert.equal(agent.logLines(/AllDeleted: the registry lists no provider any more/).length, 1);
    const { body } = await agent.get('/subscriptions');
    assert.equal(body.subscriptions.find((one) => one.interface === name).stale, true);
    const { stdout } = await run(BINARY, ['status', '--api', `127.0.0.1:${agent.api}`]);
    assert.match(stdout, /AllDeleted +subscribed, STALE +4 .*HELD/);

    // Providers that come back are listed as ever.
    for (const { port } of providers) await zookeeper.register(name, { port });
    await eventually(async () => {
      const now = await service(name);
      return !now.stale && heldPorts(now).length === 0 && now.endpoints.length === 4;
    }, 'nobody is held any more');
  });

  it('let go of a provider that vanished with others and is dead', async () => {
    const name = 'com.example.OneDead';
    const { providers, nodes } = await registerProviders(name, 4);
    await agent.subscribe({ interface: name }, 4);
    await providers[3].stop();
    await removeAll(nodes.slice(1));
    const left = await eventually(async () => {
      const now = await service(name);
      return now.endpoints.length === 3 && heldPorts(now).length === 2 && now;
    }, 'the dead one is gone, two are held');
    assert.deepEqual(heldPorts(left), portsOf(providers.slice(1, 3)));
    assert.equal(left.stale, false);
    assert.ok((await agent.metrics()).skiff_held_providers_dead_total >= 1);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answers = await Promise.all(Array.from({ length: 60 }, () => consumer.call({ service: name })));
    assert.deepEqual([...new Set(answers.map((answer) => answer.value))].sort(), ['0', '1', '2']);
  });

  it('let go of services whose providers died behind agents that live, and of no other service there', async () => {
    const [dies, lives] = ['com.example.DiesBehindAgent', 'com.example.LivesBehindAgent'];
    const check = { interval: '100ms', timeout: '500ms', failures: 2 };
    const machines = await Promise.all([0, 1, 2].map(async (i) => {
      const of = await startAgent(stage, { name: `machine${i}`, registry: zookeeper.registry });
      const [dying, living] = await Promise.all([dies, lives].map(() => RawProvider.start(stage, (call) => call.value(String(i)))));
      await of.publish({ interface: dies, port: dying.port, check });
      await of.publish({ interface: lives, port: living.port, check });
      return { of, dying };
    }));
    await agent.subscribe({ interface: dies }, 3);
    await agent.subscribe({ interface: lives }, 3);
    const before = await agent.metrics();
    await Promise.all([machines[1].dying.stop(), machines[2].dying.stop()]);
    const left = await eventually(async () => {
      const now = await service(dies);
      return now.endpoints.length === 1 && now;
    }, 'both are found dead');
    assert.equal(left.endpoints[0].address, `127.0.0.1:${machines[0].of.inbound}`);
    assert.ok((await agent.metrics()).skiff_held_providers_dead_total > before.skiff_held_providers_dead_total, 'they were held first');
    assert.equal((await service(lives)).endpoints.length, 3);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answers = await Promise.all(Array.from({ length: 60 }, () => consumer.call({ service: dies })));
    assert.deepEqual([...new Set(answers.map((answer) => answer.value))], ['0']);
  });

  it('keep the last provider for a while, and then believe that there is none', async () => {
    const name = 'com.example.Empty';
    const short = await startAgent(stage, { name: 'short', registry: zookeeper.registry, flags: ['--empty-list-time', '2s'] });
    const { nodes } = await registerProviders(name, 1);
    await short.subscribe({ interface: name });
    await removeAll(nodes);
    await eventually(async () => (await service(name, short)).stale, 'the list is stale');
    const consumer = await RawConsumer.connect(stage, short.outbound);
    assert.equal((await consumer.call({ service: name })).value, '0');
    await eventually(async () => {
      const now = await service(name, short);
      return !now.stale && now.endpoints.length === 0;
    }, 'the list is empty');
    assert.equal((await consumer.call({ service: name })).status, 60);
    assert.equal((await short.metrics()).skiff_stale_lists_ended_total, 1);
  });

  it('stay as they are while they are frozen, and catch up', async () => {
    const name = 'com.example.Frozen';
    const { nodes } = await registerProviders(name, 2);
    await agent.subscribe({ interface: name }, 2);
    assert.deepEqual((await agent.post('/freeze', '')).body, { err_no: 0, err_msg: 'freeze success', state: 'frozen', waiting: 0 });
    await removeAll(nodes.slice(1));
    const added = await RawProvider.start(stage, (call) => call.value('new'));
    await zookeeper.register(name, { port: added.port });
    await eventually(async () => (await service(name)).change_waiting, 'the change is known');
    const frozen = await service(name);
    assert.equal(frozen.endpoints.length, 2);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answers = await Promise.all(Array.from({ length: 40 }, () => consumer.call({ service: name })));
    assert.deepEqual([...new Set(answers.map((answer) => answer.value))].sort(), ['0', '1']);

    const ready = await agent.get('/readyz');
    assert.equal(ready.status, 200);
    assert.equal(ready.body.lists.frozen, true);
    assert.equal((await agent.get('/status')).body.lists.waiting, 1);
    const metrics = await agent.metrics();
    assert.equal(metrics.skiff_lists_frozen, 1);
    assert.equal(metrics.skiff_lists_waiting, 1);
    assert.match((await run(BINARY, ['status', '--api', `127.0.0.1:${agent.api}`])).stdout, /FROZEN/);
    // What is published is published, and what is new is found.
    const published = await agent.publish({ interface: 'com.example.PublishedFrozen', port: added.port });
    assert.equal(published.state, 'registered');
    await agent.subscribe({ interface: 'com.example.PublishedFrozen' });

    assert.deepEqual((await agent.post('/unfreeze', '')).body, { err_no: 0, err_msg: 'unfreeze success', state: 'following', waiting: 1 });
    await eventually(async () => {
      const after = await Promise.all(Array.from({ length: 40 }, () => consumer.call({ service: name })));
      return [...new Set(after.map((answer) => answer.value))].sort().join() === '0,new';
    }, 'the new one is called, the old one is not');
    assert.equal((await agent.metrics()).skiff_lists_frozen, 0);
  });

  it('are rebuilt a bounded number of times in a burst of 1,000 changes', async () => {
    const name = 'com.example.Burst';
    await zookeeper.register(name, { port: 1 });
    await agent.subscribe({ interface: name });
    const before = await agent.metrics();
    const began = Date.now();
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => zookeeper.register(name, { port: 20_000 + i, parameters: { weight: '0' } })));
    await eventually(async () => (await service(name)).providers === 1_001, 'all are known');
    const most = (Date.now() - began) / REBUILD_PAUSE_MS + 2;
    const rebuilds = (await agent.metrics()).skiff_lists_applied_total - before.skiff_lists_applied_total;
    assert.ok(rebuilds >= 1 && rebuilds <= most, `${rebuilds} rebuilds, at most ${most} are allowed`);
  });

  it('are read again, so that a change is found though its watch is deaf', async () => {
    const name = 'com.example.Deaf';
    await registerProviders(name, 1);
    await zookeeper.ask('mkdirp', `/dubbo/${name}/consumers`); // or its coming would be a change of its own, which rules are looked for in
    await agent.subscribe({ interface: name });
    const before = await agent.metrics();
    proxy.isDeaf = true;
    await registerProviders(name, 1);
    await agent.knowsProviders(name, 2);
    proxy.isDeaf = false;
    assert.ok(proxy.swallowed >= 1);
    const after = await agent.metrics();
    assert.equal(after.skiff_registry_deaf_watches_total - before.skiff_registry_deaf_watches_total, 1);
    assert.equal(agent.logLines(/com\.example\.Deaf\/providers had changed, and no event told/).length, 1);
    // The next change is told by an event again.
    await registerProviders(name, 1);
    await agent.knowsProviders(name, 3);
  });

  it('reach every worker soon after the event, which a histogram shows', async () => {
    const name = 'com.example.Timed';
    await registerProviders(name, 1);
    await agent.subscribe({ interface: name });
    const count = 'skiff_route_update_seconds_count';
    const earlier = await agent.metrics();
    await registerProviders(name, 1);
    const later = await eventually(async () => {
      const now = await agent.metrics();
      return now[count] > earlier[count] && now;
    }, 'the update was measured');
    assert.equal(later['skiff_route_update_seconds_bucket{le="+Inf"}'], later[count]);
    assert.ok(later.skiff_route_update_seconds_sum > earlier.skiff_route_update_seconds_sum);
  });

  it('get a node of ours back that somebody deleted', async () => {
    const name = 'com.example.Lost';
    const provider = await RawProvider.start(stage);
    await agent.publish({ interface: name, port: provider.port });
    const before = await agent.metrics();
    const [node] = await zookeeper.nodes(name);
    await zookeeper.remove(`/dubbo/${name}/providers/${node}`);
    await eventually(async () => (await zookeeper.nodes(name)).includes(node), 'the node is back');
    await eventually(async () => {
      const { body } = await agent.get('/publications');
      return body.publications.find((one) => one.interface === name).state === 'registered';
    }, 'the agent says so');
    const after = await agent.metrics();
    assert.equal(after.skiff_registry_lost_nodes_total - before.skiff_registry_lost_nodes_total, 1);
    assert.equal(agent.logLines(/com\.example\.Lost.*the node had gone; writing it again$/).length >= 1, true);
  });
});
