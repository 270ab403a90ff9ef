'use strict';
// From the runs of all rounds to medians and a table.

// What is kept of every run.
const MEASURES = { cpu: (run) => run.cpu, rate: (run) => run.answers_per_second, p50: (run) => run.latency_us.p50,
  p99: (run) => run.latency_us.p99, p99_9: (run) => run.latency_us.p99_9 };

function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}

// CPU against that of another target: the ratio of the medians, and the least and largest of a single round.
function compare(runs, medians, target, base) {
  const ratios = runs[target].map((run, round) => run.cpu / runs[base][round].cpu);
  return { ratio: medians[target].cpu / medians[base].cpu, ratio_range: [Math.min(...ratios), Math.max(...ratios)] };
}

// `runs`: for each target its runs, one a round. "ratio" is against the cheaper of HAProxy's settings.
function summarize(runs) {
  const medians = Object.fromEntries(Object.entries(runs).map(([target, list]) => [target,
    Object.fromEntries(Object.entries(MEASURES).map(([name, of]) => [name, median(list.map(of))]))]));
  const base = ['haproxy', 'haproxy-big'].filter((name) => medians[name]).sort((a, b) => medians[a].cpu - medians[b].cpu)[0];
  const summary = Object.fromEntries(Object.entries(runs).map(([target, list]) => [target, {
    ...medians[target],
    ...compare(runs, medians, target, base),
    p50_ratio: medians[target].p50 / medians[base].p50,
    errors: list.reduce((sum, run) => sum + run.errors, 0),
    rounds: list,
  }]));
  if (runs['20881-many']) summary['20881-many'].of_20881 = compare(runs, medians, '20881-many', '20881');
  return summary;
}

const digits = (value) => (value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

const rangeText = ([low, high]) => `${low.toFixed(2)}-${high.toFixed(2)}`;

// In an open loop, everybody is given the same load: how long it takes is what can be compared, besides the CPU.
const OPEN_LOOP_COLUMN = 'p50 of HAProxy';

function row(target, { cpu, ratio, ratio_range, rate, p50, p50_ratio, p99, p99_9, errors }, isOpenLoop) {
  const ofCpu = cpu > 0 ? [digits(cpu), ratio.toFixed(2), rangeText(ratio_range)] : ['', '', ''];
  return [target, ...ofCpu, Math.round(rate).toLocaleString('en'), digits(p50), ...(isOpenLoop ? [p50_ratio.toFixed(2)] : []),
    digits(p99), digits(p99_9), String(errors || '')];
}

// A Markdown table that is readable as it is; the first of `rows` is its head.
function markdown(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

function table(summary, isOpenLoop) {
  const head = ['', 'CPU us/request', 'of HAProxy', 'in the rounds', 'requests/s', 'p50 us', ...(isOpenLoop ? [OPEN_LOOP_COLUMN] : []),
    'p99 us', 'p99.9 us', 'errors'];
  const text = markdown([head, ...Object.entries(summary).map(([target, figures]) => row(target, figures, isOpenLoop))]);
  const many = summary['20881-many']?.of_20881;
  return many ? `${text}\n\nCPU of 20881-many: ${many.ratio.toFixed(2)} of 20881, in the rounds ${rangeText(many.ratio_range)}` : text;
}

module.exports = { digits, markdown, median, summarize, table };
