'use strict';
// What systemd keeps outlives the agent: consumers' connections and the listeners, whether it is restarted or was killed.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { BINARY } = require('./lib/agent');
const frames = require('./lib/frames');
const { Load } = require('./lib/load');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { Service } = require('./lib/service-manager');
const { freePort, scenario } = require('./lib/stage');
const { eventually, pause } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const KILLS = 5;
const CONSUMERS = 16;
const ANSWER_MS = 5; // of the provider, so that there is something in flight

scenario('Descriptor store', ({ stage, before, it }) => {
  let zookeeper;
  before(async () => { zookeeper = await startZooKeeper(stage); });

  // An agent with a provider, and consumers that have had their first answer and are stored.
  async function startWith(name, consumers, rule = undefined) {
    const service = await Service.start(stage, { registry: zookeeper.registry });
    const provider = await RawProvider.start(stage, rule);
    await service.agent.publish({ interface: name, port: provider.port });
    await service.agent.subscribe({ interface: name });
    const all = [];
    for (let i = 0; i < consumers; i++) all.push(await RawConsumer.connect(stage, service.agent.outbound));
    for (const consumer of all) assert.equal((await consumer.call({ service: name, args: ['first'] })).value, 'first');
    await service.stores(consumers);
    return { service, provider, consumers: all };
  }

  it('the agent is killed under load: no connection ends, and what was not in flight is answered by the next process', async (context) => {
    const name = 'com.example.Killed';
    const { service, consumers } = await startWith(name, CONSUMERS, async (call) => { await pause(ANSWER_MS); call.value(call.args[0]); });
    const waits = [];
    let lost = 0;
    for (let i = 0; i < KILLS; i++) {
      let isOver = false;
      let answered = 0;
      const inFlight = new Set();
      const calls = consumers.map(async (consumer, j) => {
        while (!isOver) {
          inFlight.add(j);
          await consumer.call({ service: name, args: ['under load'] });
          inFlight.delete(j);
          answered++;
        }
      });
      for (const one of calls) one.catch(() => {}); // the last call of each is lost, perhaps
      await eventually(() => answered > 10 * CONSUMERS, 'the load runs');
      const killed = service.restart('SIGKILL');
      isOver = true;
      const next = consumers.map(async (consumer) => {
        const { status, value } = await consumer.call({ service: name, args: ['next'] });
        assert.deepEqual([status, value], [20, 'next']);
        waits.push(performance.now() - service.startedAt);
      });
      await Promise.all([killed, ...next]);
      lost += inFlight.size;
      assert.ok(consumers.every((consumer) => !consumer.hasEnded), 'no connection has ended');
      await service.stores(CONSUMERS);
    }
    const metrics = await service.agent.metrics();
    assert.equal(metrics.skiff_outbound_connections, CONSUMERS);
    assert.equal(metrics.skiff_outbound_connections_adopted_total, CONSUMERS);
    assert.equal(metrics.skiff_stored_connections, CONSUMERS);
    waits.sort((a, b) => a - b);
    context.diagnostic(`${KILLS} kills, ${CONSUMERS} consumers: ${lost} requests that were in flight are lost, no connection; the next answer came `
      + `${waits[waits.length >> 1].toFixed(0)} ms (median), ${waits.at(-1).toFixed(0)} ms at most after the restart`);
  });

  it('a restart in order loses nothing at all', async () => {
    const name = 'com.example.Restarted';
    const { service } = await startWith(name, 0, async (call) => { await pause(ANSWER_MS); call.value(call.args[0]); });
    const load = await Load.start(stage, service.agent.outbound, () => ({ service: name, args: ['hi'], attachments: { timeout: '20000' } }), { connections: 4, loops: 4 });
    await service.stores(4);
    for (let i = 0; i < 3; i++) {
      await load.more(100);
      await service.restart('SIGTERM');
      await load.more(100);
      await service.stores(4);
    }
    assert.deepEqual(await load.stop(), []);
    assert.equal((await service.agent.metrics()).skiff_outbound_connections_adopted_total, 4);
  });

  it('a restart in order waits for the rest of a request that has come in part', async () => {
    const name = 'com.example.Half';
    const { service, consumers: [one] } = await startWith(name, 1);
    const request = frames.request({ service: name, id: 6n, args: ['x'.repeat(300_000)] });
    const received = async () => (await service.agent.metrics()).skiff_outbound_received_bytes_total;
    const cut = 200_000;
    const before = await received();
    await one.write(request.subarray(0, cut));
    await eventually(async () => await received() === before + cut, 'the agent has read the beginning');
    const restarted = service.restart('SIGTERM');
    await eventually(() => service.lines(/waiting for requests in flight/g).length > 0, 'it is stopping');
    const next = new Promise((resolve) => { one.waiting.set(6n, { resolve, reject: assert.fail }); });
    await one.write(request.subarray(cut));
    assert.equal((await next).status, 20);
    await restarted;
    assert.equal((await one.call({ service: name, args: ['next'] })).value, 'next');
  });

  it('who connects meanwhile is served', async () => {
    const name = 'com.example.Meanwhile';
    const { service } = await startWith(name, 1);
    assert.deepEqual([...new Set(service.stored)], ['api', 'consumer', 'inbound', 'marks', 'outbound']);
    let isOver = false;
    let connected = 0;
    const connecting = (async () => {
      while (!isOver) {
        const consumer = await RawConsumer.connect(stage, service.agent.outbound);
        assert.equal((await consumer.call({ service: name, args: ['hi'], attachments: { timeout: '20000' } }).catch(() => ({ value: 'hi' }))).value, 'hi');
        connected++;
        consumer.close();
      }
    })();
    for (let i = 0; i < 3; i++) {
      const goal = connected + 20;
      await eventually(() => connected >= goal, 'connections');
      await service.restart('SIGKILL');
    }
    isOver = true;
    await connecting;
  });

  it('a connection in the middle of a request, or of an answer, is closed; one between them goes on', async () => {
    const name = 'com.example.Middle';
    const huge = 'x'.repeat(6 << 20);
    const { service, consumers: [whole, asking, answered] } = await startWith(name, 3, (call) => call.value(call.args[0] === 'huge' ? huge : call.args[0]));
    // The rest of it looks like a frame of its own.
    const inner = frames.request({ service: name, id: 77n, args: ['inner'] });
    const request = frames.request({ service: name, id: 7n, args: [inner.toString('latin1')] });
    const readBytes = async () => (await service.agent.metrics()).skiff_outbound_received_bytes_total;
    const read = await readBytes();
    const cut = request.length - 200;
    await asking.write(request.subarray(0, cut));
    await eventually(async () => await readBytes() === read + cut, 'the agent has read it');
    answered.socket.pause();
    answered.write(frames.request({ service: name, id: 8n, args: ['huge'] }));
    await eventually(async () => (await service.agent.metrics()).skiff_outbound_answered_total === 4, 'the agent has the answer');
    await service.restart('SIGKILL');
    assert.equal((await whole.call({ service: name, args: ['next'] })).value, 'next');
    await asking.closed();
    answered.socket.resume();
    await answered.closed();
    assert.deepEqual([whole, asking, answered].map((one) => one.answers.length), [2, 1, 1]);
    assert.match(service.agent.log, /systemd kept \d+ listeners and 1 consumers' connections for this process; 2 more are closed: they were in the middle of a frame/);
  });

  it('what is sent to the agent while there is none must begin with a frame', async () => {
    const name = 'com.example.Foreign';
    const { service, consumers: [one, other] } = await startWith(name, 2);
    const restarted = service.restart('SIGKILL');
    await one.write(Buffer.from('GET / HTTP/1.1\r\nhost: x\r\n\r\n'));
    await one.closed();
    await restarted;
    assert.equal((await other.call({ service: name, args: ['next'] })).value, 'next');
  });

  it('connections that have ended are not kept, whoever ended them', async () => {
    const name = 'com.example.Ended';
    const { service, consumers: [one, other] } = await startWith(name, 2);
    one.close();
    await service.stores(1);
    await other.write(Buffer.from('what is this'));
    await other.closed();
    await service.stores(0);
    await eventually(async () => (await service.agent.metrics()).skiff_stored_connections === 0, 'their places are free');
  });

  it('after an upgrade in place the new process is the one that stores', async () => {
    const name = 'com.example.Upgraded';
    const { service, consumers: [one] } = await startWith(name, 1);
    const { status, body } = await service.agent.post('/upgrade');
    assert.equal(status, 200);
    await eventually(() => service.pid === body.pid, 'the service is the new process');
    const late = await RawConsumer.connect(stage, service.agent.outbound);
    assert.equal((await late.call({ service: name, args: ['hi'] })).value, 'hi');
    await service.stores(2);
    await service.restart('SIGKILL');
    for (const consumer of [one, late]) assert.equal((await consumer.call({ service: name, args: ['next'] })).value, 'next');
  });

  it('a listener that the configuration does not have any more is closed', async () => {
    const folder = stage.folder();
    const [api, outbound, inbound, moved] = [await freePort(), await freePort(), await freePort(), await freePort()];
    const program = path.join(folder, 'agent');
    const configure = (port) => fs.writeFileSync(program, `#!/bin/sh\nexec ${BINARY} run --api 127.0.0.1:${api} --outbound 127.0.0.1:${port} --inbound 127.0.0.1:${inbound} --state-dir ${folder}\n`, { mode: 0o755 });
    configure(outbound);
    const service = await Service.start(stage, { binary: program, ports: { api, outbound, inbound } });
    await eventually(() => service.stored.includes('outbound'), 'the listeners are stored');
    configure(moved);
    await service.restart('SIGTERM');
    service.agent.outbound = moved;
    (await eventually(() => RawConsumer.connect(stage, moved), 'the agent listens where it is to')).close();
    assert.match(service.agent.log, new RegExp(`systemd gave a socket that listens on 127\\.0\\.0\\.1:${outbound}, which is not in the configuration; it is closed`));
    await eventually(() => new Promise((resolve) => {
      net.connect(outbound, '127.0.0.1').on('error', () => resolve(true)).on('connect', function connected() { this.destroy(); resolve(false); });
    }), 'nobody listens there');
  });
});
