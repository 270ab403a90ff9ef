'use strict';
// Which faults there were, and when: what was answered with an error must have one that explains it.

// What a fault leaves is over so long after its end: requests in flight have reached their deadline, a connection in the making has been
// given up, late answers have come. Faults that take longer say so.
const GRACE_MS = 5_000;

// In `explains` beside statuses: the agent closed a consumer's connection.
const CLOSED = 'closed';

class FaultLog {
  constructor() { Object.assign(this, { entries: [], counts: new Map() }); }

  // `fault`: { name, target, services, explains, graceMs }; services are those whose requests it may hit.
  begin(fault) {
    const entry = { graceMs: GRACE_MS, ...fault, from: Date.now(), until: Infinity };
    this.entries.push(entry);
    this.counts.set(fault.name, (this.counts.get(fault.name) || 0) + 1);
    return entry;
  }

  end(entry) { entry.until = Date.now(); }

  // Those at work between two times, or shortly before.
  during(from, to) { return this.entries.filter((entry) => entry.from <= to && entry.until + entry.graceMs >= from); }

  explains(outcome, service, from, to) {
    return this.during(from, to).some((entry) => entry.explains.includes(outcome) && entry.services.includes(service));
  }

  describe(from, to) {
    const names = this.during(from, to).map(({ name, target }) => `${name} (${target})`);
    return names.length > 0 ? names.join(', ') : 'none';
  }

  // When nothing explains an error any more.
  get overAt() { return Math.max(0, ...this.entries.map(({ until, graceMs }) => until + graceMs)); }

  get active() { return this.entries.filter((entry) => entry.until === Infinity); }
}

module.exports = { CLOSED, FaultLog };
