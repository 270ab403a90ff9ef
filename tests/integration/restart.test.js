'use strict';
// What an agent's end and its successor's start look like from outside: to who watches the registry, to who calls, to who published.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { NodeWatcher } = require('./lib/node-watcher');
const { startProvider } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const portsOf = ({ api, outbound, inbound }) => ({ api, outbound, inbound });

// Of publications behind whose ports nobody listens.
const NO_CHECK = { type: 'none' };
const READY_TO_REGISTERED_MS = 2_000;

// Of the interface's providers.
const watchProviders = (zookeeper, name) => NodeWatcher.start(zookeeper, [['getChildren', `/dubbo/${name}/providers`]], () => zookeeper.register(name, { port: 1 }));

scenario('Restart', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  const successorOf = (agent, options = {}) => startAgent(stage, { name: 'successor', registry: zookeeper.registry, ports: portsOf(agent), stateDir: agent.stateDir, ...options });

  async function publications(agent) {
    const { body } = await agent.get('/publications');
    return body.publications;
  }

  const allRegistered = (agent, count) => eventually(async () => {
    const known = await publications(agent);
    return known.length === count && known.every((one) => one.state === 'registered');
  }, 'all publications are registered', READY_TO_REGISTERED_MS);

  it('after a crash: who watches the registry is told of nothing, URLs stay byte for byte', async () => {
    const name = 'com.example.Crash';
    const provider = await startProvider(stage, { name: 'stock', services: [{ interface: name }] });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port, methods: ['whoami'], parameters: { weight: '50' } });
    await agent.publish({ interface: name, group: 'red', version: '2.0.0', port: provider.port });
    await agent.subscribe({ interface: name, group: '*', version: '*' }, 2);
    const providers = (await zookeeper.nodes(name)).sort();
    const consumers = await eventually(async () => {
      const nodes = await zookeeper.nodes(name, 'consumers');
      return nodes.length === 1 && nodes;
    }, 'the consumer node is there');
    const watcher = await watchProviders(zookeeper, name);

    await agent.stop('SIGKILL');
    const successor = await successorOf(agent);
    assert.equal((await publications(successor)).length, 2);
    await allRegistered(successor, 2);
    await eventually(async () => (await successor.get('/subscriptions')).body.subscriptions[0].state === 'subscribed', 'subscribed again');
    const consumer = await RawConsumer.connect(stage, successor.outbound);
    assert.equal((await consumer.call({ service: name, method: 'whoami' })).value, 'stock');
    assert.equal(await watcher.take(), 0);
    assert.deepEqual((await zookeeper.nodes(name)).sort(), providers);
    assert.deepEqual(await zookeeper.nodes(name, 'consumers'), consumers);

    // It owns what it found: it can take it back, and takes it along when it ends.
    await successor.unpublish({ interface: name, group: 'red', version: '2.0.0', port: provider.port });
    assert.equal((await zookeeper.nodes(name)).length, 1);
    assert.equal((await successor.stop()).code, 0);
    assert.deepEqual(await zookeeper.nodes(name), []);
  });

  it('after a crash, while which a provider died: it is withdrawn, and nothing else', async () => {
    const name = 'com.example.Orphan';
    const check = { interval: '100ms', timeout: '500ms', failures: 2 };
    const [dies, lives] = [await RawProvider.start(stage), await RawProvider.start(stage)];
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    for (const { port } of [dies, lives]) await agent.publish({ interface: name, port, check });
    const watcher = await watchProviders(zookeeper, name);
    await agent.stop('SIGKILL');
    await dies.stop();
    const successor = await successorOf(agent);
    await eventually(async () => (await zookeeper.nodes(name)).length === 1, 'the provider that died is withdrawn');
    const known = await publications(successor);
    assert.deepEqual(known.map(({ port, state, health }) => [port, state, health]).sort(),
      [[dies.port, 'pending', 'down'], [lives.port, 'registered', 'up']].sort());
    assert.equal(await watcher.take(), 1);
    await successor.stop();
  });

  it('after five crashes in a row: still nothing', async () => {
    const name = 'com.example.Crashes';
    let agent = await startAgent(stage, { registry: zookeeper.registry });
    for (let i = 0; i < 20; i += 1) await agent.publish({ interface: name, port: 20_000 + i, check: NO_CHECK });
    const watcher = await watchProviders(zookeeper, name);
    for (let i = 0; i < 5; i += 1) {
      await agent.stop('SIGKILL');
      agent = await successorOf(agent);
      await allRegistered(agent, 20);
    }
    assert.equal(await watcher.take(), 0);
    await agent.stop();
  });

  it('after SIGTERM: withdrawn, remembered, and published again with the same URL', async () => {
    const name = 'com.example.Orderly';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: 20880, check: NO_CHECK });
    const nodes = await zookeeper.nodes(name);
    assert.equal((await agent.stop()).code, 0);
    assert.deepEqual(await zookeeper.nodes(name), []);
    const successor = await successorOf(agent);
    await allRegistered(successor, 1);
    assert.deepEqual(await zookeeper.nodes(name), nodes);
    await successor.unpublish({ interface: name, port: 20880 });
    await successor.stop('SIGKILL');
    const third = await successorOf(successor);
    assert.deepEqual(await publications(third), [], 'what was taken back does not come back');
    await third.stop();
  });

  it('with another port to advertise: the new URL comes before the old one goes', async () => {
    const name = 'com.example.Moved';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: 20880, check: NO_CHECK });
    await agent.stop('SIGKILL');
    const inbound = await freePort();
    const seen = [];
    const look = () => zookeeper.ask('getChildren', `/dubbo/${name}/providers`, () => look()).then((result) => seen.push(result.length));
    await look();
    const successor = await successorOf(agent, { ports: { ...portsOf(agent), inbound } });
    await eventually(async () => {
      const urls = await zookeeper.urls(name);
      return urls.length === 1 && urls[0].includes(`:${inbound}/`);
    }, 'only the new URL is left');
    await allRegistered(successor, 1);
    assert.ok(!seen.includes(0), `seen: ${seen}`);
    await successor.stop();
  });

  it('after its session expired while it was away: everything is there again', async () => {
    const name = 'com.example.Expired';
    const registry = `${zookeeper.registry}?session=1000`;
    const agent = await startAgent(stage, { registry });
    await agent.publish({ interface: name, port: 20880, check: NO_CHECK });
    const nodes = await zookeeper.nodes(name);
    await agent.stop('SIGKILL');
    await eventually(async () => (await zookeeper.nodes(name)).length === 0, 'the session has expired');
    const successor = await successorOf(agent, { registry });
    await allRegistered(successor, 1);
    assert.deepEqual(await zookeeper.nodes(name), nodes);
    assert.equal(successor.logLines(/has expired; opening a new one/).length, 1);
    await successor.stop();
  });

  it('starts with damaged files, keeps them, and says so', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: 'com.example.Damaged', port: 20880, check: NO_CHECK });
    await agent.stop();
    const file = path.join(agent.stateDir, 'state.json');
    assert.equal(fs.statSync(file).mode & 0o777, 0o600);
    const text = fs.readFileSync(file);
    fs.writeFileSync(file, text.subarray(0, text.length - 1));
    fs.writeFileSync(path.join(agent.stateDir, 'directory.json'), 'skiff-state 99 what a later version writes');
    const successor = await successorOf(agent);
    assert.equal(successor.logLines(/state\.json cannot be used: it is damaged.*kept as .*state\.json\.unusable-1/).length, 1);
    assert.equal(successor.logLines(/directory\.json cannot be used: a newer agent wrote it/).length, 1);
    assert.deepEqual(fs.readFileSync(`${file}.unusable-1`), text.subarray(0, text.length - 1));
    assert.equal((await successor.metrics()).skiff_state_files_set_aside_total, 2);
    await successor.publish({ interface: 'com.example.Damaged', port: 20880, check: NO_CHECK });
    await successor.stop();
  });

  it('goes on where it cannot write, and says so', async () => {
    const name = 'com.example.Unwritable';
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    const obstacle = path.join(agent.stateDir, 'state.json.new');
    await agent.publish({ interface: name, port: 20880, check: NO_CHECK });
    fs.mkdirSync(obstacle);
    await agent.publish({ interface: name, port: 20881, check: NO_CHECK });
    assert.equal((await zookeeper.nodes(name)).length, 2);
    const { status, body } = await agent.get('/readyz');
    assert.equal(status, 200);
    assert.match(body.state.problem, /state\.json\.new: cannot create it/);
    assert.equal((await agent.metrics()).skiff_state_stored, 0);
    assert.ok((await agent.metrics()).skiff_state_write_failures_total > 0);
    fs.rmdirSync(obstacle);
    await agent.publish({ interface: name, port: 20882, check: NO_CHECK });
    assert.equal((await agent.metrics()).skiff_state_stored, 1);
    await agent.stop('SIGKILL');
    const successor = await successorOf(agent);
    await allRegistered(successor, 3);
    await successor.stop();
  });

  it('refuses a folder that another agent uses', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await assert.rejects(startAgent(stage, { name: 'second', registry: zookeeper.registry, stateDir: agent.stateDir }),
      /--state-dir .*: another agent uses it/);
    await agent.stop();
  });
});

