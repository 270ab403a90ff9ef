'use strict';
// A consumer's connection whose every byte the test decides.

const net = require('node:net');
const frames = require('./frames');
const { within } = require('./wait');

class RawConsumer {
  // Ends with the stage.
  static async connect(stage, port, host = '127.0.0.1') {
    const socket = net.connect({ port, host, noDelay: true });
    stage.atEnd(() => socket.destroy());
    await within(new Promise((resolve, reject) => { socket.once('connect', resolve); socket.once('error', reject); }), `a connection to ${host}:${port}`);
    return new RawConsumer(socket);
  }

  constructor(socket) {
    Object.assign(this, { socket, answers: [], events: [], requests: [], waiting: new Map(), nextId: 1n, hasEnded: false });
    frames.onFrames(socket, (frame) => this.onFrame(frame));
    socket.on('error', () => {});
    this.ended = new Promise((resolve) => { socket.on('close', () => { this.hasEnded = true; resolve(); }); });
    this.ended.then(() => {
      for (const { reject } of this.waiting.values()) reject(new Error('the connection was closed before the answer'));
    });
  }

  onFrame(frame) {
    if (frame.isEvent && frame.isRequest) { this.events.push(frame); return; }
    if (frame.isRequest) { this.requests.push(frame); return; } // a provider's callback
    this.answers.push(frame);
    const waiting = this.waiting.get(frame.id);
    this.waiting.delete(frame.id);
    if (waiting) waiting.resolve(frame);
  }

  write(bytes) {
    return new Promise((resolve, reject) => { this.socket.write(bytes, (error) => { if (error) reject(error); else resolve(); }); });
  }

  // Sends a frame and waits for the answer with its id.
  exchange(bytes) {
    const id = bytes.readBigUInt64BE(4);
    if (this.waiting.has(id)) throw new Error(`id ${id} is in use`);
    const answer = new Promise((resolve, reject) => { this.waiting.set(id, { resolve, reject }); });
    answer.catch(() => {});
    this.write(bytes).catch(() => {});
    return within(answer, `an answer to request ${id}`);
  }

  // A hessian2 request; the answer as readResponse() has it, with `frame`.
  async call(spec) {
    const id = spec.id === undefined ? this.nextId++ : spec.id;
    const frame = await this.exchange(frames.request({ ...spec, id }));
    return { ...frames.readResponse(frame), frame };
  }

  // The same for a frame that was recorded.
  async replay(file, options = {}) {
    const frame = await this.exchange(frames.recorded(file, { id: this.nextId++, ...options }));
    return { status: frame.status, serialization: frame.serialization, message: frame.status === 20 ? undefined : frames.readMessage(frame), frame };
  }

  oneWay(spec) { return this.write(frames.request({ ...spec, id: this.nextId++, twoWay: false })); }

  closed() { return within(this.ended, 'the connection is closed'); }

  close() { this.socket.destroy(); }
}

module.exports = { RawConsumer };
