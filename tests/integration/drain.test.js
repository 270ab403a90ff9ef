'use strict';
// A machine that is taken out of service before its maintenance: POST /drain, and POST /undrain when it is back.

const assert = require('node:assert/strict');
const { BINARY, startAgent } = require('./lib/agent');
const { run } = require('./lib/command');
const frames = require('./lib/frames');
const { Load } = require('./lib/load');
const { startApacheConsumer, startProvider, startSofaConsumer } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const CHECK = { interval: '100ms', failures: 2 };
const isReadonly = (frame) => frame.isEvent && frame.body.equals(frames.readonly().subarray(frames.HEADER));
const stateOf = async (agent) => (await agent.get('/publications')).body.publications[0];

// Calls of a stock consumer, one after the other, until stop(); which says what failed.
class StockCalls {
  constructor(call) {
    Object.assign(this, { call, isOver: false, answers: [], failures: [] });
    this.done = this.run();
  }

  async run() {
    while (!this.isOver) {
      try { this.answers.push(await this.call()); } catch (error) { this.failures.push(error.message); }
    }
  }

  async more(count) {
    const goal = this.answers.length + count;
    await eventually(() => this.answers.length >= goal || this.failures.length > 0, `${count} further calls`);
  }

  async stop() {
    this.isOver = true;
    await this.done;
    return this.failures;
  }
}

