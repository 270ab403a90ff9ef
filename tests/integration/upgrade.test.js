'use strict';
// A new process goes on for the running agent, with every connection: who calls, who publishes and who watches the registry notices nothing.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { Agent, BINARY, startAgent } = require('./lib/agent');
const { Load } = require('./lib/load');
const { NodeWatcher } = require('./lib/node-watcher');
const { startProvider, startSofaConsumer } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { Service } = require('./lib/service-manager');
const { freePort, scenario } = require('./lib/stage');
const { eventually, within } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const UPGRADES = 20;
const BENCH = path.join(path.dirname(BINARY), 'tests/bench');
const LONG_MS = 300_000;
const ended = (pid) => eventually(() => !fs.existsSync(`/proc/${pid}`) || /^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, 'utf8')), `process ${pid} ends`, 30_000);

scenario('Upgrade', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  // The interface's providers.
  const watchProviders = (name) => NodeWatcher.start(zookeeper, [['getChildren', `/dubbo/${name}/providers`]], () => zookeeper.register(name, { port: 1 }));

  async function upgrade(agent) {
    const predecessor = agent.pid;
    const { status, body } = await agent.upgrade();
    assert.equal(status, 200, body.err_msg);
    return { ...body, predecessor };
  }

  it('twenty times under load: no call fails, none is lost or made twice, no connection ends, no watcher is told of anything', async (context) => {
    const [echoed, stock] = ['com.example.Echoed', 'com.example.Stock'];
    const echo = stage.start('echo', path.join(BENCH, 'bench_echo'), []);
    const { ports: [echoPort] } = await eventually(() => echo.log.includes('\n') && JSON.parse(echo.log), 'the echo provider listens');
    const provider = await startProvider(stage, { name: 'stock', services: [{ interface: stock }] });
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: echoed, port: echoPort });
    await agent.publish({ interface: stock, port: provider.port });
    await agent.subscribe({ interface: echoed });
    await agent.subscribe({ interface: stock });
    const nodes = async () => [...await zookeeper.nodes(echoed), ...await zookeeper.nodes(stock), ...await zookeeper.nodes(stock, 'consumers')].sort();
    await eventually(async () => (await nodes()).length === 3, 'all nodes are there');
    const before = await nodes();
    const watchers = [await watchProviders(echoed), await watchProviders(stock)];

    const sofa = await startSofaConsumer(stage, { interface: stock, port: agent.outbound });
    const load = await Load.start(stage, agent.outbound, () => ({ service: stock, method: 'echo', args: ['hi'] }), { connections: 2, loops: 2 });
    const generator = stage.start('load', path.join(BENCH, 'bench_load'), ['--port', agent.outbound, '--interface', echoed, '--connections', 32, '--in-flight', 4,
      '--rate', 2000, '--seconds', LONG_MS / 1000, '--timeout-ms', 10_000].map(String));
    let sofaCalls = 0;
    const pauses = [];
    for (let i = 0; i < UPGRADES; i++) {
      await load.more(20);
      const done = upgrade(agent);
      sofaCalls += await sofa.ask('burst', 50);
      const { pause_us: pause, predecessor, consumers } = await done;
      assert.ok(consumers >= 35, `${consumers} connections went over`);
      pauses.push(pause);
      await ended(predecessor);
    }
    await load.more(20);
    assert.deepEqual(await load.stop(), []);
    assert.equal(sofaCalls, 50 * UPGRADES);
    process.kill(generator.child.pid, 'SIGTERM');
    await within(generator.ended, 'the load ends', 30_000);
    const result = JSON.parse(generator.log);
    assert.equal(result.errors, 0, generator.log);
    // What the provider was asked is what was answered.
    assert.equal(await provider.ask('calls'), load.answered + sofaCalls);
    for (const watcher of watchers) assert.equal(await watcher.take(), 0);
    assert.deepEqual(await nodes(), before);
    pauses.sort((a, b) => a - b);
    context.diagnostic(`${UPGRADES} upgrades; nobody read for ${pauses[UPGRADES / 2] / 1000} ms (median), ${pauses[UPGRADES - 1] / 1000} ms at most; `
      + `${result.answers} answers to the load, p50 ${result.latency_us.p50 / 1000} ms, p99.9 ${result.latency_us.p99_9 / 1000} ms, max ${result.latency_us.max / 1000} ms`);
  }, LONG_MS);

  it('no call fails with the embedded registry, either', async () => {
    const name = 'com.example.Embedded';
    const provider = await RawProvider.start(stage);
    const agent = await startAgent(stage);
    await agent.publish({ interface: name, port: provider.port });
    await agent.subscribe({ interface: name });
    const load = await Load.start(stage, agent.outbound, () => ({ service: name, method: 'echo', args: ['hi'] }), { connections: 4, loops: 2 });
    for (let i = 0; i < 5; i++) {
      await load.more(100);
      const { predecessor } = await upgrade(agent);
      await ended(predecessor);
    }
    await load.more(100);
    assert.deepEqual(await load.stop(), []);
  });

  // Where threads share it, whoever needs one descriptor more stands still while the kernel makes it larger.
  it('the table of descriptors is large from the start', async () => {
    const { pid } = await startAgent(stage);
    const figure = (file, pattern) => Number(pattern.exec(fs.readFileSync(`/proc/${pid}/${file}`, 'utf8'))[1]);
    assert.ok(figure('status', /^FDSize:\s+(\d+)/m) >= Math.min(16_384, figure('limits', /^Max open files\s+\d+\s+(\d+)/m)));
  });

  it('what is in flight is answered by the old process, on the connection that it came on', async () => {
    const name = 'com.example.InFlight';
    const held = [];
    const provider = await RawProvider.start(stage, (call) => held.push(call));
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
    await agent.subscribe({ interface: name });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const call = (value) => consumer.call({ service: name, method: 'hi', args: [value], attachments: { timeout: '20000' } });
    const early = call('early');
    await eventually(() => held.length === 1, 'the provider has the request');
    const { predecessor } = await upgrade(agent);
    const late = call('late');
    await eventually(() => held.length === 2, 'the provider has the next one');
    for (const one of held.reverse()) one.value(one.args[0]);
    assert.deepEqual([(await early).value, (await late).value], ['early', 'late']);
    await ended(predecessor);
    provider.rule = (one) => one.value('after');
    assert.equal((await call('')).value, 'after');
  });

  it('what was published, subscribed, routed and frozen is known to the new process', async () => {
    const name = 'com.example.Known';
    const provider = await RawProvider.start(stage);
    const api = `unix:${path.join(stage.folder(), 'api')}`;
    const agent = await startAgent(stage, { registry: zookeeper.registry, flags: ['--api', api] });
    await agent.publish({ interface: name, group: 'red', port: provider.port, check: { type: 'none' }, parameters: { weight: '7' } });
    await agent.subscribe({ interface: name, group: 'red' });
    assert.equal((await agent.post('/freeze')).status, 200);
    const known = async () => {
      const { body: { publications } } = await agent.get('/publications');
      const { body: { subscriptions } } = await agent.get('/subscriptions');
      return { urls: publications.map((one) => one.url), states: publications.map((one) => one.state), subscriptions: subscriptions.map((one) => one.interface) };
    };
    const before = await known();
    await upgrade(agent);
    await eventually(async () => (await known()).states[0] === 'registered', 'the new process has found its node');
    assert.deepEqual(await known(), before);
    const { body } = await agent.get('/readyz');
    assert.equal(body.lists.frozen, true);
    assert.equal((await agent.post('/unfreeze')).body.state, 'following');
    // It owns what it found.
    await agent.unpublish({ interface: name, group: 'red', port: provider.port });
    assert.deepEqual(await zookeeper.nodes(name), []);
    await agent.stop();
    await ended(agent.pid);
    assert.equal(fs.existsSync(api.slice('unix:'.length)), false);
  });

  it('a call of the API that comes meanwhile is answered, and a connection that is kept goes on', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    const statuses = [];
    let isOver = false;
    const callers = Array.from({ length: 4 }, async (_, i) => {
      while (!isOver) statuses.push((await agent.post('/subscribe?wait=0', { service: { interface: `com.example.Meanwhile${i}` } })).status);
    });
    for (let i = 0; i < 3; i++) {
      const goal = statuses.length + 20;
      await eventually(() => statuses.length >= goal, 'calls of the API');
      await upgrade(agent);
    }
    isOver = true;
    await Promise.all(callers);
    assert.deepEqual(statuses.filter((status) => status !== 200 && status !== 202), []);
    const { body } = await agent.get('/subscriptions');
    assert.equal(body.subscriptions.length, 4);
  });

  // The agent's program, in a folder of its own, where it can be replaced.
  async function replaceableAgent(start = (options) => startAgent(stage, options)) {
    const binary = path.join(stage.folder(), 'skiff');
    fs.copyFileSync(BINARY, binary);
    const agent = await start({ registry: zookeeper.registry, binary });
    const replace = (script) => {
      fs.writeFileSync(`${binary}.new`, script, { mode: 0o755 });
      fs.renameSync(`${binary}.new`, binary);
    };
    return { agent, replace };
  }

  // A program that goes on until it is given connections.
  const halfSuccessor = (what) => `#!/bin/sh\nexec ${process.execPath} ${path.join(__dirname, 'peers/half-successor.js')} ${what}\n`;

  // [what is wrong, the new program, what the operator is told]
  const BAD_PROGRAMS = [
    ['crashes at its start', '#!/bin/sh\nkill -SEGV $$\n', /ended with signal 11/],
    ['ends at once', '#!/bin/sh\nexit 3\n', /ended with exit status 3/],
    ['is no program', 'nothing that could be run', /cannot be started/],
    ['hangs', '#!/bin/sh\nexec sleep 600\n', /does not answer within 10000 ms/],
    ['hangs as it is given connections', halfSuccessor('hangs'), /does not answer within 1000 ms/],
    ['crashes as it is given connections', halfSuccessor('crashes'), /ended with exit status 3/],
    ['refuses the connections', halfSuccessor('refuses'), /nothing of this can be read/],
  ];
  for (const [what, script, told] of BAD_PROGRAMS) {
    it(`a new program that ${what}: the old process serves on, and says why`, async () => {
      const name = 'com.example.BadProgram';
      const provider = await RawProvider.start(stage);
      const { agent, replace } = await replaceableAgent();
      await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
      await agent.subscribe({ interface: name });
      replace(script);
      const load = await Load.start(stage, agent.outbound, () => ({ service: name, method: 'echo', args: ['hi'], attachments: { timeout: '20000' } }), { connections: 2, loops: 2, pauseMs: 5 });
      await load.more(10);
      const watcher = await watchProviders(name);
      const { status, body } = await agent.upgrade();
      assert.equal(status, 409);
      assert.match(body.err_msg, told);
      await eventually(() => /upgrade failed, this process goes on/.test(agent.log), 'the log says so, too');
      assert.equal((await agent.metrics()).skiff_upgrades_failed_total, 1);
      await load.more(10);
      assert.deepEqual(await load.stop(), []);
      assert.equal(await watcher.take(), 0);
      assert.equal((await agent.get('/readyz')).status, 200);
      await agent.unpublish({ interface: name, port: provider.port });
    });
  }

  // [what it does, how many of the two workers' connections it takes]
  const TAKING = [['takes some of the connections and crashes', 'takes'], ['crashes as soon as it has taken some', 'takes-and-crashes']];
  for (const [what, how] of TAKING) {
    it(`a new program that ${what}: these are closed, also where systemd has them, and the old process serves on with the others`, async () => {
      const name = `com.example.${how}`;
      const provider = await RawProvider.start(stage);
      let service;
      const { agent, replace } = await replaceableAgent(async (options) => { service = await Service.start(stage, options); return service.agent; });
      await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
      await agent.subscribe({ interface: name });
      const echo = async (consumer) => (await consumer.call({ service: name, method: 'echo', args: ['hi'] })).value;
      const consumers = await Promise.all(Array.from({ length: 8 }, () => RawConsumer.connect(stage, agent.outbound)));
      for (const consumer of consumers) assert.equal(await echo(consumer), 'hi');
      await service.stores(consumers.length);
      replace(halfSuccessor(how));
      const { status, body } = await agent.upgrade();
      assert.equal(status, 409);
      assert.match(body.err_msg, /; \d+ connections that it had taken are closed/); // those on 20882 among them
      const left = () => consumers.filter((one) => !one.hasEnded);
      await eventually(async () => left().length < consumers.length && left().length === (await agent.metrics()).skiff_outbound_connections, 'those that were taken are closed');
      assert.ok(left().length > 0);
      for (const consumer of [...left(), await RawConsumer.connect(stage, agent.outbound)]) assert.equal(await echo(consumer), 'hi');
      await service.stores(left().length + 1);
      assert.equal((await agent.metrics()).skiff_stored_connections, left().length + 1);
    });
  }

  // [what is wrong, the key that is changed, its new value, what the operator is told]
  const BAD_CONFIGURATIONS = [
    ['is wrong', 'workers', 'many', /configuration is wrong: .*workers/],
    ['names another port', 'inbound', '127.0.0.1:1', /--inbound: .*what was handed over listens on 127\.0\.0\.1:\d+.*restart/],
    ['does not name the registry any more', 'registry', 'zookeeper://127.0.0.1:1', /--registry: the running agent is connected with .*, and has written there; it is given up by a restart only/],
    ['names another state folder', 'state_dir', '/nowhere', /--state-dir: .*restart/],
  ];
  for (const [what, key, value, told] of BAD_CONFIGURATIONS) {
    it(`a configuration that ${what}: the old process serves on, and says why`, async () => {
      const name = `com.example.BadConfiguration.${key}`;
      const provider = await RawProvider.start(stage);
      const ports = { api: await freePort(), outbound: await freePort(), inbound: await freePort() };
      const keys = { registry: zookeeper.registry, advertise: '127.0.0.1', workers: 1, state_dir: stage.folder(), ...Object.fromEntries(Object.entries(ports).map(([port, number]) => [port, `127.0.0.1:${number}`])) };
      const file = path.join(stage.folder(), 'skiff.yaml');
      const write = (all) => fs.writeFileSync(file, Object.entries(all).map(([one, its]) => `${one}: ${its}\n`).join(''));
      write(keys);
      const agent = new Agent(stage.start('agent', BINARY, ['run', '--config', file]), ports, keys.state_dir);
      await eventually(async () => (await agent.get('/readyz')).status === 200, 'the agent is ready');
      await agent.publish({ interface: name, port: provider.port, check: { type: 'none' } });
      await agent.subscribe({ interface: name });
      write({ ...keys, [key]: value });
      const { status, body } = await agent.upgrade();
      assert.equal(status, 409);
      assert.match(body.err_msg, told);
      const consumer = await RawConsumer.connect(stage, agent.outbound);
      assert.equal((await consumer.call({ service: name, method: 'echo', args: ['hi'] })).value, 'hi');
      write({ ...keys, workers: 3 });
      await upgrade(agent);
      assert.equal((await consumer.call({ service: name, method: 'echo', args: ['hi'] })).value, 'hi');
      assert.equal((await agent.get('/config')).body.workers, 3);
    });
  }
});
