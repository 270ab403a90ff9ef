'use strict';
// Addresses: who may use the outbound port, what is written to the registry, IPv6, another machine.

const assert = require('node:assert/strict');
const net = require('node:net');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { curl } = require('./lib/command');
const { Neighbour } = require('./lib/neighbour');
const { startProvider } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const hasIpv6Loopback = () => new Promise((resolve) => {
  const server = net.createServer().once('error', () => resolve(false)).listen(0, '::1', () => server.close(() => resolve(true)));
});

scenario('The outbound port of this machine', ({ stage, before, it }) => {
  let agent;
  let neighbour;
  let ownAddresses;

  before(async () => {
    neighbour = Neighbour.create(stage);
    ownAddresses = ['127.0.0.1', '127.0.0.2', ...(neighbour.reason ? [] : [neighbour.hostAddress])];
    agent = await startAgent(stage, { hosts: { outbound: 'local', inbound: '0.0.0.0' } });
    const provider = await RawProvider.start(stage, (call) => call.value('served'));
    await agent.publish({ interface: 'com.example.Local', port: provider.port });
  });

  it('serves loopback and every address of the machine', async () => {
    for (const address of ownAddresses) {
      const consumer = await RawConsumer.connect(stage, agent.outbound, address);
      assert.equal((await consumer.call({ service: 'com.example.Local' })).value, 'served', address);
    }
    assert.equal((await agent.metrics()).skiff_outbound_foreign_peers_total, 0);
  });

  it('closes the connections of other machines at once, counts them, and says so once', async (context) => {
    if (neighbour.reason) { context.skip(neighbour.reason); return; }
    for (let i = 1; i <= 3; i++) {
      const { error } = await neighbour.call(neighbour.hostAddress, agent.outbound, 'com.example.Local');
      assert.match(error, /closed|ECONNRESET/);
      await eventually(async () => (await agent.metrics()).skiff_outbound_foreign_peers_total === i, 'it is counted');
    }
    const lines = agent.logLines(new RegExp(neighbour.address.replace(/\./g, '\\.')));
    assert.ok(lines.length >= 1 && lines.length <= 2, `one line a minute and worker: ${lines.join('\n')}`);
    assert.equal((await agent.metrics()).skiff_outbound_requests_total, ownAddresses.length);
  });

  it('is the only one to do so: the inbound port serves other machines', async (context) => {
    if (neighbour.reason) { context.skip(neighbour.reason); return; }
    assert.equal((await neighbour.call(neighbour.hostAddress, agent.inbound, 'com.example.Local')).value, 'served');
  });
});

scenario('What is advertised', ({ stage, before, it }) => {
  let neighbour;
  before(() => { neighbour = Neighbour.create(stage); });

  const advertisedBy = async (agent) => (await agent.get('/status')).body.registries[0];

  it('is the address of the interface in a given network', async (context) => {
    if (neighbour.reason) { context.skip(neighbour.reason); return; }
    const agent = await startAgent(stage, { hosts: { inbound: '0.0.0.0', advertise: `${neighbour.network}.0/24` } });
    const { url } = await agent.publish({ interface: 'com.example.Network', port: 20880, check: { type: 'none' } });
    assert.ok(url.startsWith(`dubbo://${neighbour.hostAddress}:${agent.inbound}/`), url);
    const { advertised, advertised_reason: reason } = await advertisedBy(agent);
    assert.equal(advertised, `${neighbour.hostAddress}:${agent.inbound}`);
    assert.ok(reason.includes(`${neighbour.network}.0/24`) && reason.includes(neighbour.outer), reason);
  });

  it('may name another port than that of the inbound listener', async () => {
    const agent = await startAgent(stage, { hosts: { advertise: '127.0.0.9:4444' } });
    const { url } = await agent.publish({ interface: 'com.example.Port', port: 20880, check: { type: 'none' } });
    assert.ok(url.startsWith('dubbo://127.0.0.9:4444/'), url);
  });

  it('is chosen by the route to the registry, and another machine is served through it', async (context) => {
    if (neighbour.reason) { context.skip(neighbour.reason); return; }
    const zookeeper = await startZooKeeper(stage, { host: neighbour.hostAddress });
    const service = 'com.example.FarAway';
    // The other machine: a provider on its loopback, and an agent that is told nothing but the registry.
    const provider = await startProvider(stage, { name: 'far provider', services: [{ interface: service }] }, neighbour.prefix);
    const socket = path.join(stage.folder(), 'api.sock');
    const inbound = await freePort();
    const [command, ...args] = [...neighbour.prefix, BINARY, 'run', '--registry', zookeeper.registry, '--api', `unix:${socket}`,
      '--outbound', `local:${await freePort()}`, '--inbound', `0.0.0.0:${inbound}`, '--state-dir', stage.folder()];
    stage.start('far agent', command, args);
    const ask = (pathname, ...options) => curl('--unix-socket', socket, `http://localhost${pathname}`, ...options);
    await eventually(async () => (await ask('/readyz')).status === 200, 'the far agent is ready');
    const { body } = await ask('/publish?wait=10s', '-d', JSON.stringify({ service: { interface: service, port: provider.port, methods: ['whoami'] } }));
    assert.ok(body.url.startsWith(`dubbo://${neighbour.address}:${inbound}/`), body.url);
    const { advertised_reason: reason } = (await ask('/status')).body.registries[0];
    assert.ok(reason.includes(neighbour.hostAddress) && reason.includes(neighbour.inner), reason);

    const near = await startAgent(stage, { name: 'near agent', registry: zookeeper.registry, hosts: { inbound: '0.0.0.0', advertise: '' } });
    await near.subscribe({ interface: service });
    const consumer = await RawConsumer.connect(stage, near.outbound);
    assert.equal((await consumer.call({ service, method: 'whoami' })).value, 'far provider');
  });

  it('is an IPv6 address where one is given, and agents reach each other there', async (context) => {
    if (!await hasIpv6Loopback()) { context.skip('this machine has no ::1'); return; }
    const zookeeper = await startZooKeeper(stage);
    const service = 'com.example.Six';
    const provider = await RawProvider.start(stage, (call) => call.value('over IPv6'));
    const far = await startAgent(stage, { name: 'far agent', registry: zookeeper.registry, hosts: { inbound: '[::1]', advertise: '::1' } });
    await far.publish({ interface: service, port: provider.port });
    assert.ok((await zookeeper.urls(service))[0].startsWith(`dubbo://[::1]:${far.inbound}/${service}?`), (await zookeeper.urls(service))[0]);
    const near = await startAgent(stage, { name: 'near agent', registry: zookeeper.registry, hosts: { outbound: '[::1]' } });
    await near.subscribe({ interface: service });
    const consumer = await RawConsumer.connect(stage, near.outbound, '::1');
    assert.equal((await consumer.call({ service })).value, 'over IPv6');
  });
});
