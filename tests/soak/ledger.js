'use strict';
// Every request and what became of it. What must not be is kept as a sentence.

const frames = require('../integration/lib/frames');
const { CLOSED } = require('./fault-log');
const { problemOf } = require('./messages');
const { FAR } = require('./world');

const OK = 20;
const KEPT_PROBLEMS = 40;
// An answer later than this after its deadline is none. What a busy machine may add to the deadline that the agent keeps.
const LATE_MS = 5_000;

class Ledger {
  constructor(faultLog) {
    Object.assign(this, {
      faultLog, began: Date.now(), nextNumber: 1, asked: 0, oneWay: 0, excused: 0, answered: 0, lost: 0, doubled: 0, wrong: 0,
      statuses: new Map(), problems: [],
      longest: { near: 0, far: 0 }, // times for an answer, by the agent that was asked
    });
  }

  // A record of a request that is about to be sent. `expects`: the status that it must get, whatever the faults. Its time runs from
  // `dueFrom` where that is later: a consumer may be slow by itself.
  ask(consumer, template, isTwoWay, { expects } = {}) {
    const record = { number: this.nextNumber++, template, consumer, sentAt: Date.now(), dueFrom: 0, expects, isOverdue: false };
    if (isTwoWay) this.asked++; else this.oneWay++;
    return record;
  }

  // The consumer went away itself.
  excuse(count) {
    this.asked -= count;
    this.excused += count;
  }

  answer(record, frame) {
    if (record.isOverdue) return; // lost already
    this.answered++;
    this.statuses.set(frame.status, (this.statuses.get(frame.status) || 0) + 1);
    const { agent } = record.consumer;
    this.longest[agent] = Math.max(this.longest[agent], Date.now() - Math.max(record.sentAt, record.dueFrom));
    const problem = this.problemOf(record, frame);
    if (problem) this.note('wrong', problem, record);
  }

  problemOf(record, frame) {
    if (frame.serialization !== record.template.serialization) return `an answer in serialization ${frame.serialization}`;
    if (record.expects !== undefined && frame.status !== record.expects) return `status ${frame.status} instead of ${record.expects}`;
    if (frame.status === OK) return problemOf(frame, record.template, record.number);
    let message;
    try {
      message = frames.readMessage(frame);
    } catch (error) {
      return `status ${frame.status} with a text that cannot be read: ${error.message}`;
    }
    const isExplained = record.expects !== undefined || this.faultLog.explains(frame.status, record.template.service, record.sentAt, Date.now());
    return isExplained ? undefined : `status ${frame.status} that no fault explains: ${message}`;
  }

  // Looks for those whose time is over.
  sweep(pending, now) {
    for (const record of pending) {
      if (record.isOverdue || Math.max(record.sentAt, record.dueFrom) + record.template.timeoutMs + LATE_MS > now) continue;
      record.isOverdue = true;
      this.note('lost', `no answer within ${record.template.timeoutMs + LATE_MS} ms`, record);
    }
  }

  // The connection ended, not by its consumer, with these on the way.
  leftUnanswered(pending) {
    for (const record of pending) {
      if (record.isOverdue) continue;
      if (this.faultLog.explains(CLOSED, record.template.service, record.sentAt, Date.now())) this.excuse(1);
      else this.note('lost', 'the connection was closed before the answer', record);
    }
  }

  // The connection ended, not by its consumer, with nothing on the way.
  closedIdle(consumer) {
    const now = Date.now();
    if (consumer.agent === 'far' && this.faultLog.explains(CLOSED, FAR, now, now)) return;
    this.note('wrong', 'the agent closed the connection', { consumer });
  }

  // An answer to no request that waits for one.
  unasked(consumer, frame, { wasAnswered }) {
    const text = `${wasAnswered ? 'a second answer' : 'an answer to nothing'}: id ${frame.id}, status ${frame.status}, ${frame.body.length} bytes`;
    this.note(wasAnswered ? 'doubled' : 'wrong', text, { consumer });
  }

  note(kind, text, { consumer, number, id, template, sentAt = Date.now() }) {
    this[kind]++;
    if (this.problems.length >= KEPT_PROBLEMS) return;
    const at = ((sentAt - this.began) / 1000).toFixed(3);
    const what = number === undefined ? '' : `request ${number} (id ${id}, ${template.service}, serialization ${template.serialization}, ${template.size} B), `;
    this.problems.push(`${kind}: ${what}${consumer.name}, at ${at} s: ${text}; faults: ${this.faultLog.describe(sentAt, Date.now())}`);
  }

  get isClean() { return this.lost + this.doubled + this.wrong === 0 && this.answered === this.asked; }
}

module.exports = { Ledger, OK };
