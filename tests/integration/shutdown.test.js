'use strict';
// SIGTERM while calls run: nobody loses a call who had a second provider to go to.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { startProvider } = require('./lib/peers');
const frames = require('./lib/frames');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually, within } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const isReadonly = (frame) => frame.isEvent && frame.body.equals(frames.readonly().subarray(frames.HEADER));

scenario('SIGTERM under load', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  // Two agents with a provider each, and one for the consumers.
  async function startThree(name, startOne) {
    const { registry } = zookeeper;
    const far = [];
    for (const which of ['first', 'second']) {
      const provider = await startOne(which);
      const agent = await startAgent(stage, { name: `${which} agent`, registry });
      await agent.publish({ interface: name, port: provider.port, methods: ['echo', 'slow', 'whoami'], parameters: { warmup: '1' } });
      far.push(agent);
    }
    const near = await startAgent(stage, { name: 'near agent', registry });
    await near.subscribe({ interface: name }, 2);
    return { far, near };
  }

  // A provider whose every answer takes a while, so that calls are in flight whenever something happens.
  const startSlow = (which) => RawProvider.start(stage, (call) => { setTimeout(() => call.value(which), 5 + Math.random() * 20); });

  it('of an agent with a provider: no call fails, its nodes are gone, it ends with 0', async () => {
    const name = 'com.example.Leaving';
    const { far: [first], near } = await startThree(name, startSlow);
    const load = await Load.start(stage, near.outbound, () => ({ service: name, args: ['x'] }), { connections: 8, loops: 8 });
    await load.more(500);
    const ended = first.stop();
    await load.more(500);
    assert.deepEqual(await ended, { code: 0, signal: null });
    const left = await zookeeper.urls(name);
    assert.equal(left.length, 1);
    assert.ok(!left[0].includes(`:${first.inbound}/`));
    await load.more(300);
    load.takeValues();
    await load.more(300);
    assert.deepEqual([...load.takeValues().keys()], ['second']);
    assert.deepEqual(await load.stop(), []);
  });

  it('of one agent after the other, with stock providers: no call fails', async () => {
    const name = 'com.example.Rolling';
    const providers = [];
    const { far, near } = await startThree(name, async (which) => {
      const provider = await startProvider(stage, { name: which, services: [{ interface: name }] });
      providers.push(provider);
      return provider;
    });
    const load = await Load.start(stage, near.outbound, () => ({ service: name, method: 'slow', args: [10, 'done'] }), { connections: 4, loops: 4 });
    await load.more(200);
    assert.equal((await far[0].stop()).code, 0);
    // A successor takes its provider over before the other one leaves.
    const successor = await startAgent(stage, { name: 'successor', registry: zookeeper.registry });
    await successor.publish({ interface: name, port: providers[0].port, methods: ['slow'], parameters: { warmup: '1' } });
    await near.knowsProviders(name, 2);
    await load.more(100);
    assert.equal((await far[1].stop()).code, 0);
    await load.more(200);
    assert.deepEqual(await load.stop(), []);
  });

  it('sends READONLY to those connected to the inbound port, and lets their calls finish', async () => {
    const name = 'com.example.Inbound';
    let release;
    const provider = await RawProvider.start(stage, (call) => { release = () => call.value('finished'); });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port });
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    const idle = await RawConsumer.connect(stage, agent.inbound);
    const answer = consumer.call({ service: name, attachments: { timeout: '20000' } });
    await eventually(() => release, 'the call is in flight');
    const ended = agent.stop();
    for (const one of [consumer, idle]) {
      await eventually(() => one.events.length > 0, 'READONLY came');
      assert.ok(isReadonly(one.events[0]));
      assert.equal(one.events[0].isTwoWay, false);
    }
    assert.deepEqual(await zookeeper.urls(name), [], 'it was withdrawn before');
    release();
    assert.equal((await answer).value, 'finished');
    await consumer.closed();
    await idle.closed();
    assert.equal((await ended).code, 0);
    assert.equal(consumer.events.length, 1);
  });

  it('never sends READONLY to consumers at the outbound port, and lets their calls finish', async () => {
    const name = 'com.example.Outbound';
    let release;
    const provider = await RawProvider.start(stage, (call) => { release = () => call.value('finished'); });
    await zookeeper.register(name, { port: provider.port });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.subscribe({ interface: name });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const idle = await RawConsumer.connect(stage, agent.outbound);
    const answer = consumer.call({ service: name, attachments: { timeout: '20000' } });
    await eventually(() => release, 'the call is in flight');
    const ended = agent.stop();
    // The consumer node goes first: then the agent is stopping for sure.
    await eventually(async () => (await zookeeper.nodes(name, 'consumers')).length === 0, 'the agent takes its nodes away');
    release();
    assert.equal((await answer).value, 'finished');
    await consumer.closed();
    await idle.closed();
    assert.equal((await ended).code, 0);
    assert.deepEqual([...consumer.events, ...idle.events], []);
  });

  it('waits for calls in flight no longer than it was told to', async () => {
    const name = 'com.example.Endless';
    const provider = await RawProvider.start(stage, () => {});
    const agent = await startAgent(stage, { registry: zookeeper.registry, flags: ['--drain-timeout', '500ms'] });
    await agent.publish({ interface: name, port: provider.port });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answer = consumer.call({ service: name, attachments: { timeout: '60000' } }).catch((error) => error);
    await eventually(() => provider.calls.length === 1, 'the call is in flight');
    assert.equal((await within(agent.stop(), 'the agent ends', 8_000)).code, 0);
    await answer;
    assert.deepEqual(await zookeeper.urls(name), []);
  });

  it('ends an idle agent at once, whoever is connected', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    for (const port of [agent.outbound, agent.outbound, agent.inbound, agent.api]) await RawConsumer.connect(stage, port);
    assert.equal((await within(agent.stop(), 'the agent ends', 5_000)).code, 0);
  });

  it('is the same with SIGINT', async () => {
    const name = 'com.example.Interrupted';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: 20880, check: { type: 'none' } });
    assert.equal((await agent.stop('SIGINT')).code, 0);
    assert.deepEqual(await zookeeper.urls(name), []);
  });
});