scenario('Restart while the registry is away', ({ stage, it }) => {
  it('serves calls from disk, takes requests, and makes them good when the registry is back', async () => {
    const name = 'com.example.Outage';
    const onDemand = 'com.example.OutageOnDemand';
    const zookeeper = await startZooKeeper(stage);
    const provider = await RawProvider.start(stage, (call) => call.value('from disk'));
    // They outlive the outage whatever happens to sessions.
    for (const service of [name, onDemand]) await zookeeper.register(service, { port: provider.port, outlivesSession: true });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.subscribe({ interface: name });
    await agent.publish({ interface: 'com.example.OutageOld', port: 20880, check: NO_CHECK });
    await agent.publish({ interface: 'com.example.OutageGone', port: 20880, check: NO_CHECK });
    const first = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await first.call({ service: onDemand })).value, 'from disk');
    const nodes = await zookeeper.nodes('com.example.OutageOld');
    // Lists are written within a second or so.
    await eventually(() => fs.readFileSync(path.join(agent.stateDir, 'directory.json'), 'utf8').includes(onDemand), 'the lists are on disk');
    await zookeeper.stop();
    await agent.stop('SIGKILL');

    const successor = await startAgent(stage, { name: 'successor', registry: zookeeper.registry, ports: portsOf(agent), stateDir: agent.stateDir, until: '/healthz' });
    const consumer = await RawConsumer.connect(stage, successor.outbound);
    assert.equal((await consumer.call({ service: name })).value, 'from disk');
    assert.equal((await consumer.call({ service: onDemand })).value, 'from disk');
    const known = (await successor.get('/publications')).body.publications;
    assert.deepEqual(known.map((one) => [one.interface, one.state]), [['com.example.OutageGone', 'pending'], ['com.example.OutageOld', 'pending']]);
    const published = await successor.post('/publish?wait=0', { service: { interface: 'com.example.OutageNew', port: 20880, check: NO_CHECK } });
    assert.equal(published.status, 202);
    assert.equal((await successor.post('/unpublish?wait=0', { service: { interface: 'com.example.OutageGone', port: 20880 } })).status, 202);

    // What was accepted during the outage outlives another crash.
    await successor.stop('SIGKILL');
    const third = await startAgent(stage, { name: 'third', registry: zookeeper.registry, ports: portsOf(agent), stateDir: agent.stateDir, until: '/healthz' });
    await zookeeper.restart(stage);
    await eventually(async () => {
      const now = (await third.get('/publications')).body.publications;
      return now.length === 2 && now.every((one) => one.state === 'registered');
    }, 'both publications are registered');
    await zookeeper.lookInto(stage, async () => {
      assert.deepEqual(await zookeeper.nodes('com.example.OutageOld'), nodes);
      assert.equal((await zookeeper.nodes('com.example.OutageNew')).length, 1);
      await eventually(async () => (await zookeeper.nodes('com.example.OutageGone')).length === 0, 'what was taken back is gone');
    });
    const last = await RawConsumer.connect(stage, third.outbound);
    assert.equal((await last.call({ service: name })).value, 'from disk');
    await third.stop();
  });

  it('writes everything again where the registry has lost its data, whether or not it restarts itself', async () => {
    const name = 'com.example.Wiped';
    const zookeeper = await startZooKeeper(stage);
    const registry = `${zookeeper.registry}?session=1000`;
    let agent = await startAgent(stage, { registry });
    await agent.publish({ interface: name, port: 20880, check: NO_CHECK });
    const nodes = await zookeeper.nodes(name);
    for (const crashes of [false, true]) {
      await zookeeper.stop();
      if (crashes) await agent.stop('SIGKILL');
      zookeeper.wipe();
      await zookeeper.restart(stage);
      await zookeeper.connect(stage);
      if (crashes) agent = await startAgent(stage, { name: 'successor', registry, ports: portsOf(agent), stateDir: agent.stateDir });
      await eventually(async () => (await zookeeper.nodes(name)).length === 1, 'the provider is there again');
      assert.deepEqual(await zookeeper.nodes(name), nodes);
    }
    await agent.stop();
  });
});
