'use strict';
// An application that restarts by itself: POST /stopping, then its end; POST /ready, or publishing anew, takes it back.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { startProvider } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SERVICE = 'com.example.Restarting';
const CHECK = { interval: '100ms', failures: 2 };

scenario('An application that says when it stops', ({ stage, before, it }) => {
  let zookeeper;
  let near;
  const agents = {};
  const ports = {};

  const services = [{ interface: SERVICE }];
  const publication = (name) => ({ interface: SERVICE, port: ports[name], methods: ['whoami'], check: CHECK, parameters: { warmup: '1' } });

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    for (const name of ['steady', 'restarting']) {
      ports[name] = await freePort();
      agents[name] = await startAgent(stage, { name: `${name}-agent`, registry: zookeeper.registry, workers: 1 });
    }
    await startProvider(stage, { name: 'steady', port: ports.steady, services });
    await agents.steady.publish(publication('steady'));
    near = await startAgent(stage, { name: 'near-agent', registry: zookeeper.registry });
  });

  it('loses no call while it restarts, though calls never stop', async () => {
    let provider = await startProvider(stage, { name: 'first', port: ports.restarting, services });
    await agents.restarting.publish(publication('restarting'));
    await near.subscribe({ interface: SERVICE }, 2);
    const running = await Load.start(stage, near.outbound, () => ({ service: SERVICE, method: 'whoami' }));
    await running.more(500);
    for (const successor of ['second', 'third']) {
      const stopped = await agents.restarting.post('/stopping?wait=20s', '');
      assert.equal(stopped.status, 200, stopped.text);
      assert.deepEqual(stopped.body.results.map((result) => result.state), ['unregistered']);
      assert.equal((await agents.restarting.get('/publications')).body.publications[0].state, 'stopping');
      provider.running.kill('SIGKILL');
      await provider.running.ended;
      await running.more(500);
      provider = await startProvider(stage, { name: successor, port: ports.restarting, services });
      await agents.restarting.publish(publication('restarting'));
      await near.knowsProviders(SERVICE, 2);
      running.takeValues();
      await eventually(async () => {
        await running.more(100);
        return running.takeValues().has(successor);
      }, `calls go to the ${successor} process`);
    }
    assert.deepEqual(await running.stop(), []);
  });

  it('is registered again by /ready, with its consumers told', async () => {
    const name = 'com.example.ChangesItsMind';
    const provider = await RawProvider.start(stage, (call) => { if (call.method !== 'never') call.value('here'); });
    const service = { interface: name, port: provider.port, check: CHECK };
    await agents.steady.publish(service);
    const consumer = await RawConsumer.connect(stage, agents.steady.inbound);
    const unanswered = consumer.call({ service: name, method: 'never' });
    unanswered.catch(() => {});
    await eventually(() => provider.calls.length === 1, 'a call is in flight');
    const stopping = await agents.steady.post('/stopping?wait=2s', { service });
    assert.equal(stopping.status, 202, stopping.text);
    assert.match(stopping.body.reason, /1 requests are still in flight/);
    assert.deepEqual(await zookeeper.urls(name), []);
    await eventually(() => consumer.events.length === 1, 'READONLY comes');
    const ready = await agents.steady.post('/ready?wait=10s', { service });
    assert.equal(ready.status, 200, ready.text);
    assert.equal(ready.body.state, 'registered');
    assert.equal((await zookeeper.urls(name)).length, 1);
    await eventually(() => consumer.events.length === 2, 'WRITEABLE comes');
    assert.equal((await consumer.call({ service: name, method: 'echo' })).value, 'here');
  });

  it('is told where it says so of something that is not published', async () => {
    for (const path of ['/stopping', '/ready']) {
      const { status, body } = await near.post(path, { service: { interface: 'com.example.Nothing' } });
      assert.equal(status, 404);
      assert.match(body.err_msg, /com\.example\.Nothing/);
    }
  });
});
