'use strict';
// The wire between a consumer, the inbound port and providers of this machine.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const frames = require('./lib/frames');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');

scenario('The inbound port', ({ stage, before, it }) => {
  let agent; // with several publications
  const connect = () => RawConsumer.connect(stage, agent.inbound);

  async function publish(name, rule, fields = {}) {
    const provider = await RawProvider.start(stage, rule);
    await agent.publish({ interface: name, port: provider.port, ...fields });
    return provider;
  }

  before(async () => { agent = await startAgent(stage); });

  it('answers heartbeats of every serialization by itself', async () => {
    const consumer = await connect();
    for (const file of ['event-heartbeat-request', 'fastjson2-event-heartbeat-request', 'java-event-heartbeat-request']) {
      const request = frames.parse(frames.recorded(file));
      const answer = await consumer.exchange(request.bytes);
      assert.deepEqual([answer.status, answer.isEvent, answer.serialization], [20, true, request.serialization], file);
      assert.ok(answer.body.equals(request.body));
    }
  });

  it('chooses the local port by publication, for several on one connection', async () => {
    const services = ['com.example.One', 'com.example.Two', 'com.example.Three'];
    for (const name of services) await publish(name, (call) => call.value(`${name} ${call.args[0]}`));
    const consumer = await connect();
    const expected = Array.from({ length: 60 }, (_, i) => `${services[i % 3]} ${i}`);
    const answers = await Promise.all(expected.map((_, i) => consumer.call({ service: services[i % 3], args: [i] })));
    assert.deepEqual(answers.map((answer) => answer.value), expected);
  });

  it('gives each consumer a provider connection of its own, and closes it with the consumer', async () => {
    const name = 'com.example.OneToOne';
    const provider = await publish(name, (call) => {
      call.socket.callsOnIt = (call.socket.callsOnIt || 0) + 1;
      call.value(call.socket.callsOnIt);
    }, { check: { type: 'none' } }); // whose connection would be a further one
    const consumers = [await connect(), await connect(), await connect()];
    for (let round = 1; round <= 3; round++) {
      for (const consumer of consumers) assert.equal((await consumer.call({ service: name })).value, round);
    }
    assert.equal(provider.connections, 3);
    for (const consumer of consumers) consumer.close();
    await eventually(() => provider.sockets.size === 0, 'the provider connections are closed');
  });

  it('passes callbacks of the provider to the very consumer, and its answers back', async () => {
    const name = 'com.example.Callback';
    const calledBack = [];
    await publish(name, (call) => {
      // Asks the consumer on its own connection, and answers with what it says.
      const callbackId = 7000n + call.id;
      call.socket.on('data', function onAnswer(data) {
        if (data.readBigUInt64BE(4) !== callbackId || (data[2] & 0x80) !== 0) return;
        call.socket.off('data', onAnswer);
        call.value(frames.readResponse(frames.parse(data)).value);
      });
      call.send(frames.request({ id: callbackId, service: 'com.example.Listener', method: 'changed', args: ['news'] }));
    });
    const consumers = [await connect(), await connect()];
    for (const [i, consumer] of consumers.entries()) {
      const onFrame = consumer.onFrame.bind(consumer);
      consumer.onFrame = (frame) => {
        onFrame(frame);
        if (!frame.isRequest) return;
        calledBack.push(i);
        consumer.write(frames.response(frame.id, `seen by ${i}`));
      };
    }
    const answers = await Promise.all(consumers.map((consumer, i) => consumer.call({ id: BigInt(i + 1), service: name })));
    assert.deepEqual(answers.map((answer) => answer.value), ['seen by 0', 'seen by 1']);
    assert.deepEqual(calledBack.sort(), [0, 1]);
  });

  it('answers 80 when the provider dies with requests in flight, and goes on when it is back', async () => {
    const name = 'com.example.Dying';
    const provider = await publish(name, (call) => { if (call.method === 'echo') call.value(call.args[0]); });
    const consumer = await connect();
    const lost = Array.from({ length: 5 }, () => consumer.call({ service: name, method: 'never' }));
    await eventually(() => provider.calls.length === 5, 'the calls are in flight');
    provider.disconnectAll();
    for (const answer of await Promise.all(lost)) {
      assert.equal(answer.status, 80);
      assert.ok(answer.message.includes(String(provider.port)), answer.message);
    }
    assert.equal((await consumer.call({ service: name, args: ['again'] })).value, 'again');
  });

  it('answers 80 where nobody listens on the provider\'s port, in the serialization of the request', async () => {
    const port = await freePort();
    const name = 'demo.NobodyListensXX';
    await agent.publish({ interface: name, port, check: { type: 'none' } });
    for (const file of ['request-string-cjk-emoji', 'fastjson2-request-string', 'fastjson-request-string', 'java-request-string']) {
      const consumer = await connect();
      const answer = await consumer.replay(file, { replace: { 'demo.GreetingService': name } });
      assert.equal(answer.status, 80, file);
      assert.ok(answer.message.includes(String(port)), answer.message);
    }
  });

  it('answers 40 to a request over the limit, then closes', async () => {
    const consumer = await connect();
    const frame = await consumer.exchange(frames.build({ flags: 0xc2, id: 5, size: 9 * 1024 * 1024 }));
    assert.equal(frame.status, 40);
    assert.match(frames.readMessage(frame), /9437184/);
    await consumer.closed();
  });

  it('takes a request in single bytes, and one of 8 MiB', async () => {
    const name = 'com.example.Sizes';
    await publish(name, (call) => call.value(call.args[0].length));
    const consumer = await connect();
    const bytes = frames.request({ id: 900, service: name, args: ['bit by bit'] });
    for (let i = 0; i < bytes.length; i++) await consumer.write(bytes.subarray(i, i + 1));
    await eventually(() => consumer.answers.length === 1, 'its answer comes');
    assert.equal(frames.readResponse(consumer.answers[0]).value, 10);
    const largest = 8 * 1024 * 1024 - 1024;
    assert.equal((await consumer.call({ service: name, args: [Buffer.alloc(largest)] })).value, largest);
  });
});

