'use strict';
// Providers that the agent registers by application, as Dubbo 3 does: what stands in the registry, and who finds it.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { NodeWatcher } = require('./lib/node-watcher');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const CHECK = { interval: '100ms', timeout: '500ms', failures: 2 };
const REGISTERS = ['--application-registration', 'true'];
const BELIEVES = ['--empty-list-time', '0s', '--vanish-hold-time', '0s'];

const nameProvider = (name) => (call) => call.value(name);

// Of an application's instances, and of one of them.
function watchInstance(zookeeper, application, instance) {
  const folder = `/services/${application}`;
  return NodeWatcher.start(zookeeper, [['getChildren', folder], ['getData', `${folder}/${instance}`]], () => zookeeper.ask('create', `${folder}/marker:1`));
}

scenario('Registration by application', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  const start = (options = {}) => startAgent(stage, { registry: zookeeper.registry, flags: [...REGISTERS, ...BELIEVES], ...options });
  const instances = async (application) => (await zookeeper.ask('getChildren', `/services/${application}`)) || [];

  async function read(node) {
    const data = await zookeeper.ask('getData', node);
    return data && data.toString();
  }

  async function readInstance(application, agent) {
    const text = await read(`/services/${application}/127.0.0.1:${agent.inbound}`);
    return text && JSON.parse(text);
  }

  // The services, by key, of the revision that the agent's instance has.
  async function exported(application, agent) {
    const { payload } = await readInstance(application, agent);
    return JSON.parse(await read(`/dubbo/metadata/${application}/${payload.metadata['dubbo.metadata.revision']}`)).services;
  }

  const exportsOnly = (application, agent, keys) => eventually(
    async () => JSON.stringify(Object.keys(await exported(application, agent)).sort()) === JSON.stringify(keys), `${application} exports ${keys}`);

  async function whoami(agent, name) {
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    return (await consumer.call({ service: name, method: 'whoami' })).value;
  }

  it('says what Dubbo 3 reads, beside what others say', async () => {
    const name = 'com.example.Written';
    const mapping = `/dubbo/mapping/${name}`;
    await zookeeper.ask('mkdirp', mapping);
    await zookeeper.ask('setData', mapping, Buffer.from('depot, bazaar'));
    const provider = await RawProvider.start(stage, nameProvider('written'));
    const agent = await start();
    await agent.publish({ interface: name, group: 'red', version: '1.0.0', application: 'shop', port: provider.port, methods: ['whoami'] });
    const services = await eventually(() => exported('shop', agent), 'the instance and its metadata are there');

    const id = `127.0.0.1:${agent.inbound}`;
    const { payload, registrationTimeUTC, ...instance } = await readInstance('shop', agent);
    assert.deepEqual(instance, {
      name: 'shop', id, address: '127.0.0.1', port: agent.inbound, sslPort: null, serviceType: 'DYNAMIC', uriSpec: null });
    const { metadata, ...rest } = payload;
    assert.deepEqual(rest, { '@class': 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance', id, name: 'shop' });
    const { 'dubbo.metadata.revision': revision, timestamp, ...facts } = metadata;
    assert.deepEqual(facts, {
      'dubbo.endpoints': JSON.stringify([{ port: agent.inbound, protocol: 'dubbo' }]), 'dubbo.metadata.storage-type': 'remote' });
    assert.match(revision, /^[0-9a-f]{32}$/);
    assert.equal(String(registrationTimeUTC), timestamp);

    const { params, ...service } = services[`red/${name}:1.0.0:dubbo`];
    assert.deepEqual(service, { name, group: 'red', version: '1.0.0', protocol: 'dubbo', port: agent.inbound, path: name });
    assert.equal(params.methods, 'whoami');
    assert.equal(params.pid, undefined);
    await eventually(async () => await read(mapping) === 'depot, bazaar,shop', 'the mapping names it beside the others');

    await agent.stop();
    assert.deepEqual(await instances('shop'), []);
    assert.equal(await read(mapping), 'depot, bazaar,shop');
  });

  it('is found once where both levels say it, and still where only the application level does', async () => {
    const name = 'com.example.Found';
    const provider = await RawProvider.start(stage, nameProvider('found'));
    const [far, near] = [await start({ name: 'far' }), await start({ name: 'near' })];
    await far.publish({ interface: name, application: 'finds', port: provider.port, methods: ['whoami'] });
    await eventually(() => readInstance('finds', far), 'the instance is there');
    await eventually(() => read(`/dubbo/mapping/${name}`), 'the mapping is there');
    await near.subscribe({ interface: name });
    await far.subscribe({ interface: name });

    const [node] = await zookeeper.nodes(name);
    await zookeeper.remove(`/dubbo/${name}/providers/${node}`);
    for (const agent of [near, far]) {
      const { endpoints } = await eventually(async () => {
        const { body } = await agent.get(`/services/${name}`);
        return !/pid=/.test(body.endpoints[0].url) && body;
      }, 'it is known by its application');
      assert.equal(endpoints.length, 1);
      assert.match(endpoints[0].url, new RegExp(`^dubbo://127.0.0.1:${far.inbound}/`));
      assert.equal(await whoami(agent, name), 'found');
    }
    assert.equal(provider.calls.length, 2, 'each call came once');
    await far.stop();
    await near.knowsProviders(name, 0);
  });

  it('has one instance for all services of an application, without those whose provider died', async () => {
    const [one, two] = ['com.example.One', 'com.example.Two'];
    const [lives, dies] = [await RawProvider.start(stage, nameProvider('one')), await RawProvider.start(stage, nameProvider('two'))];
    const agent = await start();
    await agent.publish({ interface: one, application: 'pair', port: lives.port, check: CHECK });
    await agent.publish({ interface: two, application: 'pair', port: dies.port, check: CHECK });
    await exportsOnly('pair', agent, [`${one}:dubbo`, `${two}:dubbo`]);
    assert.equal((await instances('pair')).length, 1);
    const both = (await readInstance('pair', agent)).payload.metadata['dubbo.metadata.revision'];
    const watched = await zookeeper.creation(`/services/pair/127.0.0.1:${agent.inbound}`);

    const { port } = dies;
    await dies.stop();
    await exportsOnly('pair', agent, [`${one}:dubbo`]);
    await dies.listen(port);
    await exportsOnly('pair', agent, [`${one}:dubbo`, `${two}:dubbo`]);
    assert.equal((await readInstance('pair', agent)).payload.metadata['dubbo.metadata.revision'], both);
    assert.deepEqual(await zookeeper.creation(`/services/pair/127.0.0.1:${agent.inbound}`), watched, 'it was set in place');

    await Promise.all([lives.stop(), dies.stop()]);
    await eventually(async () => (await instances('pair')).length === 0, 'the instance goes with the last provider');
    await lives.listen(lives.port);
    await exportsOnly('pair', agent, [`${one}:dubbo`]);
  });

  it('after a crash: who watches the application is told of nothing', async () => {
    const names = ['com.example.CrashA', 'com.example.CrashB', 'com.example.CrashC'];
    const provider = await RawProvider.start(stage, nameProvider('crash'));
    const agent = await start();
    for (const name of names) await agent.publish({ interface: name, application: 'crash', port: provider.port, check: CHECK });
    const keys = names.map((name) => `${name}:dubbo`);
    await exportsOnly('crash', agent, keys);
    const watcher = await watchInstance(zookeeper, 'crash', `127.0.0.1:${agent.inbound}`);
    const mapping = await zookeeper.ask('exists', `/dubbo/mapping/${names[0]}`);

    await agent.stop('SIGKILL');
    const { api, outbound, inbound, stateDir } = agent;
    const successor = await start({ name: 'successor', ports: { api, outbound, inbound }, stateDir });
    // What is published now makes a new revision: the first thing that the successor may change.
    await eventually(async () => (await successor.get('/publications')).body.publications.every(({ state }) => state === 'registered'), 'all is registered');
    assert.equal(await watcher.take(), 0);
    await successor.publish({ interface: 'com.example.CrashD', application: 'crash', port: provider.port, check: CHECK });
    await exportsOnly('crash', successor, [...keys, 'com.example.CrashD:dubbo']);
    assert.equal(await watcher.take(), 1, 'the new revision, and nothing before');
    assert.equal((await zookeeper.ask('exists', `/dubbo/mapping/${names[0]}`)).version, mapping.version);

    // It owns what it found.
    for (const name of [...names, 'com.example.CrashD']) await successor.unpublish({ interface: name, port: provider.port });
    assert.deepEqual(await instances('crash'), []);
  });

  it('after a crash, with the option switched off since: the instance goes, the provider stays', async () => {
    const name = 'com.example.SwitchedOff';
    const provider = await RawProvider.start(stage, nameProvider('off'));
    const agent = await start();
    await agent.publish({ interface: name, application: 'switched', port: provider.port, check: CHECK });
    await eventually(() => readInstance('switched', agent), 'the instance is there');
    const nodes = await zookeeper.nodes(name);
    await agent.stop('SIGKILL');
    const { api, outbound, inbound, stateDir } = agent;
    await startAgent(stage, { name: 'successor', registry: zookeeper.registry, ports: { api, outbound, inbound }, stateDir });
    await eventually(async () => (await instances('switched')).length === 0, 'the instance is gone');
    assert.deepEqual(await zookeeper.nodes(name), nodes);
  });

  it('stays off unless it is switched on', async () => {
    const name = 'com.example.Off';
    const provider = await RawProvider.start(stage);
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, application: 'off', port: provider.port });
    assert.equal((await agent.get('/config')).body.application_registration, false);
    // Another agent's instance, published later, is there: this one's would be, too.
    const other = await start({ name: 'other' });
    await other.publish({ interface: 'com.example.On', application: 'on', port: provider.port });
    await eventually(() => readInstance('on', other), 'the other instance is there');
    assert.deepEqual(await instances('off'), []);
    assert.equal(await read(`/dubbo/mapping/${name}`), null);
  });
});
