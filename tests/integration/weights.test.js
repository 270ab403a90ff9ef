'use strict';
// Several providers of one service: shares by weight, and nobody notices when one of them goes.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SERVICE = 'com.example.WeighedService';
// Of a share of 3/4 among this many calls, five standard deviations are 3.4 %: wrong once in a million runs.
const CALLS = 4000;
const BAND = 5 * Math.sqrt((0.75 * 0.25) / CALLS);

scenario('Two providers with weights 1:3', ({ stage, before, it }) => {
  const providers = {};
  const agents = {};
  let near;

  // Their warm-up is over at once.
  const publication = (name) => ({
    interface: SERVICE, port: providers[name].port, methods: ['whoami'], parameters: { weight: name === 'light' ? '100' : '300', warmup: '1' },
  });

  before(async () => {
    const { registry } = await startZooKeeper(stage);
    for (const name of ['light', 'heavy']) {
      providers[name] = await RawProvider.start(stage, (call) => call.value(name));
      agents[name] = await startAgent(stage, { name: `${name}-agent`, registry, workers: 1 });
      await agents[name].publish(publication(name));
    }
    near = await startAgent(stage, { name: 'near-agent', registry });
    await near.subscribe({ interface: SERVICE }, 2);
  });

  const load = (options) => Load.start(stage, near.outbound, () => ({ service: SERVICE, method: 'whoami' }), options);

  it('get calls in that proportion', async () => {
    const consumers = await Promise.all(Array.from({ length: 4 }, () => RawConsumer.connect(stage, near.outbound)));
    const counts = { light: 0, heavy: 0 };
    await Promise.all(consumers.map(async (consumer) => {
      for (let i = 0; i < CALLS / consumers.length; i++) counts[(await consumer.call({ service: SERVICE, method: 'whoami' })).value]++;
    }));
    const share = counts.heavy / CALLS;
    assert.ok(Math.abs(share - 0.75) < BAND, `${counts.light} : ${counts.heavy}, a share of ${share}, expected 0.75 +- ${BAND}`);
  });

  it('lose no call when one is unpublished while calls run, and it gets its share when it is back', async () => {
    const running = await load();
    await running.more(1000);
    const answer = await agents.heavy.unpublish(publication('heavy'));
    assert.equal(answer.state, 'unregistered');
    await running.more(1000);
    await near.knowsProviders(SERVICE, 1);
    await eventually(async () => {
      running.takeValues();
      await running.more(300);
      return !running.takeValues().has('heavy');
    }, 'all calls go to the one that is left');
    await agents.heavy.publish(publication('heavy'));
    await near.knowsProviders(SERVICE, 2);
    await eventually(async () => {
      await running.more(300);
      return running.takeValues().has('heavy');
    }, 'the other one gets calls again');
    assert.deepEqual(await running.stop(), []);
  });

  it('lose no call when both are unpublished and published in turns, ten times', async () => {
    const running = await load({ connections: 2, loops: 4 });
    for (let i = 0; i < 10; i++) {
      const name = i % 2 === 0 ? 'light' : 'heavy';
      await agents[name].unpublish(publication(name));
      await near.knowsProviders(SERVICE, 1);
      await agents[name].publish(publication(name));
      await near.knowsProviders(SERVICE, 2);
    }
    await running.more(100);
    assert.deepEqual(await running.stop(), []);
  });
});

scenario('Providers with wrong clocks', ({ stage, before, it }) => {
  const HOUR = 3_600_000;
  const providers = {};
  let zookeeper;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    for (const name of ['warm', 'ahead', 'behind']) providers[name] = await RawProvider.start(stage, (call) => call.value(name));
  });

  const register = (name, parameters) => zookeeper.register(SERVICE, { port: providers[name].port, parameters });

  // By its own clock, the one that is ahead would get a hundredth, and the one behind as much as the warm one.
  async function getTheirShares(agent) {
    const running = await Load.start(stage, agent.outbound, () => ({ service: SERVICE, method: 'whoami' }));
    await eventually(async () => {
      running.takeValues();
      await running.more(600);
      const counts = running.takeValues();
      return counts.get('ahead') > 0.6 * counts.get('warm') && (counts.get('behind') || 0) < 0.2 * counts.get('warm');
    }, 'the shares are those of their real ages');
    assert.deepEqual(await running.stop(), []);
  }

  it('get their shares from agents that see them come, and from those that find them there', async () => {
    await register('warm', {});
    const early = await startAgent(stage, { name: 'early-agent', registry: zookeeper.registry });
    await early.subscribe({ interface: SERVICE }, 1);
    await register('ahead', { timestamp: String(Date.now() + HOUR), warmup: '2000' });
    await register('behind', { timestamp: String(Date.now() - HOUR), warmup: '3000000' });
    await early.knowsProviders(SERVICE, 3);
    await getTheirShares(early);
    const late = await startAgent(stage, { name: 'late-agent', registry: zookeeper.registry });
    await late.subscribe({ interface: SERVICE }, 3);
    await getTheirShares(late);
  });
});
