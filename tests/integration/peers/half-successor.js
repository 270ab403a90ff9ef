// A new process that goes on for the agent up to the moment in which it is given connections, and not well from there on; agent/handover_channel.h
// has the conversation. half-successor.js hangs | crashes | refuses | takes | takes-and-crashes

'use strict';
const fs = require('node:fs');

const CHANNEL = Number(process.env.SKIFF_HANDOVER);
const BYTES = 64 * 1024;
const still = new Int32Array(new SharedArrayBuffer(4));
const pause = () => Atomics.wait(still, 0, 0, 1);

// The descriptors that come with a message are dropped.
function receive() {
  const buffer = Buffer.alloc(BYTES);
  for (;;) {
    try {
      return JSON.parse(buffer.toString('utf8', 0, fs.readSync(CHANNEL, buffer)));
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      pause();
    }
  }
}

function until(type) {
  for (;;) {
    const message = receive();
    if (message.type === type) return message;
  }
}

const say = (message) => fs.writeSync(CHANNEL, JSON.stringify(message));

say({ type: 'hello', protocol: [1, 99], version: 'half' });
until('welcome');
say({ type: 'checked' });
until('state');
say({ type: 'prepared' });
until('connections');
switch (process.argv[2]) {
  case 'crashes': process.exit(3); break;
  case 'refuses': say({ type: 'failed', reason: 'nothing of this can be read' }); break;
  case 'takes-and-crashes': say({ type: 'taken' }); process.exit(3); break;
  case 'takes': say({ type: 'taken' }); until('connections'); process.exit(3); break;
  default: for (;;) pause();
}
