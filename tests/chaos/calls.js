'use strict';
// Calls through an agent, one after the other at a constant rate, over a connection that is made again where it ends.

const net = require('node:net');
const frames = require('../integration/lib/frames');

const TIMEOUT_MS = 2_000;
// An answer later than this after the timeout is none.
const LATE_MS = 5_000;
const RECONNECT_MS = 50;
const SWEEP_MS = 500;

// One connection; the calls on it that have no answer.
class Line {
  constructor(stream) {
    Object.assign(this, { stream, pending: new Map(), isOpen: false });
    this.socket = net.connect({ port: stream.agent.ports.outbound, host: '127.0.0.1', noDelay: true });
    frames.onFrames(this.socket, (frame) => this.onFrame(frame));
    this.socket.on('connect', () => { this.isOpen = true; });
    this.socket.on('error', () => {});
    this.socket.on('close', () => this.onClose());
  }

  send(call) {
    const { service, number } = call;
    this.pending.set(BigInt(number), call);
    this.socket.write(frames.request({
      id: number, service: service.interface, version: service.version, args: [String(number)], attachments: { timeout: String(TIMEOUT_MS) } }));
  }

  onFrame(frame) {
    if (frame.isRequest) return; // heartbeats need no answer
    const call = this.pending.get(frame.id);
    this.pending.delete(frame.id);
    if (call) this.stream.book.answered(call, frames.readResponse(frame));
    else this.stream.book.unasked(this.stream.agent, frame);
  }

  onClose() {
    this.isOpen = false;
    for (const call of this.pending.values()) this.stream.book.cutOff(call);
    this.pending.clear();
    this.stream.onLineClosed();
  }

  // What is overdue stays pending: an answer that comes after all is late, not one too many.
  sweep(now) { for (const call of this.pending.values()) if (call.start + TIMEOUT_MS + LATE_MS < now) this.stream.book.overdue(call); }
}

class CallStream {
  constructor(book, { agent, services, perSecond, random }) {
    Object.assign(this, { book, agent, services, random, isEnding: false });
    this.line = new Line(this);
    this.timers = [setInterval(() => this.sendOne(), 1000 / perSecond), setInterval(() => this.line.sweep(book.clock.now()), SWEEP_MS)];
  }

  sendOne() { if (this.line.isOpen) this.line.send(this.book.begin(this.agent, this.random.pick(this.services))); }

  onLineClosed() { if (!this.isEnding) setTimeout(() => { if (!this.isEnding) this.line = new Line(this); }, RECONNECT_MS); }

  get hasOpenCalls() { return [...this.line.pending.values()].some((call) => call.outcome === undefined); }

  pause() { clearInterval(this.timers[0]); }

  end() {
    this.isEnding = true;
    for (const timer of this.timers) clearInterval(timer);
    this.line.socket.destroy();
  }
}

module.exports = { CallStream };
