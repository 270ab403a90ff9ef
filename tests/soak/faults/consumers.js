'use strict';
// What consumers do wrong. None of it explains an error that another consumer gets.

const frames = require('../../integration/lib/frames');
const { within } = require('../../integration/lib/wait');
const { template } = require('../messages');
const { NOBODY } = require('../world');

const KIBIBYTE = 1024;
const OVERSIZED_BODY = 9 * KIBIBYTE * KIBIBYTE;
const CROWD = 1_000;
const CROWD_AT_ONCE = 100;
const CLOSED_LIMIT_MS = 15_000; // timeouts of what is in flight, and then some
const BYTE_PAUSE_MS = 1;

const oneOfEach = (count, make) => Array.from({ length: count }, (_, i) => make(i));

// The agent must end this connection.
async function mustBeClosed({ ledger }, consumer, why) {
  await within(consumer.ended, why, CLOSED_LIMIT_MS).catch(() => ledger.note('wrong', `the agent does not close a connection ${why}`, { consumer }));
}

async function neverReads({ traffic, random }) {
  const consumer = await traffic.connect('consumer that does not read');
  consumer.socket.pause();
  for (let i = 0; i < 120; i++) consumer.ask(traffic.draw({ size: 70 * KIBIBYTE }));
  const readsInTheEnd = random.chance(0.7);
  return async () => {
    if (!readsInTheEnd) return consumer.vanish();
    for (const record of consumer.pending.values()) record.dueFrom = Date.now();
    consumer.socket.resume();
    return consumer.leave();
  };
}

async function sendsByteByByte({ traffic }) {
  const consumer = await traffic.connect('consumer that sends byte by byte');
  let isOver = false;
  const sendOne = async () => {
    const { record, bytes } = consumer.prepare(traffic.draw({ size: 0 }));
    record.dueFrom = Infinity;
    for (const byte of bytes) {
      consumer.socket.write(Buffer.from([byte]));
      if (!isOver) await new Promise((resolve) => { setTimeout(resolve, BYTE_PAUSE_MS); });
    }
    record.dueFrom = Date.now();
  };
  const sending = (async () => { while (!isOver) await sendOne(); })();
  return async () => {
    isOver = true;
    await sending;
    await consumer.leave();
  };
}

async function vanishesWithinAFrame({ traffic, random }) {
  const consumers = await Promise.all(oneOfEach(5, (i) => traffic.connect(`consumer ${i} that vanishes`)));
  for (const consumer of consumers) {
    for (let i = 0; i < 10; i++) consumer.ask(traffic.draw());
    const { bytes } = consumer.prepare(traffic.draw());
    consumer.socket.write(bytes.subarray(0, random.between(1, bytes.length - 1)));
  }
  return () => Promise.all(consumers.map((consumer) => consumer.vanish()));
}

async function leavesWithRequestsInFlight({ traffic }) {
  const consumer = await traffic.connect('consumer that leaves');
  for (let i = 0; i < 100; i++) consumer.ask(traffic.draw());
  await new Promise((resolve) => { consumer.socket.write('', resolve); });
  await consumer.vanish();
  return () => {};
}

async function comesAsACrowd({ traffic }) {
  const crowd = [];
  while (crowd.length < CROWD) {
    crowd.push(...await Promise.all(oneOfEach(CROWD_AT_ONCE, () => traffic.connect('one of a crowd'))));
  }
  for (const consumer of crowd.filter((_, i) => i % 10 === 0)) consumer.ask(traffic.draw({ size: 100 }));
  return () => Promise.all(crowd.map((consumer) => consumer.vanish()));
}

async function sendsGarbage(world) {
  const { traffic, random } = world;
  const consumer = await traffic.connect('consumer that sends garbage');
  consumer.isLeaving = true;
  consumer.socket.write(Buffer.concat([Buffer.from('GET / HTTP/1.1\r\n\r\n'), random.bytes(200)]));
  return () => mustBeClosed(world, consumer, 'that sent garbage');
}

async function sendsAnOverLongFrame(world) {
  const { traffic } = world;
  const consumer = await traffic.connect('consumer that sends an over-long frame');
  for (let i = 0; i < 3; i++) consumer.ask(traffic.draw({ size: 100 }));
  const { bytes } = consumer.prepare(traffic.draw({ size: 8 * KIBIBYTE }), true, { expects: 40 });
  bytes.writeUInt32BE(OVERSIZED_BODY, frames.HEADER - 4);
  consumer.socket.write(bytes);
  consumer.isLeaving = true;
  return () => mustBeClosed(world, consumer, 'with an over-long frame');
}

async function halfCloses(world) {
  const { traffic } = world;
  const consumer = await traffic.connect('consumer that half-closes');
  for (let i = 0; i < 20; i++) consumer.ask(traffic.draw());
  consumer.isLeaving = true;
  consumer.socket.end();
  return () => mustBeClosed(world, consumer, 'that was half-closed, after its answers');
}

async function asksForNobody({ traffic }) {
  const consumer = await traffic.connect('consumer of nobody');
  const asked = template({ service: NOBODY, serialization: frames.HESSIAN2, size: 100, timeoutMs: 3_000 });
  for (let i = 0; i < 20; i++) consumer.ask(asked, true, { expects: 60 });
  return () => consumer.leave();
}

const KINDS = [
  ['consumer does not read', neverReads], ['consumer sends byte by byte', sendsByteByByte], ['consumers vanish within a frame', vanishesWithinAFrame],
  ['consumer leaves with requests in flight', leavesWithRequestsInFlight], ['1,000 consumers come and leave', comesAsACrowd],
  ['consumer sends garbage', sendsGarbage], ['consumer sends an over-long frame', sendsAnOverLongFrame], ['consumer half-closes', halfCloses],
  ['consumer asks for what nobody provides', asksForNobody],
];

module.exports = KINDS.map(([name, begin]) => ({
  name, make: (world) => ({ target: 'near', services: [], explains: [], locks: [name], begin: () => begin(world) }),
}));
