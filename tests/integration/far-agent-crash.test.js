'use strict';
// The provider's agent is killed and comes back, while consumers call through their own agent.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const portsOf = ({ api, outbound, inbound }) => ({ api, outbound, inbound });

scenario("The provider's agent is killed", ({ stage, before, it }) => {
  let zookeeper;
  let near;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    near = await startAgent(stage, { name: 'near', registry: zookeeper.registry });
  });

  // An agent with a provider behind it that answers `value`.
  async function startFar(name, service, value, parameters = {}) {
    const provider = await RawProvider.start(stage, (call) => call.value(value));
    const far = await startAgent(stage, { name, registry: zookeeper.registry });
    await far.publish({ interface: service, port: provider.port, parameters });
    return far;
  }

  async function killAndRestart(far) {
    await far.stop('SIGKILL');
    return startAgent(stage, { name: 'successor', registry: zookeeper.registry, ports: portsOf(far), stateDir: far.stateDir });
  }

  it('and no call fails where another provider is left', async () => {
    const name = 'com.example.TwoFar';
    // What was on its way to the killed agent is sent again, as Dubbo does unless the provider says retries=0.
    const fars = [];
    for (const value of ['one', 'two']) fars.push(await startFar(value, name, value, { warmup: '1' }));
    await near.subscribe({ interface: name }, 2);
    const load = await Load.start(stage, near.outbound, () => ({ service: name }), { connections: 4, loops: 4, pauseMs: 1 });
    await load.more(100);
    fars[0] = await killAndRestart(fars[0]);
    await load.more(100);
    load.takeValues();
    await eventually(() => load.values.has('one'), 'the one that was killed is called again');
    assert.deepEqual(await load.stop(), []);
    for (const far of fars) await far.stop();
  });

  it('and where it is the only one, what was not sent to it waits until it is back', async () => {
    const name = 'com.example.OneFar';
    const far = await startFar('far', name, 'served', { timeout: '10000' });
    await near.subscribe({ interface: name });
    const load = await Load.start(stage, near.outbound, () => ({ service: name }), { connections: 4, loops: 4, pauseMs: 1 });
    await load.more(100);
    const successor = await killAndRestart(far);
    await load.more(100);
    const failures = await load.stop();
    // What had been sent may have been carried out, and this provider does not say that it may be repeated.
    assert.deepEqual(failures.filter((message) => !/was lost before its answer came/.test(message)), []);
    // 16 loops; a call that follows at once may be sent on another connection that is about to break.
    assert.ok(failures.length <= 32, `${failures.length} calls were under way`);
    await successor.stop();
  });
});
