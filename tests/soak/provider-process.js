'use strict';
// A provider that sends every argument back, and misbehaves as it is told: { mode } by message, each confirmed.
//   node provider-process.js '{"port": 12345}'

const net = require('node:net');
const frames = require('../integration/lib/frames');
const { answer, errorAnswer } = require('./messages');

// A full backlog is part of one of the faults; it must not take hundreds of connections to fill it.
const BACKLOG = 4;
const LATE_MS = 3_600; // after every timeout of the load
const OVERSIZED_BODY = 8 * 1024 * 1024 + 1;
const REMEMBERED_IDS = 64;
const NO_ONES_IDS = [0xffff_ffffn, frames.MAX_ID, 1n << 63n, 0x7fff_ffff_7fff_ffffn];
const HTTP = Buffer.from('HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n');

const { port } = JSON.parse(process.argv[2]);
const sockets = new Set();
let mode = 'echo';
let faultyAnswers = 0; // since the mode was set

function echo(call) { call.send(answer(call.frame)); }

// Some of the answers are hit, the others are as they should be.
const sometimes = (oneIn, fault) => (call) => { if (faultyAnswers++ % oneIn === oneIn - 1) fault(call); else echo(call); };

const half = (bytes) => bytes.subarray(0, Math.max(1, bytes.length >> 1));

// What is done with a request that wants an answer.
const MODES = {
  echo,
  never: (call) => { call.socket.owes = true; },
  late: (call) => { setTimeout(() => echo(call), LATE_MS); },
  twice: (call) => { echo(call); echo(call); },
  'unknown-ids': (call) => {
    for (const id of [...NO_ONES_IDS, ...call.socket.answeredIds]) call.send(frames.response(id, 'nobody asked'));
    echo(call);
    call.socket.answeredIds = [...call.socket.answeredIds, call.frame.id].slice(-REMEMBERED_IDS);
  },
  busy: (call) => call.send(errorAnswer(call.frame, 100, 'thread pool is exhausted')),
  garbage: sometimes(20, (call) => { call.send(HTTP); call.socket.owes = true; }),
  'half-frame': sometimes(20, (call) => {
    call.send(half(answer(call.frame)));
    call.socket.isMute = true;
    call.socket.owes = true;
  }),
  'reset-in-frame': sometimes(20, (call) => {
    call.socket.write(half(answer(call.frame)), () => call.socket.resetAndDestroy());
    call.socket.isMute = true;
  }),
  oversized: sometimes(50, (call) => {
    if (faultyAnswers > 50) echo(call);
    else call.send(frames.build({ flags: call.frame.serialization, status: 20, id: call.frame.id, body: Buffer.alloc(OVERSIZED_BODY) }));
  }),
};

function onFrame(socket, frame) {
  const send = (bytes) => { if (!socket.destroyed && !socket.isMute) socket.write(bytes); };
  if (frame.isEvent) {
    if (frame.isTwoWay) send(frames.build({ flags: 0x20 | frame.serialization, status: 20, id: frame.id, body: frame.body }));
  } else if (frame.isRequest && frame.isTwoWay) {
    (MODES[mode] || echo)({ socket, frame, send });
  }
}

const server = net.createServer({ noDelay: true }, (socket) => {
  sockets.add(socket);
  Object.assign(socket, { owes: false, isMute: false, answeredIds: [] });
  socket.on('close', () => sockets.delete(socket));
  socket.on('error', () => {});
  frames.onFrames(socket, (frame) => onFrame(socket, frame));
  if (mode === 'deaf') socket.pause();
});

const listen = () => new Promise((resolve, reject) => {
  server.once('error', reject);
  server.listen({ port, host: '127.0.0.1', backlog: BACKLOG }, resolve);
});

function disconnectAll() { for (const socket of sockets) socket.destroy(); }

// What happens when a mode begins, beside what it does with requests.
const BEGIN = {
  refuse: () => { server.close(); disconnectAll(); },
  deaf: () => { for (const socket of sockets) socket.pause(); },
  readonly: () => { for (const socket of sockets) socket.write(frames.readonly()); },
  disconnected: disconnectAll,
};

const END = {
  refuse: listen,
  deaf: () => { for (const socket of sockets) socket.resume(); },
  readonly: () => { for (const socket of sockets) socket.write(frames.writeable()); },
};

async function setMode(next) {
  await (END[mode] || (() => {}))();
  mode = next;
  faultyAnswers = 0;
  // Who took requests and will not answer them ends: a hung provider is started again.
  for (const socket of sockets) if (socket.owes) socket.destroy();
  await (BEGIN[mode] || (() => {}))();
}

process.on('message', async ({ id, mode: next }) => {
  await setMode(next);
  process.send({ id });
});
process.on('disconnect', () => process.exit());
listen().then(() => process.send({ isListening: true }));
