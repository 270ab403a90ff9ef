'use strict';
// The wire between a consumer, the outbound port and a provider that registered itself.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const frames = require('./lib/frames');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const RECORDED = 'demo.GreetingService';

scenario('The outbound port', ({ stage, before, it }) => {
  let zookeeper;
  let agent;

  before(async () => {
    zookeeper = await startZooKeeper(stage);
    agent = await startAgent(stage, { registry: zookeeper.registry });
  });

  const connect = () => RawConsumer.connect(stage, agent.outbound);

  // A service of the test's own with one raw provider, known to the agent.
  async function serve(name, rule, parameters = {}) {
    const provider = await RawProvider.start(stage, rule);
    provider.node = await zookeeper.register(name, { port: provider.port, parameters });
    await agent.subscribe({ interface: name });
    return provider;
  }

  it('answers heartbeats of every serialization by itself, with the body that came', async () => {
    const consumer = await connect();
    for (const file of ['event-heartbeat-request', 'fastjson2-event-heartbeat-request', 'java-event-heartbeat-request']) {
      const request = frames.parse(frames.recorded(file));
      const answer = await consumer.exchange(request.bytes);
      assert.equal(answer.status, 20, file);
      assert.equal(answer.isEvent, true);
      assert.equal(answer.serialization, request.serialization);
      assert.ok(answer.body.equals(request.body));
    }
  });

  for (const [serialization, file] of Object.entries({ hessian2: 'request-string-cjk-emoji', fastjson2: 'fastjson2-request-string', fastjson: 'fastjson-request-string' })) {
    it(`adds the provider's token to requests in ${serialization}, and changes nothing else`, async () => {
      const service = `demo.Token${serialization}`.padEnd(RECORDED.length, 'X');
      const provider = await serve(service, (call) => call.echoBody(), { token: 'the-secret-token' });
      const consumer = await connect();
      const sent = frames.parse(frames.recorded(file, { replace: { [RECORDED]: service } })).body;
      await consumer.replay(file, { replace: { [RECORDED]: service } });
      const received = provider.calls[0].frame.body;
      const text = received.toString('latin1');
      assert.ok(text.includes('token') && text.includes('the-secret-token'));
      // What came before the attachments' end is there byte for byte (but for fastjson2's length of the map).
      const common = [...sent].findIndex((byte, i) => byte !== received[i]);
      assert.ok(common > sent.indexOf('sayHello') + 'sayHello'.length, `the bodies differ from byte ${common} of ${sent.length}`);
      if (serialization === 'hessian2') {
        const { attachments, args } = provider.calls[0];
        assert.equal(attachments.token, 'the-secret-token');
        assert.equal(attachments['remote.application'], 'demo-consumer');
        assert.equal(args.length, 1);
      }
      if (serialization === 'fastjson') assert.equal(JSON.parse(text.trim().split('\n').pop()).token, 'the-secret-token');
      if (serialization === 'fastjson2') assert.equal(lastLengthOf(received), 'fits');
    });
  }

  // fastjson2: every value is a length and as many bytes.
  function lastLengthOf(body) {
    let at = 0;
    while (at + 4 <= body.length) at += 4 + body.readUInt32BE(at);
    return at === body.length ? 'fits' : `off by ${at - body.length}`;
  }

  it("tells the provider its own URL's timeout where the request names none", async () => {
    const provider = await serve('com.example.UrlTimeout', undefined, { timeout: '4321', 'special.timeout': '1234' });
    const consumer = await connect();
    await consumer.call({ service: 'com.example.UrlTimeout', method: 'plain' });
    await consumer.call({ service: 'com.example.UrlTimeout', method: 'special' });
    await consumer.call({ service: 'com.example.UrlTimeout', method: 'plain', attachments: { timeout: '777' } });
    assert.deepEqual(provider.calls.map((call) => call.attachments.timeout), ['4321', '1234', '777']);
  });

  it('hands every recorded request to the provider byte for byte, and its answer back', async () => {
    const requests = frames.recordedList().filter(({ path }) => path);
    const provider = await RawProvider.start(stage, (call) => { if (call.frame.isTwoWay) call.echoBody(); });
    const services = new Map(); // one provider node for each service, group and version among them
    for (const { path, version, attachments: { group } = {} } of requests) {
      const key = `${path} ${version} ${group}`;
      if (services.has(key)) continue;
      services.set(key, path);
      await zookeeper.register(path, { port: provider.port, parameters: { ...(version !== '0.0.0' && { version }), ...(group && { group }) } });
    }
    const names = [...services.values()];
    for (const name of new Set(names)) await agent.subscribe({ interface: name, group: '*', version: '*' }, names.filter((one) => one === name).length);

    const consumer = await connect();
    assert.ok(requests.length >= 18, `${requests.length} recorded requests`);
    for (const [i, { file }] of requests.entries()) {
      const bytes = frames.recorded(file.replace('.bin', ''), { id: 0xf000000000000000n + BigInt(i) });
      const request = frames.parse(bytes);
      if (request.isTwoWay) {
        const answer = await consumer.exchange(bytes);
        assert.equal(answer.status, 20, file);
        assert.equal(answer.serialization, request.serialization, file);
        assert.ok(answer.body.equals(request.body), file);
      } else {
        await consumer.write(bytes);
        await eventually(() => provider.calls.length === i + 1, `${file} arrives`);
      }
      const { frame } = provider.calls[i];
      assert.equal(frame.flags, request.flags, file);
      assert.ok(frame.body.equals(request.body), `${file} arrives as it was sent`);
    }
    assert.equal(consumer.answers.length, requests.filter(({ flags }) => flags & 0x40).length);
  });

  it('keeps ids apart, whatever consumers choose', async () => {
    await serve('com.example.Ids', (call) => { setTimeout(() => call.value(call.args[0]), Math.random() * 10); });
    const ids = [0n, 1n, 0xffffffffffffffffn, 0x8000000000000000n, 0xdabbc20000000000n, 5n];
    const consumers = await Promise.all(Array.from({ length: 8 }, connect));
    await Promise.all(consumers.flatMap((consumer, i) => ids.map(async (id) => {
      assert.equal((await consumer.call({ id, service: 'com.example.Ids', args: [`${i} ${id}`] })).value, `${i} ${id}`);
    })));
  });

  it('takes a request in single bytes, and several requests in one piece', async () => {
    const service = 'com.example.Pieces';
    await serve(service);
    const consumer = await connect();
    const bytes = frames.request({ id: 900, service, args: ['bit by bit'] });
    for (let i = 0; i < bytes.length; i++) await consumer.write(bytes.subarray(i, i + 1));
    await eventually(() => consumer.answers.length === 1, 'its answer comes');
    assert.equal(frames.readResponse(consumer.answers[0]).value, 'bit by bit');

    const many = Array.from({ length: 500 }, (_, i) => frames.request({ id: 1000 + i, service, args: [i] }));
    await consumer.write(Buffer.concat(many));
    await eventually(() => consumer.answers.length === 501, 'all answers come');
    const values = new Map(consumer.answers.slice(1).map((frame) => [Number(frame.id) - 1000, frames.readResponse(frame).value]));
    for (let i = 0; i < many.length; i++) assert.equal(values.get(i), i);
  });

  it('drops answers that nobody waits for: repeated, unknown, late', async () => {
    const service = 'com.example.Confused';
    const provider = await serve(service, (call) => {
      if (call.method === 'twice') { call.value('first'); call.value('second'); }
      if (call.method === 'unknown') { call.send(frames.response(call.id ^ 0x5n, 'wrong')); call.send(frames.response(frames.MAX_ID, 'wrong')); call.value('right'); }
      if (call.method === 'late') call.socket.late = () => call.value('late');
      if (call.method === 'fine') call.value(call.args[0]);
    });
    const consumer = await connect();
    const earlier = (await agent.metrics()).skiff_outbound_late_answers_total;
    assert.equal((await consumer.call({ service, method: 'twice' })).value, 'first');
    assert.equal((await consumer.call({ service, method: 'unknown' })).value, 'right');
    assert.equal((await consumer.call({ service, method: 'late', attachments: { timeout: '100' } })).status, 31);
    for (const socket of provider.sockets) if (socket.late) socket.late();
    for (let i = 0; i < 100; i++) assert.equal((await consumer.call({ service, method: 'fine', args: [`after ${i}`] })).value, `after ${i}`);
    await eventually(async () => (await agent.metrics()).skiff_outbound_late_answers_total === earlier + 4, 'all four are counted');
    assert.equal(consumer.answers.length, 103);
  });

  it('never answers one-way requests, even where the provider does', async () => {
    const service = 'com.example.Talkative';
    const provider = await serve(service, (call) => call.send(frames.response(call.id, 'an answer')));
    const consumer = await connect();
    for (let i = 0; i < 10; i++) await consumer.oneWay({ service, args: [i] });
    await eventually(() => provider.calls.length === 10, 'all arrive');
    assert.equal((await consumer.call({ service })).value, 'an answer');
    assert.equal(consumer.answers.length, 1);
  });

  it('honours READONLY: nothing new goes there, what is in flight completes, and WRITEABLE undoes it', async () => {
    const service = 'com.example.Readonly';
    const inFlight = [];
    const ruleOf = (name) => (call) => { if (call.method === 'wait') inFlight.push(() => call.value(name)); else call.value(name); };
    const leaving = await serve(service, ruleOf('leaving'));
    const staying = await RawProvider.start(stage, ruleOf('staying'));
    await zookeeper.register(service, { port: staying.port });
    await agent.knowsProviders(service, 2);
    // One connection is one worker, which has its own view of each provider.
    const consumer = await connect();
    const answersOf = async (count) => new Set((await Promise.all(Array.from({ length: count }, () => consumer.call({ service })))).map((answer) => answer.value));
    await eventually(async () => (await answersOf(20)).size === 2, 'both are called');
    const waiting = Array.from({ length: 20 }, () => consumer.call({ service, method: 'wait' }));
    await eventually(() => inFlight.length === 20, 'calls are in flight');

    leaving.broadcast(frames.readonly());
    await eventually(async () => !(await answersOf(20)).has('leaving'), 'new calls go elsewhere');
    assert.deepEqual([...await answersOf(200)], ['staying']);
    for (const release of inFlight) release();
    assert.deepEqual([...new Set((await Promise.all(waiting)).map((answer) => answer.status))], [20]);
    assert.equal(leaving.sockets.size > 0, true, 'its connection stays');

    leaving.broadcast(frames.writeable());
    await eventually(async () => (await answersOf(50)).has('leaving'), 'it gets calls again');
    assert.deepEqual(consumer.events, [], 'consumers are told nothing of it');
  });

  it('uses a READONLY provider where nobody else is there', async () => {
    const service = 'com.example.LastOne';
    const provider = await serve(service);
    const consumer = await connect();
    await consumer.call({ service });
    provider.broadcast(frames.readonly());
    await eventually(async () => (await agent.metrics()).skiff_upstream_readonly_total > 0, 'READONLY was read');
    for (let i = 0; i < 20; i++) assert.equal((await consumer.call({ service, args: [i] })).value, i);
  });

  it('routes generic calls, and counts them by the method they name', async () => {
    const service = 'com.example.Generic';
    const provider = await serve(service, (call) => call.value('generic answer'));
    const consumer = await connect();
    const answer = await consumer.call({
      service, method: '$invoke', types: 'Ljava/lang/String;[Ljava/lang/String;[Ljava/lang/Object;', attachments: { generic: 'true' },
      args: ['realMethod', ['java.lang.String'], ['argument']],
    });
    assert.equal(answer.value, 'generic answer');
    assert.deepEqual(provider.calls[0].args, ['realMethod', ['java.lang.String'], ['argument']]);
    const metrics = await agent.metrics();
    assert.equal(metrics[`skiff_requests_total{interface="${service}",method="realMethod",outcome="ok"}`], 1);
    assert.equal(metrics[`skiff_requests_total{interface="${service}",method="$invoke",outcome="ok"}`], undefined);
  });

  it('answers 80 when the provider dies with requests in flight, and goes on when it is back', async () => {
    const service = 'com.example.Dying';
    const provider = await serve(service, (call) => { if (call.method === 'echo') call.value(call.args[0]); });
    const consumer = await connect();
    const lost = Array.from({ length: 10 }, () => consumer.call({ service, method: 'never', attachments: { timeout: '30000' } }));
    await eventually(() => provider.calls.length === 10, 'the calls are in flight');
    provider.disconnectAll();
    for (const answer of await Promise.all(lost)) {
      assert.equal(answer.status, 80);
      assert.ok(answer.message.includes(`127.0.0.1:${provider.port}`) && answer.message.includes(service), answer.message);
    }
    assert.equal((await consumer.call({ service, args: ['again'] })).value, 'again');
  });

  it('answers 80 when the provider closes in the middle of an answer', async () => {
    const service = 'com.example.Halfway';
    await serve(service, (call) => {
      const answer = frames.response(call.id, 'a whole answer would have been longer');
      call.socket.end(answer.subarray(0, answer.length - 5));
    });
    const consumer = await connect();
    assert.equal((await consumer.call({ service })).status, 80);
  });

  it('closes the connection to a provider that sends garbage, and answers 80', async () => {
    const service = 'com.example.Garbage';
    await serve(service, (call) => call.send(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')));
    const consumer = await connect();
    assert.equal((await consumer.call({ service })).status, 80);
  });

  it('goes elsewhere when a provider refuses connections, and no call fails', async () => {
    const service = 'com.example.HalfDown';
    const gone = await serve(service);
    const there = await RawProvider.start(stage, (call) => call.value('there'));
    await zookeeper.register(service, { port: there.port });
    await agent.knowsProviders(service, 2);
    await gone.stop();
    const consumer = await connect();
    const answers = await Promise.all(Array.from({ length: 100 }, () => consumer.call({ service })));
    assert.deepEqual([...new Set(answers.map((answer) => answer.value))], ['there']);
  });

  // An agent that asks after a silence of 150 ms, and a service of one provider which it has called once.
  async function startImpatient(service, rule) {
    const impatient = await startAgent(stage, { name: 'impatient agent', registry: zookeeper.registry, flags: ['--heartbeat-interval', '150ms'] });
    const provider = await RawProvider.start(stage, rule);
    await zookeeper.register(service, { port: provider.port });
    await impatient.subscribe({ interface: service });
    const consumer = await RawConsumer.connect(stage, impatient.outbound);
    return { impatient, provider, consumer };
  }

  it('asks a silent provider whether it lives, and keeps the connection as long as it answers', async () => {
    const service = 'com.example.Quiet';
    const { provider, consumer } = await startImpatient(service);
    await consumer.call({ service });
    await eventually(() => provider.events.filter((event) => event.isTwoWay).length >= 8, 'heartbeats come', 5_000);
    assert.equal(provider.connections, 1);
    assert.equal(provider.sockets.size, 1);
  });

  it('gives up on a provider that does not even answer heartbeats', async () => {
    const service = 'com.example.Dead';
    const { provider, consumer } = await startImpatient(service);
    provider.onFrame = (frame) => { (frame.isEvent ? provider.events : provider.calls).push(frame); };
    const answer = await consumer.call({ service, attachments: { timeout: '19000' } });
    assert.equal(answer.status, 80, answer.message);
    assert.match(answer.message, /heartbeat/);
    assert.ok(provider.events.length >= 1);
  });

  it('answers everything that a consumer sent before it closed its sending side', async () => {
    const service = 'com.example.HalfClosed';
    await serve(service, (call) => { setTimeout(() => call.value(call.args[0]), 50); });
    const consumer = await connect();
    const answers = Array.from({ length: 5 }, (_, i) => consumer.call({ service, args: [i] }));
    consumer.socket.end();
    assert.deepEqual((await Promise.all(answers)).map((answer) => answer.value), [0, 1, 2, 3, 4]);
    await consumer.closed();
  });
});
