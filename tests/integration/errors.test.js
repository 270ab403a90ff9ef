'use strict';
// Every row of the table of errors that a consumer can get from the outbound port, in every serialization that
// the agent answers in. The requests are recorded ones; what differs is replaced by texts of the same length.

const assert = require('node:assert/strict');
const net = require('node:net');
const { startAgent } = require('./lib/agent');
const frames = require('./lib/frames');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { DEADLINE_MS, eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SERIALIZATIONS = [
  { name: 'hessian2', id: frames.HESSIAN2, file: 'request-string-cjk-emoji' },
  { name: 'fastjson2', id: frames.FASTJSON2, file: 'fastjson2-request-string' },
  { name: 'fastjson', id: frames.FASTJSON, file: 'fastjson-request-string' },
  { name: 'java', id: frames.JAVA, file: 'java-request-string' },
];

const RECORDED_SERVICE = 'demo.GreetingService';
const serviceNamed = (name) => `demo.${name}`.padEnd(RECORDED_SERVICE.length, 'X');
const SILENT = serviceNamed('Silent');
const SILENT_WITH_LIMIT = serviceNamed('SilentLimit');
const DOWN = serviceNamed('Down');
const ECHO = serviceNamed('Echo');
const FULL = serviceNamed('Full');

const HOLD_TIME_MS = 400;
const DEFAULT_TIMEOUT_MS = 300;
const PROVIDER_TIMEOUT_MS = 450;
const FULL_TIMEOUT_MS = 5000;
const BODY_LIMIT = 8 * 1024 * 1024;
const SLACK_MS = 2500; // for a busy machine
// An agent reads its clock once a turn, and on a busy machine it may be interrupted between that and the request.
const EARLY_MS = 100;

async function timed(promise) {
  const start = performance.now();
  const answer = await promise;
  return { answer, ms: performance.now() - start };
}

function assertTook(ms, expected) {
  assert.ok(ms >= expected - EARLY_MS && ms < expected + SLACK_MS, `answered after ${Math.round(ms)} ms, expected ${expected}`);
}

scenario('Errors at the outbound port', ({ stage, before, it }) => {
  let agent;
  let lonely; // its registry does not answer
  const downAddresses = [];

  before(async () => {
    const zookeeper = await startZooKeeper(stage);
    const silent = await RawProvider.start(stage, () => {});
    const echo = await RawProvider.start(stage, (call) => call.echoBody());
    // It accepts, and reads nothing.
    const full = net.createServer({ pauseOnConnect: true }).listen(0, '127.0.0.1');
    await new Promise((resolve) => { full.once('listening', resolve); });
    const stuck = new Set();
    full.on('connection', (socket) => { stuck.add(socket); socket.on('error', () => {}); });
    stage.atEnd(() => { for (const socket of stuck) socket.destroy(); full.close(); });

    await zookeeper.register(SILENT, { port: silent.port });
    await zookeeper.register(SILENT_WITH_LIMIT, { port: silent.port, parameters: { timeout: String(PROVIDER_TIMEOUT_MS) } });
    await zookeeper.register(ECHO, { port: echo.port });
    await zookeeper.register(FULL, { port: full.address().port });
    for (let i = 0; i < 2; i++) {
      const port = await freePort();
      downAddresses.push(`127.0.0.1:${port}`);
      await zookeeper.register(DOWN, { port });
    }
    const flags = ['--hold-time', `${HOLD_TIME_MS}ms`, '--default-timeout', `${DEFAULT_TIMEOUT_MS}ms`];
    agent = await startAgent(stage, { registry: zookeeper.registry, flags });
    lonely = await startAgent(stage, { name: 'lonely-agent', registry: `zookeeper://127.0.0.1:${await freePort()}`, flags, until: '/healthz' });
    for (const name of [SILENT, SILENT_WITH_LIMIT, ECHO, FULL]) await agent.subscribe({ interface: name });
    await agent.subscribe({ interface: DOWN }, 2);
  });

  const connect = () => RawConsumer.connect(stage, agent.outbound);

  function assertError(answer, { status, serialization, says }) {
    assert.equal(answer.status, status, answer.message);
    assert.equal(answer.serialization, serialization.id);
    for (const text of says) assert.ok(answer.message.includes(text), `"${answer.message}" does not say "${text}"`);
  }

  for (const serialization of SERIALIZATIONS) {
    const { name, id, file } = serialization;
    const replay = (consumer, service, replace = {}) => consumer.replay(file, { replace: { [RECORDED_SERVICE]: service, ...replace } });

    it(`answer ${name}: 60 for a service that nobody provides, as soon as the empty list is here`, async () => {
      const service = serviceNamed(`None${name}`);
      const answer = await replay(await connect(), service);
      assertError(answer, { status: 60, serialization, says: ['skiff', service] });
    });

    it(`answer ${name}: 60 after the hold time where no list comes, because the registry is away`, async () => {
      const service = serviceNamed(`None${name}`);
      const consumer = await RawConsumer.connect(stage, lonely.outbound);
      const { answer, ms } = await timed(replay(consumer, service));
      assertError(answer, { status: 60, serialization, says: [service, `${HOLD_TIME_MS} ms`] });
      assertTook(ms, HOLD_TIME_MS);
    });

    it(`answer ${name}: 80 when every provider is down, with the addresses that were tried`, async () => {
      const answer = await replay(await connect(), DOWN);
      assertError(answer, { status: 80, serialization, says: [DOWN, 'sayHello', ...downAddresses] });
    });

    it(`answer ${name}: 31 when the provider takes longer than configured`, async () => {
      // The recorded timeout attachment, where there is one, becomes an unknown attachment.
      const { answer, ms } = await timed(replay(await connect(), SILENT, { timeout: 'tameout' }));
      assertError(answer, { status: 31, serialization, says: [SILENT, `${DEFAULT_TIMEOUT_MS} ms`, '127.0.0.1:'] });
      assertTook(ms, DEFAULT_TIMEOUT_MS);
    });

    it(`answer ${name}: 31 when the provider takes longer than its own URL says`, async () => {
      const { answer, ms } = await timed(replay(await connect(), SILENT_WITH_LIMIT, { timeout: 'tameout' }));
      assertError(answer, { status: 31, serialization, says: [SILENT_WITH_LIMIT, `${PROVIDER_TIMEOUT_MS} ms`] });
      assertTook(ms, PROVIDER_TIMEOUT_MS);
    });

    it(`answer ${name}: 40 when the body cannot be read, and go on serving the connection`, async () => {
      const consumer = await connect();
      const bodies = [Buffer.alloc(0), Buffer.from('this is no request of any kind'), Buffer.alloc(300, 0xff), frames.recorded(file).subarray(16, 16 + 40)];
      for (const [i, body] of bodies.entries()) {
        const frame = await consumer.exchange(frames.build({ flags: 0xc0 | id, id: 1000 + i, body }));
        assertError({ ...frame, message: frames.readMessage(frame) }, { status: 40, serialization, says: ['cannot be read'] });
      }
      assert.equal((await replay(consumer, ECHO)).status, 20);
    });

    it(`answer ${name}: 40 when the request is over the limit, then close`, async () => {
      const consumer = await connect();
      const size = BODY_LIMIT + 1;
      const frame = await consumer.exchange(frames.build({ flags: 0xc0 | id, id: 77, size }));
      assertError({ ...frame, message: frames.readMessage(frame) }, { status: 40, serialization, says: [String(size), String(BODY_LIMIT)] });
      await consumer.closed();
    });
  }

  for (const { name, file } of SERIALIZATIONS.slice(0, 2)) {
    it(`answer ${name}: 31 when the provider takes longer than the request's own timeout`, async () => {
      const consumer = await connect();
      const { answer, ms } = await timed(consumer.replay(file, { replace: { [RECORDED_SERVICE]: SILENT_WITH_LIMIT, 3000: '0700' } }));
      assert.equal(answer.status, 31);
      assert.ok(answer.message.includes('700 ms'), answer.message);
      assertTook(ms, 700);
    });
  }

  it('answer 40 to a serialization that is not read, where several services are possible', async () => {
    const consumer = await connect();
    for (const id of [8, 12, 22, 25, 31]) {
      const frame = await consumer.exchange(frames.build({ flags: 0xc0 | id, id, body: Buffer.from('kryo, protostuff, protobuf, kryo2, anything') }));
      assert.equal(frame.status, 40);
      assert.equal(frame.serialization, id, 'the answer is in the serialization of the request');
    }
    assert.equal((await consumer.call({ service: ECHO })).status, 20);
  });

  it('answer 100 when a provider does not take its requests, and every request gets its one answer', async () => {
    const consumer = await connect();
    const answers = [];
    // Ever smaller ones, until nothing more fits.
    for (let size = 6 * 1024 * 1024; size >= 1; size = Math.floor(size / 4)) {
      for (let refused = false; !refused;) {
        const answer = consumer.call({ service: FULL, args: [Buffer.alloc(size)], attachments: { timeout: String(FULL_TIMEOUT_MS) } });
        // Taken ones are answered later, with the timeout.
        const first = await Promise.race([answer, consumer.call({ service: ECHO })]);
        refused = first.status === 100;
        if (refused) assert.ok(first.message.includes('does not take its requests'), first.message); else answers.push(answer);
        assert.ok(answers.length < 200, 'the limit is reached');
      }
    }
    for (const serialization of SERIALIZATIONS) {
      const answer = await consumer.replay(serialization.file, { replace: { [RECORDED_SERVICE]: FULL } });
      assertError(answer, { status: 100, serialization, says: ['does not take its requests', '127.0.0.1:'] });
    }
    assert.equal((await consumer.call({ service: ECHO })).status, 20, 'other services are served');
    assert.deepEqual([...new Set((await Promise.all(answers)).map((answer) => answer.status))], [31]);
  });

  it('drop one-way requests that nobody can take, and answer nothing', async () => {
    const consumer = await connect();
    const { skiff_outbound_one_way_dropped_total: earlier } = await agent.metrics();
    await consumer.oneWay({ service: DOWN });
    await consumer.oneWay({ service: serviceNamed('NoneAtAll') });
    await eventually(async () => (await agent.metrics()).skiff_outbound_one_way_dropped_total === earlier + 2, 'both are counted');
    assert.equal((await consumer.call({ service: ECHO })).status, 20);
    assert.equal(consumer.answers.length, 1);
  });

  it('are counted by their status', async () => {
    const metrics = await agent.metrics();
    for (const metric of ['service_not_found', 'provider_unreachable', 'timeouts', 'bad_requests', 'refused_by_limit']) {
      assert.ok(metrics[`skiff_outbound_${metric}_total`] > 0, metric);
    }
  });
});

const FOREIGN = {
  telnet: { bytes: 'ls\r\n', says: /telnet|text/i },
  HTTP: { bytes: 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', says: /HTTP/ },
  'the HTTP/2 preface': { bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', says: /HTTP\/2/ },
  TLS: { bytes: Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03]), says: /TLS/ },
  'other bytes': { bytes: Buffer.alloc(64, 0x01), says: /does not speak Dubbo/ },
};

scenario('What is not Dubbo', ({ stage, it }) => {
  for (const [protocol, { bytes, says }] of Object.entries(FOREIGN)) {
    for (const side of ['outbound', 'inbound']) {
      it(`closes on ${protocol} at the ${side} port, and says so in the log`, async () => {
        // An agent of its own, because such log lines are limited in number.
        const agent = await startAgent(stage, { name: `agent for ${protocol}`, workers: 1 });
        const consumer = await RawConsumer.connect(stage, agent[side]);
        await consumer.write(bytes);
        await consumer.closed();
        assert.equal(consumer.answers.length, 0);
        await eventually(() => agent.logLines(says).some((line) => line.includes(side) || line.includes('consumer')), `a log line ${says}`, DEADLINE_MS);
        assert.equal((await agent.metrics()).skiff_foreign_protocol_total, 1);
        await agent.stop();
      });
    }
  }

  it('closes on a frame whose second half is garbage, but answers the first', async () => {
    const agent = await startAgent(stage);
    const provider = await RawProvider.start(stage, (call) => call.value('fine'));
    await agent.publish({ interface: 'com.example.First', port: provider.port });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    await consumer.call({ service: 'com.example.First' });
    await consumer.write(Buffer.concat([frames.request({ id: 2, service: 'com.example.First' }), Buffer.from('garbage instead of a header')]));
    await consumer.closed();
    assert.equal((await agent.metrics()).skiff_foreign_protocol_total, 1);
  });
});

scenario('A serialization that the agent cannot read', ({ stage, it }) => {
  it('goes through where only one service is possible', async () => {
    const agent = await startAgent(stage);
    const provider = await RawProvider.start(stage, (call) => call.echoBody());
    await agent.publish({ interface: 'com.example.OnlyOne', port: provider.port });
    await agent.subscribe({ interface: 'com.example.OnlyOne' });
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const body = Buffer.from('\u0001\u0002 whatever kryo writes \u0003');
    const frame = await consumer.exchange(frames.build({ flags: 0xc8, id: 5, body }));
    assert.equal(frame.status, 20);
    assert.ok(frame.body.equals(body));
    assert.ok(provider.calls[0].frame.body.equals(body));
  });
});
