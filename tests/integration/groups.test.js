'use strict';
// Two groups and two versions of one interface at the same time.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { startSofaConsumer } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { startZooKeeper } = require('./lib/zookeeper');

const KINDS = ['blue', 'green'].flatMap((group) => ['1.0.0', '2.0.0'].map((version) => ({ group, version, name: `${group} ${version}` })));

scenario('Two groups and two versions of one interface', ({ stage, before, it }) => {
  let zookeeper;
  let agent;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  // A provider that says which one it is, and what group and version it was asked for.
  const startNamed = (name) => RawProvider.start(stage, (call) => call.value(`${name} as ${call.attachments.group || ''} ${call.request.version}`));

  async function eachReachesItsOwn(service) {
    const consumers = await Promise.all(Array.from({ length: 3 }, () => RawConsumer.connect(stage, agent.outbound)));
    const calls = consumers.flatMap((consumer) => Array.from({ length: 25 }, () => KINDS).flat()
      .map(async ({ group, version, name }) => {
        const answer = await consumer.call({ service, version, attachments: { group }, args: [{ an: ['argument', 1, null] }, 'x'] });
        return answer.value === `${name} as ${group} ${version}` ? 'own' : JSON.stringify(answer.value || answer.message);
      }));
    assert.deepEqual([...new Set(await Promise.all(calls))], ['own']);
  }

  it('are told apart among plain providers', async () => {
    const service = 'com.example.PlainKinds';
    for (const { group, version, name } of KINDS) {
      await zookeeper.register(service, { port: (await startNamed(name)).port, parameters: { group, version } });
    }
    await agent.subscribe({ interface: service, group: '*', version: '*' }, KINDS.length);
    await eachReachesItsOwn(service);
  });

  it('are told apart behind one inbound port', async () => {
    const service = 'com.example.PublishedKinds';
    for (const { group, version, name } of KINDS) {
      await agent.publish({ interface: service, group, version, port: (await startNamed(name)).port, methods: ['echo'] });
    }
    await agent.subscribe({ interface: service, group: '*', version: '*' }, KINDS.length);
    await eachReachesItsOwn(service);
    // A plain consumer at the inbound port, all four on one connection.
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    for (const { group, version, name } of KINDS) {
      assert.equal((await consumer.call({ service, version, attachments: { group } })).value, `${name} as ${group} ${version}`);
    }
  });

  it('are told apart for a stock consumer, too', async () => {
    const service = 'com.example.StockKinds';
    for (const { group, version, name } of KINDS) {
      const provider = await RawProvider.start(stage, (call) => call.value(name));
      await agent.publish({ interface: service, group, version, port: provider.port, methods: ['echo'] });
    }
    for (const { group, version, name } of KINDS) {
      const consumer = await startSofaConsumer(stage, { name: `consumer of ${name}`, port: agent.outbound, interface: service, group, version });
      assert.equal(await consumer.call('echo', 'which one?'), name);
    }
  });

  it('leave a request without provider when it names another group or version, and the answer says what there is', async () => {
    const service = 'com.example.PlainKinds';
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    for (const [version, group] of [['3.0.0', 'blue'], ['1.0.0', 'red'], ['0.0.0', 'blue'], ['1.0.0', '']]) {
      const answer = await consumer.call({ service, version, attachments: group ? { group } : {} });
      assert.equal(answer.status, 60, `version ${version}, group ${group}`);
      assert.ok(answer.message.includes(service), answer.message);
      assert.ok(answer.message.includes('blue') && answer.message.includes('2.0.0'), answer.message);
    }
  });

  it('are all right for a request that takes any group and version', async () => {
    const service = 'com.example.AnyKinds';
    for (const { group, version, name } of KINDS) {
      await zookeeper.register(service, { port: (await startNamed(name)).port, parameters: { group, version } });
    }
    await agent.subscribe({ interface: service, group: '*', version: '*' }, KINDS.length);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const answers = await Promise.all(Array.from({ length: 200 }, () => consumer.call({ service, version: '*', attachments: { group: '*' } })));
    const said = new Set(answers.map((answer) => answer.value));
    // The provider is told its own group; the version in the request's head stays as it came.
    assert.deepEqual([...said].sort().map((text) => text.split(' as ')[0]), KINDS.map(({ name }) => name).sort());
    for (const text of said) {
      const [name, asked] = text.split(' as ');
      assert.equal(asked.split(' ')[0], name.split(' ')[0]);
    }
  });
});
