'use strict';
// The weight of a young provider in steps, as those see it who read the registry. On a slow machine they miss some; which steps there are, and when, is
// tested with a clock of its own in tests/unit/registry/.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const HOUR = 3_600_000;
// A timestamp that differs by more from the time at which a provider came is not believed (registry/limits.h).
const CLOCK_TOLERANCE_MS = 5_000;

const STEPS = [25, 50, 75, 100];

const parametersOf = (url) => Object.fromEntries(new URLSearchParams(url.split('?')[1]));
// 100 where the URL names none.
const weightOf = (url) => Number(parametersOf(url).weight || 100);
const shownWarmUp = (url) => (weightOf(url) < 100 ? `weight ${weightOf(url)} of 100` : undefined);
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

  // The weights of each time in which there was a provider, in the order in which they came.
  rises() {
    const rises = [];
    let urls = null;
    for (const list of this.lists) {
      if (list.length > 0 && urls === null) rises.push(urls = new Set());
      if (list.length === 0) urls = null;
      // What comes together with another may stand before it.
      for (const url of [...list].sort((one, other) => weightOf(one) - weightOf(other))) urls.add(url);
    }
    return rises.map((rise) => [...rise].map(weightOf));
  }

  // Whoever looks may miss any of them but the last; none comes twice, and none after a greater one.
  sawRises(count) {
    const rises = this.rises();
    assert.equal(rises.length, count, JSON.stringify(rises));
    for (const weights of rises) {
      assert.deepEqual(weights, STEPS.filter((weight) => weights.includes(weight)), JSON.stringify(rises));
      assert.equal(weights.at(-1), 100, JSON.stringify(rises));
    }
  }

  // One provider, with its whole weight or what is given.
  async sees(what = 'its whole weight', isSeen = (weight) => weight === 100) {
    await eventually(() => this.last.length === 1 && isSeen(weightOf(this.last[0])), `there is one provider, with ${what}`);
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
    assert.equal(weightOf(first), 25);
    await eventually(async () => {
      const { state, url, warming_up: warmingUp } = await own(agent);
      return state === 'registered' && consumer.last.includes(url) && warmingUp === shownWarmUp(url);
    }, 'the agent shows what is registered');
    const last = await consumer.sees();
    assert.ok(Date.now() - began >= 3_000, `after ${Date.now() - began} ms`);
    consumer.sawRises(1);
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
    await consumer.sees('more than its first weight', (weight) => weight > 25);
    await agent.stop('SIGKILL');
    agent = await successorOf(agent);
    await eventually(async () => (await own(agent)).state === 'registered', 'registered again');
    await consumer.sees();
    assert.ok(Date.now() - began >= 6_000, `after ${Date.now() - began} ms`);
    consumer.sawRises(1);
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
    await (await Consumer.start(zookeeper, name)).sees();
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
    const service = { ...publication(name, 1_500), port: mortal.port, check: { interval: '100ms', timeout: '500ms', failures: 2 } };
    assert.equal(weightOf((await agent.publish(service)).url), 25);
    const consumer = await Consumer.start(zookeeper, name);
    await consumer.sees();
    await mortal.stop();
    await eventually(() => consumer.last.length === 0, 'it is withdrawn');
    // Answered when it is registered again.
    const again = agent.publish(service);
    await mortal.listen(mortal.port);
    assert.equal(weightOf((await again).url), 25);
    await consumer.sees();
    consumer.sawRises(2);
    await agent.stop();
  });
});
