'use strict';
// Ends a ZooKeeper session that belongs to somebody else: takes it over with its id and password, and closes it.

const net = require('node:net');
const { within } = require('../integration/lib/wait');

const CLOSE_SESSION = -11;
const TIMEOUT_MS = 4_000;

function sized(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function connectRequest({ id, password }) {
  const head = Buffer.alloc(24); // version 0, last zxid seen 0, timeout, session id
  head.writeInt32BE(TIMEOUT_MS, 12);
  head.write(id, 16, 'hex');
  return sized(Buffer.concat([head, sized(Buffer.from(password, 'hex'))]));
}

function closeRequest() {
  const body = Buffer.alloc(8);
  body.writeInt32BE(1, 0);
  body.writeInt32BE(CLOSE_SESSION, 4);
  return sized(body);
}

// Returns when the server has closed the connection: the session is gone, if it had not gone before.
async function endSession({ host, port }, session) {
  const socket = net.connect(port, host);
  try {
    socket.on('connect', () => socket.write(connectRequest(session)));
    socket.once('data', () => socket.write(closeRequest()));
    socket.resume();
    const ended = new Promise((resolve) => { for (const event of ['close', 'end', 'error']) socket.on(event, resolve); });
    await within(ended, 'the end of a session');
  } finally {
    socket.destroy();
  }
}

module.exports = { endSession };
