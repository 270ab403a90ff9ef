'use strict';
// What happens when the registry fails: it is not there, goes, comes back empty, falls silent, or ends our session.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { SilentProxy } = require('./lib/silent-proxy');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { savedSession, startZooKeeper } = require('./lib/zookeeper');

// How long the registry is away under load, and what the test around that may take.
const OUTAGE_MS = 60_000;
const OUTAGE_LIMIT_MS = OUTAGE_MS + 120_000;

const portsOf = ({ api, outbound, inbound }) => ({ api, outbound, inbound });
const publication = async (agent, name) => (await agent.get('/publications')).body.publications.find((one) => one.interface === name);
const isRegistered = (agent, name) => eventually(async () => {
  const { state, reason } = await publication(agent, name);
  return state === 'registered' && !reason;
}, `${name} is registered`);
const pathOf = (name, node) => `/dubbo/${name}/providers/${node}`;

// A provider that this agent publishes, and that is called through it.
async function publishProvider(stage, agent, name) {
  const provider = await RawProvider.start(stage, (call) => call.value(name));
  await agent.publish({ interface: name, port: provider.port });
  await agent.subscribe({ interface: name });
  return provider;
}

const startLoad = (stage, agent, name) => Load.start(stage, agent.outbound, () => ({ service: name }), { connections: 2, loops: 2, pauseMs: 2 });

scenario('A registry that is not there', ({ stage, it }) => {
  it('when the agent starts: what is published meanwhile is registered when it comes', async () => {
    const name = 'com.example.Before';
    const port = await freePort();
    const agent = await startAgent(stage, { registry: `zookeeper://127.0.0.1:${port}`, until: '/healthz' });
    const provider = await RawProvider.start(stage);
    const { status, body } = await agent.post('/publish?wait=0', { service: { interface: name, port: provider.port } });
    assert.equal(status, 202);
    assert.equal(body.state, 'pending');
    await eventually(async () => /registry zookeeper:.*(no connection to|connecting to)/.test((await publication(agent, name)).reason), 'the reason names the registry');
    assert.equal((await agent.post('/subscribe?wait=0', { service: { interface: name } })).status, 202);

    const zookeeper = await startZooKeeper(stage, { port });
    await isRegistered(agent, name);
    assert.equal((await zookeeper.nodes(name)).length, 1);
    await agent.knowsProviders(name, 1);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await consumer.call({ service: name, args: ['found'] })).value, 'found');
    await agent.stop();
  });

  it('later: calls go on, what is asked for waits with a reason, and nodes are the same when it is back', async () => {
    const [name, late] = ['com.example.Served', 'com.example.Late'];
    const zookeeper = await startZooKeeper(stage);
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await publishProvider(stage, agent, name);
    const [node] = await zookeeper.nodes(name);
    const before = await zookeeper.creation(pathOf(name, node));
    const load = await startLoad(stage, agent, name);

    await zookeeper.stop();
    await eventually(async () => /no connection to/.test((await publication(agent, name)).reason), 'the agent knows that it is away');
    const provider = await RawProvider.start(stage);
    assert.equal((await agent.post('/publish?wait=0', { service: { interface: late, port: provider.port } })).status, 202);
    assert.match((await publication(agent, late)).reason, /no connection to/);
    assert.equal((await agent.get('/readyz')).status, 200);
    await load.more(200);

    await zookeeper.restart(stage);
    await isRegistered(agent, late);
    await isRegistered(agent, name);
    assert.deepEqual(await load.stop(), []);
    await zookeeper.lookInto(stage, async () => {
      assert.deepEqual(await zookeeper.creation(pathOf(name, node)), before);
      assert.equal((await zookeeper.nodes(late)).length, 1);
    });
    await agent.stop();
  });

  it('and has lost its data when it is back: everything is written again, and lists are watched', async () => {
    const name = 'com.example.Lost';
    const zookeeper = await startZooKeeper(stage);
    const agent = await startAgent(stage, { registry: `${zookeeper.registry}?session=1000` });
    await publishProvider(stage, agent, name);
    const nodes = await zookeeper.nodes(name);
    const load = await startLoad(stage, agent, name);
    await zookeeper.stop();
    zookeeper.wipe();
    await zookeeper.restart(stage);
    await zookeeper.connect(stage);
    await eventually(async () => (await zookeeper.nodes(name)).length === 1, 'it is written again');
    assert.deepEqual(await zookeeper.nodes(name), nodes);
    assert.equal((await agent.metrics()).skiff_registry_lost_sessions_total, 1);
    const other = await RawProvider.start(stage, (call) => call.value(name));
    await zookeeper.register(name, { port: other.port });
    await agent.knowsProviders(name, 2);
    assert.deepEqual(await load.stop(), []);
    await agent.stop();
  });

  it('for a minute of continuous calls: none fails, and an agent that is killed meanwhile serves from disk', async () => {
    const name = 'com.example.Outage';
    const zookeeper = await startZooKeeper(stage);
    const registry = `${zookeeper.registry}?session=2000`;
    const agent = await startAgent(stage, { name: 'steady', registry });
    const victim = await startAgent(stage, { name: 'victim', registry });
    const providers = await Promise.all(['one', 'two'].map((value) => RawProvider.start(stage, (call) => call.value(value))));
    for (const { port } of providers) await zookeeper.register(name, { port, outlivesSession: true });
    for (const one of [agent, victim]) await one.subscribe({ interface: name }, 2);
    await victim.publish({ interface: 'com.example.OfVictim', port: providers[0].port });
    const load = await startLoad(stage, agent, name);
    await load.more(100);
    const disk = path.join(victim.stateDir, 'directory.json');
    await eventually(() => fs.readFileSync(disk, 'utf8').includes(name), 'the list is on disk');
    await zookeeper.stop();
    const end = Date.now() + OUTAGE_MS;

    await victim.stop('SIGKILL');
    const successor = await startAgent(stage, { name: 'successor', registry, ports: portsOf(victim), stateDir: victim.stateDir, until: '/healthz' });
    const consumer = await RawConsumer.connect(stage, successor.outbound);
    const answers = await Promise.all(Array.from({ length: 40 }, () => consumer.call({ service: name })));
    assert.deepEqual([...new Set(answers.map((answer) => answer.value))].sort(), ['one', 'two']);
    while (Date.now() < end) await load.more(50);

    await zookeeper.restart(stage);
    await isRegistered(successor, 'com.example.OfVictim');
    load.takeValues();
    await load.more(100);
    assert.equal(load.takeValues().size, 2);
    assert.deepEqual(await load.stop(), []);
    for (const one of [agent, successor]) await one.stop();
  }, OUTAGE_LIMIT_MS);
});

