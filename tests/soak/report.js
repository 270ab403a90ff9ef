'use strict';
// What a soak has seen, for people.

const number = (value) => value.toLocaleString('en-US');

const rows = (title, entries) => [title, ...entries.map(([name, value]) => `  ${String(name).padEnd(44)} ${String(value).padStart(14)}`)].join('\n');

const COUNTERS = [
  ['requests sent elsewhere, nothing of them sent', 'skiff_outbound_retries_total'],
  ['requests sent again, as retries allow', 'skiff_outbound_retries_of_sent_total'],
  ['requests held', 'skiff_outbound_held_total'], ['providers ejected', 'skiff_upstream_ejections_total'],
  ['connections to providers lost', 'skiff_upstream_lost_total'], ['answers dropped: late, repeated, unknown', 'skiff_outbound_late_answers_total'],
  ['answers whose consumer had gone', 'skiff_outbound_orphaned_answers_total']];

function table({ ledger, faultLog, traffic, near, base }) {
  const statuses = [...ledger.statuses].sort().map(([status, count]) => [`answered with ${status}`, number(count)]);
  const faults = [...faultLog.counts].sort().map(([name, count]) => [name, count]);
  return [
    rows('requests', [
      ['two-way', number(ledger.asked)], ...statuses, ['not counted: their consumer or agent went away', number(ledger.excused)],
      ['one-way', number(ledger.oneWay)], ['connections', number(traffic.connections)],
      ['left out: no connection, or no time to send', number(traffic.leftOut)],
      ['longest time for an answer of the near agent', `${number(ledger.longest.near)} ms`],
      ['longest time for one of the far agent', `${number(ledger.longest.far)} ms`],
    ]),
    rows('near agent', [
      ...COUNTERS.map(([text, name]) => [text, number(near.metrics[name])]),
      ['memory beside buffers after the warm-up', `${number(base.memoryKiB)} KiB`],
      ['memory beside buffers at the end', `${number(near.memoryKiB)} KiB`],
      ['buffers at the end', `${number(near.metrics.skiff_buffer_bytes / 1024)} KiB`],
    ]),
    rows('faults', faults),
  ].join('\n');
}

function verdict(ledger, leaked) {
  const { asked, answered, lost, doubled, wrong } = ledger;
  return `soak: ${number(asked)} requests, ${number(answered)} answered once, ${lost} lost, ${doubled} doubled, ${wrong} wrong, `
    + `leaked: ${leaked.length > 0 ? leaked.join('; ') : 'nothing'}`;
}

module.exports = { number, table, verdict };
