'use strict';
// The weight of a young provider in steps, as those see it who read the registry.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const HOUR = 3_600_000;
// A timestamp that differs by more from the time at which a provider came is not believed (registry/limits.h).
const CLOCK_TOLERANCE_MS = 5_000;

const parametersOf = (url) => Object.fromEntries(new URLSearchParams(url.split('?')[1]));
const timestampsOf = async (agent, name) => (await agent.get(`/services/${name}`)).body.endpoints.map(({ url }) => parametersOf(url).timestamp);

// All that a consumer sees of an interface's providers: the list after each change, as URLs.
class Consumer {
  static async start(zookeeper, name) {
    const consumer = Object.assign(new Consumer(), { zookeeper, name, lists: [] });
    await consumer.look();
    return consumer;
  }

  async look() {
    const nodes = await this.zookeeper.ask('getChildren', `/dubbo/${this.name}/providers`, () => { this.look().catch(() => {}); });
    this.lists.push(nodes.map(decodeURIComponent));
  }

  get last() { return this.lists.at(-1); }

  // The weights in the order in which they came; 100 where a URL names none.
  weights() {
    const urls = [...new Set(this.lists.flat())];
    return urls.map((url) => Number(parametersOf(url).weight || 100));
  }

  async sees(weight) {
    await eventually(() => this.last.length === 1 && Number(parametersOf(this.last[0]).weight || 100) === weight, `the only provider has weight ${weight}`);
    return this.last[0];
  }

  neverSawNone() { assert.deepEqual(this.lists.filter((list) => list.length === 0), [], 'there was a moment without any provider'); }
}

scenario('A weight in four steps', ({ stage, before, it }) => {
  let zookeeper;
  let provider;
  before(async () => {
    zookeeper = await startZooKeeper(stage);
    provider = await RawProvider.start(stage, (call) => call.value('here'));
  });

  const portsOf = ({ api, outbound, inbound }) => ({ api, outbound, inbound });
  const start = (options) => startAgent(stage, { registry: zookeeper.registry, flags: ['--warmup-steps', '4'], ...options });
  const successorOf = (agent, options) => start({ name: 'successor', ports: portsOf(agent), stateDir: agent.stateDir, ...options });
  const publication = (name, warmup) => ({ interface: name, port: provider.port, methods: ['whoami'], parameters: { warmup: String(warmup) } });
  const own = async (agent) => (await agent.get('/publications')).body.publications[0];

  it('rises to the URL that is written without them, and there is always one', async () => {
    const name = 'com.example.Rising';
    const agent = await start();
    const began = Date.now();
    const { url: first } = await agent.publish(publication(name, 3_000));
    const consumer = await Consumer.start(zookeeper, name);
    assert.deepEqual(consumer.last, [first]);
    assert.equal((await own(agent)).warming_up, 'weight 25 of 100');
    await consumer.sees(50);
    const known = await own(agent);
    assert.deepEqual([known.state, known.url, known.warming_up], ['registered', consumer.last[0], 'weight 50 of 100']);
    const last = await consumer.sees(100);
    assert.ok(Date.now() - began >= 3_000, `after ${Date.now() - began} ms`);
    assert.deepEqual(consumer.weights(), [25, 50, 75, 100]);
    consumer.neverSawNone();
    assert.equal((await own(agent)).warming_up, undefined);

    assert.equal(last, first.replace('&skiff.warmup=3000', '').replace('&warmup=1', '&warmup=3000').replace('&weight=25', ''));
    // It is what an agent without the option writes, which would replace any other.
    const [node] = await zookeeper.nodes(name);
    const path = `/dubbo/${name}/providers/${node}`;
    const created = await zookeeper.creation(path);
    await agent.stop('SIGKILL');
    const successor = await successorOf(agent, { flags: [] });
    await eventually(async () => (await own(successor)).state === 'registered', 'registered again');
    assert.deepEqual(await zookeeper.nodes(name), [node]);
    assert.deepEqual(await zookeeper.creation(path), created);
    await successor.stop();
  });

  it('goes on after a crash from where it was', async () => {
    const name = 'com.example.Crashing';
    let agent = await start();
    const began = Date.now();
    await agent.publish(publication(name, 6_000));
    const consumer = await Consumer.start(zookeeper, name);
    await consumer.sees(50);
    await agent.stop('SIGKILL');
    agent = await successorOf(agent);
    await eventually(async () => (await own(agent)).state === 'registered', 'registered again');
    await consumer.sees(100);
    assert.ok(Date.now() - began >= 6_000, `after ${Date.now() - began} ms`);
    assert.deepEqual(consumer.weights(), [25, 50, 75, 100]);
    consumer.neverSawNone();
    await agent.stop();
  });

  it('makes no agent take a provider for a new one, whether it saw the steps or finds the last', async () => {
    const name = 'com.example.Aged';
    const agent = await start({ flags: ['--warmup-steps', '2'] });
    const early = await startAgent(stage, { name: 'early', registry: zookeeper.registry });
    const { url } = await agent.publish(publication(name, CLOCK_TOLERANCE_MS + 2_000));
    const { timestamp } = parametersOf(url);
    await early.subscribe({ interface: name }, 1);
    await (await Consumer.start(zookeeper, name)).sees(100);
    const late = await startAgent(stage, { name: 'late', registry: zookeeper.registry });
    // Asked for after ours, and corrected.
    await zookeeper.register(name, { port: 1, parameters: { timestamp: String(Date.now() + HOUR) } });
    for (const one of [early, late]) {
      await one.subscribe({ interface: name }, 2);
      const dates = await eventually(async () => {
        const listed = await timestampsOf(one, name);
        return listed.length === 2 && listed.every((date) => Number(date) <= Date.now()) && listed;
      }, 'the time of the other provider is corrected');
      assert.ok(dates.includes(timestamp), `${one.running.name}: ${dates}, expected ${timestamp}`);
    }
    await agent.stop();
  });

  it('begins anew when the provider was down', async () => {
    const name = 'com.example.Restarting';
    const mortal = await RawProvider.start(stage);
    const agent = await start();
    await agent.publish({ ...publication(name, 1_500), port: mortal.port, check: { interval: '100ms', timeout: '500ms', failures: 2 } });
    const consumer = await Consumer.start(zookeeper, name);
    await consumer.sees(100);
    await mortal.stop();
    await eventually(() => consumer.last.length === 0, 'it is withdrawn');
    await mortal.listen(mortal.port);
    await consumer.sees(25);
    await consumer.sees(100);
    assert.deepEqual(consumer.weights(), [25, 50, 75, 100, 25, 50, 75, 100]);
    await agent.stop();
  });
});