scenario('The inbound port before a single provider', ({ stage, before, it }) => {
  let provider;
  let agent;

  before(async () => {
    provider = await RawProvider.start(stage, (call) => { if (call.frame.isTwoWay) call.echoBody(); });
    agent = await startAgent(stage, { flags: ['--provider', `127.0.0.1:${provider.port}`] });
  });

  it('relays every recorded frame byte for byte, whatever its serialization', async () => {
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    const requests = frames.recordedList().filter(({ flags }) => (flags & 0xa0) === 0x80);
    for (const [i, { file, flags }] of requests.entries()) {
      const bytes = frames.recorded(file.replace('.bin', ''), { id: 500 + i });
      if ((flags & 0x40) === 0) await consumer.write(bytes);
      else assert.ok((await consumer.exchange(bytes)).body.equals(bytes.subarray(frames.HEADER)), file);
      await eventually(() => provider.calls.length === i + 1, `${file} arrives`);
      assert.ok(provider.calls[i].frame.bytes.equals(bytes), file);
    }
    // Kryo, protostuff, and a number that nobody has given out.
    for (const id of [8, 12, 30]) {
      const body = Buffer.from([id, 0, 1, 2, 3]);
      const answer = await consumer.exchange(frames.build({ flags: 0xc0 | id, id: 100 + id, body }));
      assert.deepEqual([answer.status, answer.serialization], [20, id]);
      assert.ok(answer.body.equals(body));
    }
  });

  it('needs no publication for it, and says so nowhere else than in its configuration', async () => {
    const consumer = await RawConsumer.connect(stage, agent.inbound);
    assert.equal((await consumer.exchange(frames.request({ id: 1, service: 'com.example.NeverPublished' }))).status, 20);
    assert.equal((await agent.get('/config')).body.provider, `127.0.0.1:${provider.port}`);
  });
});