scenario('A registry that ends our session', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  it('behind a network that swallows everything: it is given up in time, calls go on, all is there afterwards', async () => {
    const name = 'com.example.BlackHole';
    const proxy = await SilentProxy.start(stage, zookeeper.server);
    const agent = await startAgent(stage, { registry: `${proxy.registry}?session=2000` });
    await publishProvider(stage, agent, name);
    const nodes = await zookeeper.nodes(name);
    const load = await startLoad(stage, agent, name);
    proxy.isSilent = true;
    const began = Date.now();
    await eventually(async () => /no connection to/.test((await publication(agent, name)).reason), 'the agent notices');
    const noticed = Date.now() - began;
    assert.ok(noticed < 2_000, `noticed after ${noticed} ms, a session timeout is 2,000`);
    await eventually(async () => (await zookeeper.nodes(name)).length === 0, 'the server has ended the session');
    const { port } = await RawProvider.start(stage);
    assert.equal((await agent.post('/publish?wait=0', { service: { interface: `${name}.Late`, port } })).status, 202);
    await load.more(100);
    proxy.heal();
    for (const one of [name, `${name}.Late`]) await isRegistered(agent, one);
    assert.deepEqual(await zookeeper.nodes(name), nodes);
    assert.equal((await zookeeper.nodes(`${name}.Late`)).length, 1);
    await load.more(100);
    assert.deepEqual(await load.stop(), []);
    assert.ok(proxy.swallowed > 0);
    await agent.stop();
  });

  it('on purpose: everything is created again, and the lists that are watched live', async () => {
    const name = 'com.example.Ended';
    // A session that ends while its connection stands is noticed after two thirds of its timeout.
    const registry = `${zookeeper.registry}?session=3000`;
    const agent = await startAgent(stage, { registry });
    await publishProvider(stage, agent, name);
    const [node] = await zookeeper.nodes(name);
    const [consumerNode] = await eventually(async () => {
      const nodes = await zookeeper.nodes(name, 'consumers');
      return nodes.length === 1 && nodes;
    }, 'the consumer node is there');
    const { owner } = await zookeeper.creation(pathOf(name, node));
    const load = await startLoad(stage, agent, name);

    await zookeeper.expire(stage, agent.stateDir);
    await eventually(async () => {
      const now = await zookeeper.creation(pathOf(name, node));
      return now && now.owner !== owner;
    }, 'the node is there, of another session');
    await eventually(async () => (await zookeeper.nodes(name, 'consumers')).includes(consumerNode), 'the consumer node is there');
    await isRegistered(agent, name);
    assert.equal((await agent.metrics()).skiff_registry_lost_sessions_total, 1);
    const other = await RawProvider.start(stage, (call) => call.value('other'));
    const otherNode = await zookeeper.register(name, { port: other.port });
    await agent.knowsProviders(name, 2);
    await zookeeper.remove(otherNode);
    await agent.knowsProviders(name, 1);
    assert.deepEqual(await load.stop(), []);

    // The new session is the one that a successor takes up.
    const later = await zookeeper.creation(pathOf(name, node));
    await eventually(() => savedSession(agent.stateDir).id === later.owner, 'the new session is on disk');
    await agent.stop('SIGKILL');
    const successor = await startAgent(stage, { name: 'successor', registry, ports: portsOf(agent), stateDir: agent.stateDir });
    await isRegistered(successor, name);
    assert.deepEqual(await zookeeper.creation(pathOf(name, node)), later);
    await successor.stop();
  });
});
