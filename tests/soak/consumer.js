'use strict';
// A consumer's connection that looks at every answer.

const net = require('node:net');
const frames = require('../integration/lib/frames');
const { within } = require('../integration/lib/wait');
const { request } = require('./messages');

// One-way requests have ids of their own, far from the others.
const ONE_WAY_IDS = 1n << 48n;

const asId = (value) => BigInt.asUintN(64, value);

class Consumer {
  // `agent`: the one whose port that is, 'near' or 'far'. `firstId`: Dubbo 2.7 begins at 0 in every process, 3.x anywhere.
  static async connect(ledger, { name, agent, port, firstId }) {
    const consumer = new Consumer(ledger, { name, agent, firstId }, net.connect({ port, host: '127.0.0.1', noDelay: true }));
    await within(new Promise((resolve, reject) => {
      consumer.socket.once('connect', resolve);
      consumer.socket.once('error', reject);
    }), `a connection of ${name} to port ${port}`);
    consumer.name = `${name} (port ${consumer.socket.localPort})`;
    return consumer;
  }

  constructor(ledger, identity, socket) {
    Object.assign(this, { ledger, ...identity, socket, pending: new Map(), count: 0n, isLeaving: false, isToldToLeave: false, hasEnded: false });
    frames.onFrames(socket, (frame) => this.onFrame(frame));
    socket.on('error', () => {}); // 'close' follows
    this.ended = new Promise((resolve) => { socket.once('close', () => { this.onClose(); resolve(); }); });
  }

  // The bytes of a request that is in the books from now on, to be sent.
  prepare(template, isTwoWay = true, options = {}) {
    const record = this.ledger.ask(this, template, isTwoWay, options);
    record.id = asId(this.firstId + (isTwoWay ? 0n : ONE_WAY_IDS) + this.count++);
    if (isTwoWay) this.pending.set(record.id, record);
    return { record, bytes: request(template, { id: record.id, number: record.number, isTwoWay }) };
  }

  ask(template, isTwoWay, options) { this.socket.write(this.prepare(template, isTwoWay, options).bytes); }

  onFrame(frame) {
    if (frame.isRequest) { this.onRequest(frame); return; }
    const record = this.pending.get(frame.id);
    if (record === undefined) {
      this.ledger.unasked(this, frame, { wasAnswered: asId(frame.id - this.firstId) < this.count });
      return;
    }
    this.pending.delete(frame.id);
    this.ledger.answer(record, frame);
    if (this.isLeaving && this.pending.size === 0) this.socket.end();
  }

  // READONLY: nothing more is to be sent here.
  onRequest(frame) { if (frame.isEvent && !frame.isTwoWay) this.isToldToLeave = true; }

  get takesRequests() { return !this.hasEnded && !this.isLeaving && !this.isToldToLeave; }

  // Ends when everything was answered.
  leave() {
    this.isLeaving = true;
    if (this.pending.size === 0) this.socket.end();
    return this.ended;
  }

  // Ends now; what was not answered need not be.
  vanish() {
    this.ledger.excuse([...this.pending.values()].filter((record) => !record.isOverdue).length);
    this.pending.clear();
    this.isLeaving = true;
    this.socket.destroy();
    return this.ended;
  }

  onClose() {
    this.hasEnded = true;
    if (this.pending.size > 0) this.ledger.leftUnanswered(this.pending.values());
    else if (!this.isLeaving && !this.isToldToLeave) this.ledger.closedIdle(this);
    this.pending.clear();
  }

  sweep(now) {
    this.ledger.sweep(this.pending.values(), now);
    if (this.isLeaving && this.pending.size > 0 && [...this.pending.values()].every((record) => record.isOverdue)) this.vanish();
  }
}

module.exports = { Consumer };
