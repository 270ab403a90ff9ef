'use strict';
// Every call and what became of it; in the end, which of it must not be. availability.js says what may.

const OK = 20;
const NOT_MY_SERVICE = 70; // what members.js has providers answer for a service that they do not have

class CallBook {
  constructor(clock) { Object.assign(this, { clock, calls: [], unaskedAnswers: [] }); }

  begin(agent, service) {
    const call = {
      number: this.calls.length + 1, agent, service, start: this.clock.now(), end: Infinity, outcome: undefined, status: undefined, text: '' };
    this.calls.push(call);
    return call;
  }

  close(call, outcome, status, text) { if (call.outcome === undefined) Object.assign(call, { end: this.clock.now(), outcome, status, text }); }

  answered(call, { status, value, exception, message }) {
    if (status !== OK) this.close(call, 'failed', status, message);
    else this.close(call, exception === undefined ? 'echoed' : 'exception', status, exception === undefined ? value : String(exception));
  }

  // The agent closed the connection.
  cutOff(call) { this.close(call, 'cut off', undefined, 'the connection was closed before the answer'); }

  overdue(call) { this.close(call, 'lost', undefined, 'no answer'); }

  unasked(agent, { id, status }) {
    this.unaskedAnswers.push({
      text: `doubled: agent ${agent.name} answered call ${id} a second time, or one that was never made: status ${status}`,
      at: this.clock.now(), alike: 'doubled' });
  }

  // { counts, problems }; `providersOf(service)`: the names of those that have it.
  judge(availability, providersOf) {
    const counts = {
      calls: this.calls.length, covered: 0, echoed: 0, lost: 0, doubled: this.unaskedAnswers.length, wrong: 0, failed: 0, excused: 0,
      reasons: new Map() };
    const problems = [...this.unaskedAnswers];
    const complain = (kind, call, text) => {
      counts[kind]++;
      problems.push({
        text: `${kind}: ${this.describe(call)}: ${text}`, at: call.start,
        alike: `${kind} of ${call.service.name} through ${call.agent.name}, status ${call.status}` });
    };
    for (const call of this.calls) {
      if (availability.covers(call.agent, call.service, call.start, call.end)) counts.covered++;
      if (call.outcome === 'echoed') {
        if (isOwnEcho(call, providersOf(call.service))) counts.echoed++;
        else complain('wrong', call, `answered with "${call.text}"`);
      } else if (call.outcome === 'exception') {
        complain('wrong', call, `answered with an exception: ${call.text}`);
      } else if (call.outcome === undefined || call.outcome === 'lost') {
        complain('lost', call, 'no answer');
      } else {
        this.judgeFailure(call, availability, counts, complain);
      }
    }
    return { counts, problems };
  }

  judgeFailure(call, availability, counts, complain) {
    const reason = availability.excuse(call);
    if (reason === undefined) {
      complain('failed', call, call.status === undefined ? call.text : `status ${call.status}: ${call.text}`);
      return;
    }
    counts.excused++;
    const what = call.status === NOT_MY_SERVICE ? `${reason}, and another one was asked` : reason;
    counts.reasons.set(what, (counts.reasons.get(what) || 0) + 1);
  }

  describe({ number, agent, service, start, end }) {
    return `call ${number} of ${service.name} through ${agent.name} from ${this.clock.text(start)} to ${this.clock.text(end)}`;
  }
}

function isOwnEcho({ number, service, text }, providers) {
  const [provider, interfaceName, argument, ...more] = String(text).split(' ');
  return providers.includes(provider) && interfaceName === service.interface && argument === String(number) && more.length === 0;
}

module.exports = { CallBook };
