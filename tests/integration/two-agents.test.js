'use strict';
// consumer -> outbound of one agent -> inbound of another -> provider, with ZooKeeper between the agents.

const assert = require('node:assert/strict');
const { startAgent } = require('./lib/agent');
const { startApacheConsumer, startProvider, startSofaConsumer } = require('./lib/peers');
const { RawConsumer } = require('./lib/raw-consumer');
const { scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SERVICE = 'com.example.FarService';
const MEBIBYTE = 1024 * 1024;

scenario('Two agents', ({ stage, before, it }) => {
  let near; // the consumer's agent
  let far; // the provider's agent
  let provider;
  let consumer;

  before(async () => {
    const zookeeper = await startZooKeeper(stage);
    const { registry } = zookeeper;
    provider = await startProvider(stage, { name: 'provider', services: [{ interface: SERVICE }] });
    far = await startAgent(stage, { name: 'far-agent', registry });
    near = await startAgent(stage, { name: 'near-agent', registry });
    await far.publish({ interface: SERVICE, port: provider.port, methods: ['echo', 'fail', 'length', 'note', 'nothing', 'reverse', 'whoami'] });
    await near.subscribe({ interface: SERVICE });
    consumer = await startSofaConsumer(stage, { name: 'sofa-consumer', port: near.outbound, interface: SERVICE });
  });

  it('carry strings, of any length and any script', async () => {
    for (const text of ['', 'a', 'x'.repeat(31), 'y'.repeat(32), 'z'.repeat(70_000), 'grüße', '日本語', 'mixed 😀 and 中']) {
      assert.equal(await consumer.call('echo', text), text);
    }
  });

  it('carry maps and lists, one inside the other', async () => {
    const map = { name: 'value', count: 3, inner: { list: ['a', 'b', { deep: 'yes' }] }, empty: {} };
    assert.deepEqual(await consumer.call('echo', map), map);
    assert.deepEqual(await consumer.call('reverse', ['a', 2, 'c', ['d']]), [['d'], 'c', 2, 'a']);
    assert.deepEqual(await consumer.call('echo', []), []);
  });

  it('carry null, both ways', async () => {
    assert.equal(await consumer.call('nothing'), null);
    assert.equal(await consumer.call('echo', null), null);
  });

  it("carry the provider's own exceptions", async () => {
    await assert.rejects(consumer.call('fail', 'because'), /refused: because/);
    await assert.rejects(consumer.call('no-such-method', 'x'), /Can not find method/);
  });

  it('serve apache-dubbo-js with a fixed address', async () => {
    const direct = await startApacheConsumer(stage, { name: 'apache-consumer', port: near.outbound, interface: SERVICE });
    assert.equal(await direct.call('echo', 'héllo 😀'), 'héllo 😀');
    assert.equal(await direct.call('whoami'), 'provider');
    await assert.rejects(direct.call('fail', 'again'), /refused: again/);
  });

  it('carry an argument of 1 MiB, and an answer of 1 MiB', async () => {
    const text = 'm'.repeat(MEBIBYTE);
    assert.equal(await consumer.call('length', text), MEBIBYTE);
    assert.ok(await consumer.call('echo', text) === text, 'the same text comes back');
    const raw = await RawConsumer.connect(stage, near.outbound);
    const bytes = Buffer.alloc(MEBIBYTE, 'some bytes');
    assert.equal((await raw.call({ service: SERVICE, method: 'length', args: [bytes] })).value, MEBIBYTE);
    assert.ok((await raw.call({ service: SERVICE, args: [bytes] })).value.equals(bytes), 'the same bytes come back');
  });

  it('deliver one-way calls, and answer nothing', async () => {
    const raw = await RawConsumer.connect(stage, near.outbound);
    const notes = Array.from({ length: 20 }, (_, i) => `note ${i}`);
    for (const note of notes) await raw.oneWay({ service: SERVICE, method: 'note', args: [note] });
    await eventually(async () => {
      const heard = await provider.ask('heard');
      return notes.every((note) => heard.includes(note));
    }, 'every note is heard');
    // This provider answers one-way calls, too; its answers must not come through.
    assert.equal((await raw.call({ service: SERVICE, args: ['two-way'] })).value, 'two-way');
    assert.equal(raw.answers.length, 1);
  });

  it('answer 50 calls at once on one connection, each with its own answer', async () => {
    assert.equal(await consumer.ask('burst', 50), 50);
  });

  it('answer 200 connections, all of which use the same request id', async () => {
    const consumers = await Promise.all(Array.from({ length: 200 }, () => RawConsumer.connect(stage, near.outbound)));
    const answers = await Promise.all(consumers.map((raw, i) => raw.call({ id: 0n, service: SERVICE, args: [`caller ${i}`] })));
    assert.deepEqual(answers.map((answer) => answer.value), consumers.map((_, i) => `caller ${i}`));
    const metrics = await near.metrics();
    assert.ok(metrics.skiff_outbound_connections >= 200);
    assert.ok(metrics.skiff_upstream_connections <= 40, `${metrics.skiff_upstream_connections} connections to the one provider`);
    for (const raw of consumers) raw.close();
    await eventually(async () => (await near.metrics()).skiff_outbound_connections < 20, 'the closed connections are counted off');
  });

  it('count what passed: as many out here as in there, and nothing failed', async () => {
    const here = await near.metrics();
    const there = await far.metrics();
    assert.equal(here.skiff_outbound_requests_total, there.skiff_inbound_requests_total);
    assert.equal(here.skiff_outbound_answered_total, here.skiff_outbound_requests_total - here.skiff_outbound_one_way_total);
    assert.equal(here.skiff_outbound_errors_total, 0);
    assert.equal(there.skiff_inbound_errors_total, 0);
    assert.equal(here.skiff_outbound_in_flight, 0);
    assert.equal(there.skiff_inbound_in_flight, 0);
    assert.equal(here.skiff_inbound_requests_total, 0);
    const echoed = here[`skiff_requests_total{interface="${SERVICE}",method="echo",outcome="ok"}`];
    assert.ok(echoed >= 250, `${echoed} calls of echo`);
  });
});
