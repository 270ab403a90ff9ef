'use strict';
// An agent with two registries: what one of them does is nothing to the other, and services move from one to the other.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const portsOf = ({ api, outbound, inbound }) => ({ api, outbound, inbound });

scenario('Two registries', ({ stage, before, it }) => {
  let old;
  let young;

  before(async () => { [old, young] = await Promise.all([startZooKeeper(stage), startZooKeeper(stage)]); });

  const both = () => ['--registry', `${old.registry}?session=1000`, '--registry', young.registry];
  const statesOf = async (agent, name) => {
    const { body } = await agent.get('/publications');
    return Object.fromEntries(body.publications.filter((one) => one.interface === name).map((one) => [one.registry, one.state]));
  };
  const nodes = (name) => Promise.all([old, young].map((one) => one.nodes(name)));

  it('get what is published, and their lists are one list, each address once', async () => {
    const name = 'com.example.Both';
    const agent = await startAgent(stage, { flags: both() });
    const providers = await Promise.all(['of the old', 'of both', 'of the young', 'published'].map((value) => RawProvider.start(stage, (call) => call.value(value))));
    await old.register(name, { port: providers[0].port });
    for (const one of [old, young]) await one.register(name, { port: providers[1].port });
    await young.register(name, { port: providers[2].port });
    const answer = await agent.publish({ interface: name, port: providers[3].port, parameters: { warmup: '1' } });
    assert.equal(answer.state, 'registered');
    for (const one of [old, young]) assert.ok((await one.urls(name)).includes(answer.url), answer.url);
    assert.deepEqual(await statesOf(agent, name), { [old.registry]: 'registered', [young.registry]: 'registered' });
    await agent.subscribe({ interface: name }, 4);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answers = await Promise.all(Array.from({ length: 80 }, () => consumer.call({ service: name })));
    assert.deepEqual([...new Set(answers.map((one) => one.value))].sort(), ['of both', 'of the old', 'of the young', 'published']);
    // Who leaves one of them stays where the other lists it.
    await agent.unpublish({ interface: name, port: providers[3].port });
    await agent.knowsProviders(name, 3);
    assert.deepEqual((await nodes(name)).map((list) => list.length), [2, 2]);
    await agent.stop();
  });

  it('of which one is away: the other takes what is asked for, and no call fails', async () => {
    const [name, late] = ['com.example.OneAway', 'com.example.OneAwayLate'];
    const provider = await RawProvider.start(stage, (call) => call.value('served'));
    const agent = await startAgent(stage, { flags: both() });
    await agent.publish({ interface: name, port: provider.port });
    await agent.subscribe({ interface: name });
    const load = await Load.start(stage, agent.outbound, () => ({ service: name }), { connections: 2, loops: 2, pauseMs: 2 });
    await old.stop();
    const { status, body } = await agent.post('/publish?wait=2s', { service: { interface: late, port: provider.port } });
    assert.equal(status, 202);
    assert.ok(body.reason.startsWith(`registry ${old.registry}:`), body.reason);
    assert.deepEqual(await statesOf(agent, late), { [old.registry]: 'pending', [young.registry]: 'registered' });
    assert.equal((await young.nodes(late)).length, 1);
    const other = await RawProvider.start(stage, (call) => call.value('other'));
    await young.register(name, { port: other.port });
    await agent.knowsProviders(name, 2);
    await load.more(100);
    await old.restart(stage);
    await old.connect(stage);
    await eventually(async () => (await nodes(late)).every((list) => list.length === 1), 'both have it');
    await load.more(100);
    assert.deepEqual(await load.stop(), []);
    await agent.stop();
  });

  it('of which one is left out of the configuration: its nodes go, those of the other stay as they are', async () => {
    const name = 'com.example.Migrated';
    const provider = await RawProvider.start(stage, (call) => call.value('served'));
    for (const ends of ['SIGTERM', 'SIGKILL']) {
      const agent = await startAgent(stage, { flags: both() });
      await agent.publish({ interface: name, port: provider.port });
      await agent.subscribe({ interface: name });
      const [, [node]] = await nodes(name);
      const before = await young.creation(`/dubbo/${name}/providers/${node}`);
      await agent.stop(ends);
      const successor = await startAgent(stage, { name: 'successor', registry: young.registry, ports: portsOf(agent), stateDir: agent.stateDir });
      await eventually(async () => {
        const [inOld, inYoung] = await nodes(name);
        return inOld.length === 0 && inYoung.length === 1;
      }, 'the node is in the young registry only');
      // The node may be there before its successor has seen that.
      await eventually(async () => (await statesOf(successor, name))[young.registry] === 'registered', 'the successor knows it');
      assert.deepEqual(await statesOf(successor, name), { [young.registry]: 'registered' });
      assert.deepEqual((await young.nodes(name)), [node]);
      if (ends === 'SIGKILL') assert.deepEqual(await young.creation(`/dubbo/${name}/providers/${node}`), before);
      await successor.knowsProviders(name, 1);
      const consumer = await RawConsumer.connect(stage, successor.outbound);
      assert.equal((await consumer.call({ service: name })).value, 'served');
      await successor.stop();
    }
  });

  it('of which one is added to the configuration: it gets what was published, and the other keeps its nodes', async () => {
    const name = 'com.example.Added';
    const provider = await RawProvider.start(stage);
    const agent = await startAgent(stage, { registry: young.registry });
    const { url } = await agent.publish({ interface: name, port: provider.port });
    await agent.stop('SIGKILL');
    const successor = await startAgent(stage, { name: 'successor', flags: both(), ports: portsOf(agent), stateDir: agent.stateDir });
    await eventually(async () => (await nodes(name)).every((list) => list.length === 1), 'both have it');
    assert.deepEqual(await young.urls(name), [url]);
    await successor.stop();
    assert.deepEqual(await nodes(name), [[], []]);
  });
});