scenario('A machine that is taken out of service', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  it('one of two, under load of stock consumers: no call fails, through its maintenance and its return', async () => {
    const name = 'com.example.Maintained';
    const services = [{ interface: name }];
    const publication = (port) => ({ interface: name, port, methods: ['echo', 'whoami'], check: CHECK, parameters: { warmup: '1' } });
    const startOne = (which, port) => startProvider(stage, { name: which, port, services });
    const port = await freePort();
    let provider = await startOne('maintained', port);
    const other = await startOne('other');
    let agent = await startAgent(stage, { name: 'maintained agent', registry: zookeeper.registry });
    const otherAgent = await startAgent(stage, { name: 'other agent', registry: zookeeper.registry });
    await agent.publish(publication(port));
    await otherAgent.publish(publication(other.port));
    const near = await startAgent(stage, { name: 'near agent', registry: zookeeper.registry });
    await near.subscribe({ interface: name }, 2);

    const sofa = await startSofaConsumer(stage, { interface: name, port: near.outbound });
    const apache = await startApacheConsumer(stage, { name: 'stock-consumer', interface: name, zookeeper: zookeeper.address });
    const bursts = new StockCalls(async () => assert.equal(await sofa.ask('burst', 20), 20));
    const direct = new StockCalls(() => apache.call('whoami'));
    const load = await Load.start(stage, near.outbound, () => ({ service: name, method: 'whoami' }), { connections: 4, loops: 4 });
    await Promise.all([load.more(500), bursts.more(20), direct.more(50)]);
    assert.deepEqual([...load.takeValues().keys()].sort(), ['maintained', 'other']);

    const drained = await agent.post('/drain?wait=30s');
    assert.equal(drained.status, 200, drained.text);
    assert.equal(drained.body.state, 'drained');
    assert.equal(drained.body.in_flight, 0);
    assert.deepEqual(drained.body.publications.map((one) => [one.interface, one.state]), [[name, 'unregistered']]);
    assert.equal((await zookeeper.urls(name)).length, 1);
    load.takeValues();
    await load.more(300);
    assert.deepEqual([...load.takeValues().keys()], ['other']);

    // All of the machine goes, and comes back.
    provider.running.kill('SIGKILL');
    await provider.running.ended;
    assert.equal((await agent.stop()).code, 0);
    await Promise.all([load.more(300), bursts.more(10), direct.more(20)]);
    const { stateDir, api, outbound, inbound } = agent;
    agent = await startAgent(stage, { name: 'returned agent', registry: zookeeper.registry, until: '/healthz', stateDir, ports: { api, outbound, inbound } });
    provider = await startOne('returned', port);
    await agent.post('/publish?wait=0', { service: publication(port) });
    await eventually(async () => (await stateOf(agent)).health === 'up', 'its provider is well');
    assert.equal((await zookeeper.urls(name)).length, 1, 'it is drained all the same');

    const undrained = await agent.post('/undrain?wait=20s');
    assert.equal(undrained.status, 200, undrained.text);
    assert.equal(undrained.body.state, 'serving');
    assert.deepEqual(undrained.body.publications.map((one) => one.state), ['registered']);
    await near.knowsProviders(name, 2);
    load.takeValues();
    await eventually(async () => { await load.more(100); return load.takeValues().has('returned'); }, 'calls go to it again');
    await Promise.all([bursts.more(10), direct.more(20)]);
    assert.deepEqual([await load.stop(), await bursts.stop(), await direct.stop()], [[], [], []]);
  }, 120_000);

  it('tells consumers READONLY, says how many calls never end, and takes it all back', async () => {
    const name = 'com.example.NeverEnds';
    const provider = await RawProvider.start(stage, (call) => { if (call.method !== 'never') call.value('here'); });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port, check: CHECK });
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    consumer.call({ service: name, method: 'never' }).catch(() => {});
    await eventually(() => provider.calls.length === 1, 'a call is in flight');
    const { status, body } = await agent.post('/drain?wait=2s');
    assert.equal(status, 202);
    assert.equal(body.state, 'pending');
    assert.equal(body.in_flight, 1);
    assert.equal(body.reason, '1 requests are still in flight');
    assert.deepEqual(await zookeeper.urls(name), []);
    await eventually(() => consumer.events.length === 1, 'READONLY comes');
    assert.ok(isReadonly(consumer.events[0]));
    assert.equal((await agent.get('/readyz')).status, 503, 'it is in force');
    assert.equal((await consumer.call({ service: name, method: 'echo' })).value, 'here', 'what comes is served');
    const undrained = await agent.post('/undrain?wait=10s');
    assert.equal(undrained.status, 200, undrained.text);
    await eventually(() => consumer.events.length === 2, 'WRITEABLE comes');
    assert.equal((await zookeeper.urls(name)).length, 1);
    assert.equal((await agent.get('/readyz')).status, 200);
  });

  it('keeps out what is published meanwhile, serves its consumers, and tells wherever one looks', async () => {
    const [name, far] = ['com.example.Late', 'com.example.Far'];
    const provider = await RawProvider.start(stage);
    const farProvider = await RawProvider.start(stage, (call) => call.value('far'));
    await zookeeper.register(far, { port: farProvider.port });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.subscribe({ interface: far });
    const empty = await agent.post('/drain');
    assert.deepEqual([empty.status, empty.body.publications], [200, []]);
    const published = await agent.post('/publish?wait=0', { service: { interface: name, port: provider.port, check: { type: 'none' } } });
    assert.equal(published.status, 202);
    assert.match(published.body.reason, /drained/);
    assert.equal((await stateOf(agent)).state, 'drained');
    assert.deepEqual(await zookeeper.urls(name), []);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    assert.equal((await consumer.call({ service: far, method: 'echo' })).value, 'far');

    const { status, body: { reason } } = await agent.get('/readyz');
    assert.deepEqual([status, reason], [503, 'drained']);
    assert.equal((await agent.get('/healthz')).status, 200);
    const { body } = await agent.get('/status');
    assert.equal(body.drained, true);
    assert.ok(body.events.some(({ text }) => /^drained: /.test(text)));
    assert.equal((await agent.metrics()).skiff_drained, 1);
    const undrained = await agent.post('/undrain?wait=10s');
    assert.equal(undrained.status, 200, undrained.text);
    assert.equal((await zookeeper.urls(name)).length, 1);
    assert.equal((await agent.metrics()).skiff_drained, 0);
    assert.ok((await agent.get('/status')).body.events.some(({ text }) => /^undrained: /.test(text)));
  });

  it('while a registry is away: withdraws when it is back, and nothing comes back by itself', async () => {
    const name = 'com.example.Away';
    const lost = await startZooKeeper(stage);
    const provider = await RawProvider.start(stage);
    const service = { interface: name, port: provider.port, check: { type: 'none' } };
    const agent = await startAgent(stage, { registry: lost.registry });
    await agent.publish(service);
    assert.equal((await lost.urls(name)).length, 1);
    await lost.stop();
    await eventually(async () => (await agent.get('/status')).body.registries[0].connected === false, 'the agent has noticed');
    const pending = await agent.post('/drain?wait=2s');
    assert.equal(pending.status, 202);
    assert.match(pending.body.reason, /no connection/);
    assert.deepEqual(pending.body.publications.map(({ state, reason }) => [state, reason]), [['pending', pending.body.reason]]);
    // An agent that is started anew knows what it has to delete.
    await agent.stop('SIGKILL');
    const { stateDir, api, outbound, inbound } = agent;
    const successor = await startAgent(stage, { name: 'successor', registry: lost.registry, until: '/healthz', stateDir, ports: { api, outbound, inbound } });
    assert.equal((await successor.post('/publish?wait=0', { service })).status, 202);
    await lost.restart(stage);
    await eventually(async () => (await successor.get('/status')).body.registries[0].connected, 'it is connected again');
    const drained = await successor.post('/drain?wait=20s');
    assert.equal(drained.status, 200, drained.text);
    await lost.connect(stage);
    assert.deepEqual(await lost.urls(name), []);
    assert.deepEqual((await successor.get('/publications')).body.leaving, []);
    assert.equal((await successor.post('/undrain?wait=20s')).status, 200);
    assert.equal((await lost.urls(name)).length, 1);
  }, 60_000);

  it('outlives a crash and an upgrade, which consumers that were told notice nothing of', async () => {
    const name = 'com.example.Outlives';
    const held = [];
    const provider = await RawProvider.start(stage, (call) => held.push(call));
    let agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
    await agent.post('/drain?wait=0');
    await agent.stop('SIGKILL');
    const { stateDir, api, outbound, inbound } = agent;
    agent = await startAgent(stage, { name: 'after the crash', registry: zookeeper.registry, until: '/healthz', stateDir, ports: { api, outbound, inbound } });
    assert.deepEqual(await eventually(async () => (await agent.get('/readyz')).body.reason === 'drained', 'it is drained'), true);
    await eventually(() => agent.logLines(/the agent is drained, since before its start/).length === 1, 'it says so');
    await eventually(async () => (await zookeeper.urls(name)).length === 0, 'its node is gone');

    const consumer = await RawConsumer.connect(stage, agent.inbound);
    const answer = consumer.call({ service: name, method: 'hold', attachments: { timeout: '20000' } });
    await eventually(() => held.length === 1, 'a call is in flight');
    await eventually(() => consumer.events.length === 1, 'READONLY comes');
    const { status, body } = await agent.upgrade();
    assert.equal(status, 200, body.err_msg);
    assert.equal((await agent.get('/readyz')).body.reason, 'drained');
    assert.deepEqual(await zookeeper.urls(name), []);
    held[0].value('held');
    assert.equal((await answer).value, 'held');
    assert.ok(consumer.events.every(isReadonly), 'no WRITEABLE comes');
    assert.equal((await agent.post('/drain')).status, 200);
    assert.equal((await agent.post('/undrain?wait=10s')).status, 200);
    assert.equal((await zookeeper.urls(name)).length, 1);
  }, 60_000);

  it('by commands, whose exit code says whether it is complete', async () => {
    const name = 'com.example.Commanded';
    const provider = await RawProvider.start(stage, (call) => { if (call.method !== 'never') call.value('here'); });
    const agent = await startAgent(stage, { registry: zookeeper.registry, flags: ['--drain-timeout', '500ms'] });
    await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
    const skiff = (...args) => run(BINARY, [...args, '--api', `127.0.0.1:${agent.api}`]);
    const drained = await skiff('drain');
    assert.equal(drained.code, 0, drained.stderr);
    assert.match(drained.stdout, /^drain success: drained\n {2}in flight +0\ncom\.example\.Commanded at port \d+, zookeeper:\S+: unregistered\n$/);
    assert.match((await skiff('status')).stdout, /^skiff .*: NOT READY: drained; DRAINED: .*skiff undrain\n/);
    const undrained = await skiff('undrain', '--json');
    assert.equal(undrained.code, 0, undrained.stderr);
    assert.equal(JSON.parse(undrained.stdout).state, 'serving');

    const consumer = await RawConsumer.connect(stage, agent.inbound);
    consumer.call({ service: name, method: 'never' }).catch(() => {});
    await eventually(() => provider.calls.length === 1, 'a call is in flight');
    const pending = await skiff('drain', '--wait', '1s');
    assert.equal(pending.code, 1);
    assert.match(pending.stdout, /^drain accepted: pending\n {2}reason +1 requests are still in flight\n {2}in flight +1\n/);
    assert.equal((await skiff('drain', '--wait', 'soon')).code, 1);
    await agent.stop();
    const absent = await skiff('drain');
    assert.equal(absent.code, 1);
    assert.match(absent.stderr, /is it running\?/);
    assert.match((await run(BINARY, ['drain', '--help'])).stdout, /--wait/);
  });
});
