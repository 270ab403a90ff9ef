'use strict';
// An ensemble of three ZooKeeper servers: what an agent, and who calls through it, notice of its members' ends.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startEnsemble } = require('./lib/zookeeper');

scenario('An ensemble of three', ({ stage, before, it }) => {
  const name = 'com.example.Ensemble';
  let ensemble;
  let agent;
  let path;

  before(async () => {
    ensemble = await startEnsemble(stage, 3);
    agent = await startAgent(stage, { registry: `${ensemble.registry}?session=10000` });
    const { port } = await RawProvider.start(stage, (call) => call.value('served'));
    await agent.publish({ interface: name, port });
    await agent.subscribe({ interface: name });
    path = await ensemble.lookInto(stage, async () => `/dubbo/${name}/providers/${(await ensemble.nodes(name))[0]}`);
  });

  const creation = () => ensemble.lookInto(stage, () => ensemble.creation(path));
  const startLoad = () => Load.start(stage, agent.outbound, () => ({ service: name }), { connections: 2, loops: 2, pauseMs: 5 });
  const publication = async (which) => (await agent.get('/publications')).body.publications.find((one) => one.interface === which);
  const isRegistered = (which) => eventually(async () => {
    const { state, reason } = await publication(which);
    return state === 'registered' && !reason;
  }, `${which} is registered`);
  // Returns when the agent has written something new there.
  const writes = async (which) => {
    const { port } = await RawProvider.start(stage);
    await agent.publish({ interface: which, port });
  };

  it('that are restarted one after another: no call fails, and nodes stay', async () => {
    const first = await creation();
    const load = await startLoad();
    for (const [i, member] of ensemble.members.entries()) {
      await member.stop();
      await writes(`com.example.While${i}`);
      await member.restart(stage);
      await load.more(20);
    }
    await isRegistered(name);
    assert.deepEqual(await creation(), first);
    assert.equal((await agent.metrics()).skiff_registry_lost_sessions_total, 0);
    assert.deepEqual(await load.stop(), []);
  });

  it('of which two have gone: calls go on, what is asked for waits with a reason, and all is there afterwards', async () => {
    const first = await creation();
    const load = await startLoad();
    const gone = ensemble.members.slice(0, 2);
    await Promise.all(gone.map((member) => member.stop()));
    const away = /^registry zookeeper:.*: no (connection to|server of)/;
    await eventually(async () => away.test((await publication(name)).reason), 'the agent knows that it is away');
    const { port } = await RawProvider.start(stage);
    assert.equal((await agent.post('/publish?wait=0', { service: { interface: 'com.example.Minority', port } })).status, 202);
    const { state, reason } = await publication('com.example.Minority');
    assert.equal(state, 'pending');
    assert.match(reason, away);
    assert.equal((await agent.get('/readyz')).status, 200);
    await load.more(100);
    await Promise.all(gone.map((member) => member.restart(stage)));
    for (const which of [name, 'com.example.Minority']) await isRegistered(which);
    assert.deepEqual(await creation(), first);
    await load.more(50);
    assert.deepEqual(await load.stop(), []);
  });
});
