'use strict';
// Providers that Dubbo 3 registers by application only, called through the agent.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const frames = require('./lib/frames');
const hessian = require('./lib/hessian');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const METADATA_SERVICE = 'org.apache.dubbo.metadata.MetadataService';

const nameProvider = (name) => (call) => call.value(name);

// A node of Curator's as Dubbo 3 fills it.
function instanceNode(application, port, { revision, storage, metadataPort }) {
  const metadata = {
    'dubbo.endpoints': JSON.stringify([{ port, protocol: 'dubbo' }]),
    'dubbo.metadata.revision': revision,
    'dubbo.metadata.storage-type': storage,
    ...(metadataPort && { 'dubbo.metadata-service.url-params': JSON.stringify({ protocol: 'dubbo', port: String(metadataPort), version: '1.0.0' }) }),
    timestamp: '1600000000000',
  };
  const id = `127.0.0.1:${port}`;
  return JSON.stringify({
    name: application, id, address: '127.0.0.1', port, sslPort: null, serviceType: 'DYNAMIC', uriSpec: null,
    payload: { '@class': 'org.apache.dubbo.registry.zookeeper.ZookeeperInstance', id, name: application, metadata },
  });
}

const metadataNode = (application, revision, name, port) => JSON.stringify({
  app: application, revision, services: { [`${name}:dubbo`]: { name, protocol: 'dubbo', path: name, port, params: { methods: 'whoami' } } },
});

// An object as Java writes it: the definition of its class, then its fields.
function encodeObject(className, fields, number) {
  const names = Object.keys(fields);
  return Buffer.concat([
    Buffer.from('C'), hessian.encode(className), Buffer.from([0x90 + names.length]), ...names.map(hessian.encode),
    Buffer.from([0x60 + number]), ...Object.values(fields).map((value) => (Buffer.isBuffer(value) ? value : hessian.encode(value))),
  ]);
}

// What a provider's MetadataService answers to getMetadataInfo().
function metadataAnswer(id, application, revision, name, port) {
  const service = encodeObject('org.apache.dubbo.metadata.MetadataInfo$ServiceInfo', {
    name, group: null, version: null, protocol: 'dubbo', port, path: name, params: { methods: 'whoami' } }, 1);
  const services = Buffer.concat([Buffer.from('H'), hessian.encode(`${name}:dubbo`), service, Buffer.from('Z')]);
  const info = encodeObject('org.apache.dubbo.metadata.MetadataInfo', { app: application, revision, services }, 0);
  return frames.build({ flags: 0x02, status: 20, id, body: Buffer.concat([hessian.encode(1), info]) });
}

scenario('A provider registered by application only', ({ stage, before, it }) => {
  let zookeeper;
  let agent;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry, flags: ['--empty-list-time', '0s', '--vanish-hold-time', '0s'] });
  });

  async function write(path, text) {
    await zookeeper.ask('mkdirp', path);
    await zookeeper.ask('setData', path, Buffer.from(text));
  }

  async function register(application, name, port, instance) {
    await write(`/services/${application}/127.0.0.1:${port}`, instanceNode(application, port, instance));
    await write(`/dubbo/mapping/${name}`, application);
  }

  async function whoami(name) {
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    return (await consumer.call({ service: name, method: 'whoami' })).value;
  }

  it('is found by what the metadata centre says, followed to a new revision, and gone with its instance', async () => {
    const name = 'com.example.Central';
    const provider = await RawProvider.start(stage, nameProvider('central'));
    await write('/dubbo/metadata/shop/r1', metadataNode('shop', 'r1', name, provider.port));
    await register('shop', name, provider.port, { revision: 'r1', storage: 'remote' });
    await agent.subscribe({ interface: name });
    assert.equal(await whoami(name), 'central');

    await register('shop', name, provider.port, { revision: 'r2', storage: 'remote' });
    await write('/dubbo/metadata/shop/r2', metadataNode('shop', 'r2', 'com.example.Another', provider.port));
    await agent.knowsProviders(name, 0);
    await register('shop', name, provider.port, { revision: 'r1', storage: 'remote' });
    await agent.knowsProviders(name, 1);
    await zookeeper.remove(`/services/shop/127.0.0.1:${provider.port}`);
    await agent.knowsProviders(name, 0);
  });

  it('is asked itself where it keeps its metadata, also for a call that nobody subscribed to', async () => {
    const name = 'com.example.Local';
    const provider = await RawProvider.start(stage, (call) => {
      if (call.request.service !== METADATA_SERVICE) return call.value('local');
      assert.deepEqual([call.method, call.args, call.attachments.group], ['getMetadataInfo', ['r7'], 'depot']);
      return call.send(metadataAnswer(call.id, 'depot', 'r7', name, provider.port));
    });
    await register('depot', name, provider.port, { revision: 'r7', storage: 'local', metadataPort: provider.port });
    assert.equal(await whoami(name), 'local');
  });

  it('counts once where it is registered by interface, too', async () => {
    const name = 'com.example.Both';
    const provider = await RawProvider.start(stage, nameProvider('both'));
    await write('/dubbo/metadata/bazaar/r1', metadataNode('bazaar', 'r1', name, provider.port));
    await register('bazaar', name, provider.port, { revision: 'r1', storage: 'remote' });
    await zookeeper.register(name, { port: provider.port });
    await agent.subscribe({ interface: name });
    assert.equal(await whoami(name), 'both');
    const { body } = await agent.get(`/services/${name}`);
    assert.equal(body.endpoints.length, 1);
    assert.match(body.endpoints[0].url, /plain-provider/, 'the URL at interface level is used');
  });

  it('is left out, and counted, where what it says cannot be read', async () => {
    const name = 'com.example.Lying';
    const good = await RawProvider.start(stage, nameProvider('good'));
    await write('/dubbo/metadata/fair/r1', metadataNode('fair', 'r1', name, good.port));
    await write('/services/fair/127.0.0.1:1', '{"name": "fair", "payload": ');
    await write('/services/fair/127.0.0.1:2', instanceNode('fair', 2, { revision: 'none', storage: 'remote' }));
    await register('fair', name, good.port, { revision: 'r1', storage: 'remote' });
    await agent.subscribe({ interface: name });
    assert.equal(await whoami(name), 'good');
    await eventually(async () => {
      const metrics = await agent.metrics();
      return metrics['skiff_registry_application_faults_total{fault="instance"}'] >= 1
        && metrics['skiff_registry_application_faults_total{fault="unanswered"}'] >= 1;
    }, 'the faults are counted');
  });
});
