'use strict';
// The health of local providers: what the registry lists is what serves.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const frames = require('./lib/frames');
const { startProvider } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const CHECK = { interval: '100ms', timeout: '500ms', failures: 2 };

scenario('A published provider', ({ stage, before, it }) => {
  let zookeeper;
  let agent;

  const isListed = (name, count) => eventually(async () => (await zookeeper.urls(name)).length === count, `${name} is listed ${count} times`);
  const publication = async (name) => (await agent.get('/publications')).body.publications.find((entry) => entry.interface === name);

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  it('that is a stock one is registered as soon as it answers a heartbeat, with the default check', async () => {
    const name = 'com.example.Stock';
    const provider = await startProvider(stage, { name: 'stock provider', services: [{ interface: name }] });
    const answer = await agent.post('/publish?wait=10s', { service: { interface: name, port: provider.port } });
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await publication(name)).health, 'up');
    assert.equal((await zookeeper.urls(name)).length, 1);
  });

  it('is not registered before its port opens, and is then', async () => {
    const name = 'com.example.Early';
    const port = await freePort();
    const answer = await agent.post('/publish?wait=0', { service: { interface: name, port, check: CHECK } });
    assert.deepEqual([answer.status, answer.body.err_no, answer.body.state], [202, 0, 'pending']);
    const pending = await eventually(async () => {
      const entry = await publication(name);
      return entry.last_error && entry;
    }, 'a check has failed');
    assert.match(pending.reason, new RegExp(`127\\.0\\.0\\.1:${port} is not ready yet: cannot be connected to: Connection refused`));
    assert.deepEqual(await zookeeper.urls(name), []);
    await startProvider(stage, { name: 'early provider', port, services: [{ interface: name }] });
    await isListed(name, 1);
    assert.equal((await publication(name)).state, 'registered');
  });

  it('that is killed leaves the registry; its consumers hear READONLY and are closed; who comes gets 80 and the reason', async () => {
    const name = 'com.example.Killed';
    const port = await freePort();
    const services = [{ interface: name }];
    const provider = await startProvider(stage, { name: 'doomed provider', port, services });
    await agent.publish({ interface: name, port, check: CHECK });
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    assert.equal((await consumer.call({ service: name, method: 'whoami' })).value, 'doomed provider');

    provider.running.kill('SIGKILL');
    await isListed(name, 0);
    await eventually(() => consumer.events.some((event) => event.body.equals(frames.parse(frames.readonly()).body)), 'READONLY comes');
    await consumer.closed();
    const late = await RawConsumer.connect(stage, agent.inbound);
    const refusal = await late.call({ service: name, method: 'whoami' });
    assert.equal(refusal.status, 80);
    assert.match(refusal.message, new RegExp(`127\\.0\\.0\\.1:${port} is down: `));
    const entry = await publication(name);
    assert.deepEqual([entry.health, entry.state], ['down', 'pending']);
    assert.match(entry.last_error, /refused/);
    const metrics = await agent.metrics();
    assert.ok(metrics['skiff_publication_health{health="down"}'] >= 1);
    assert.ok(metrics['skiff_health_changes_total{to="down"}'] >= 1);
    assert.ok(metrics.skiff_inbound_provider_down_total >= 1);

    await startProvider(stage, { name: 'its successor', port, services });
    await isListed(name, 1);
    const again = await RawConsumer.connect(stage, agent.inbound);
    assert.equal((await again.call({ service: name, method: 'whoami' })).value, 'its successor');
  });

  it('that hangs counts as dead, and as alive when it answers again', async () => {
    const name = 'com.example.Hanging';
    const provider = await startProvider(stage, { name: 'hanging provider', services: [{ interface: name }] });
    await agent.publish({ interface: name, port: provider.port, check: { ...CHECK, timeout: '100ms' } });
    provider.running.kill('SIGSTOP');
    await isListed(name, 0);
    assert.match((await publication(name)).reason, /is down: answered no heartbeat within 100 ms/);
    provider.running.kill('SIGCONT');
    await isListed(name, 1);
  });

  it('that keeps going down waits before it is registered again', async () => {
    const name = 'com.example.Flapping';
    const rule = (call) => call.value('here');
    const provider = await RawProvider.start(stage, rule);
    await agent.publish({ interface: name, port: provider.port, check: { type: 'tcp', interval: '100ms', failures: 1 } });
    const restart = async () => {
      await provider.stop();
      await isListed(name, 0);
      await provider.listen(provider.port);
    };
    await restart();
    await isListed(name, 1);
    await restart();
    const held = await eventually(async () => {
      const entry = await publication(name);
      return entry.health === 'recovering' && entry;
    }, 'it is held back');
    assert.match(held.reason, /went down 2 times/);
    assert.deepEqual(await zookeeper.urls(name), []);
    await isListed(name, 1);
  });

  it('whose lease is not renewed is withdrawn', async () => {
    const name = 'com.example.Leased';
    const provider = await RawProvider.start(stage);
    const leased = { interface: name, port: provider.port, lease: '1s' };
    await agent.publish(leased);
    await agent.publish(leased);
    assert.equal((await publication(name)).lease, '1s');
    await isListed(name, 0);
    assert.equal(await publication(name), undefined);
    assert.equal((await agent.metrics()).skiff_leases_ended_total, 1);
  });

  it('is not looked at where no check is wanted', async () => {
    const name = 'com.example.Unchecked';
    await agent.publish({ interface: name, port: await freePort(), check: { type: 'none' } });
    assert.equal((await publication(name)).health, 'unchecked');
    assert.equal((await zookeeper.urls(name)).length, 1);
  });
});
