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

// `runs`: for each target its runs, one a round. The ratio is that of the medians, against the cheaper of HAProxy's settings;
// its range is that of the single rounds.
function summarize(runs) {
  const medians = Object.fromEntries(Object.entries(runs).map(([target, list]) => [target,
    Object.fromEntries(Object.entries(MEASURES).map(([name, of]) => [name, median(list.map(of))]))]));
  const base = ['haproxy', 'haproxy-big'].filter((name) => medians[name]).sort((a, b) => medians[a].cpu - medians[b].cpu)[0];
  return Object.fromEntries(Object.entries(runs).map(([target, list]) => {
    const ratios = list.map((run, round) => run.cpu / runs[base][round].cpu);
    return [target, {
      ...medians[target],
      ratio: medians[target].cpu / medians[base].cpu,
      ratio_range: [Math.min(...ratios), Math.max(...ratios)],
      errors: list.reduce((sum, run) => sum + run.errors, 0),
      rounds: list,
    }];
  }));
}

const digits = (value) => (value === 0 ? '0' : value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));

function row(target, { cpu, ratio, ratio_range: [low, high], rate, p50, p99, p99_9, errors }) {
  const has_cpu = cpu > 0;
  return [target, has_cpu ? digits(cpu) : '', has_cpu ? ratio.toFixed(2) : '', has_cpu ? `${low.toFixed(2)}-${high.toFixed(2)}` : '',
    Math.round(rate).toLocaleString('en'), digits(p50), digits(p99), digits(p99_9), errors || ''].map(String);
}

// A Markdown table that is readable as it is; the first of `rows` is its head.
function markdown(rows) {
  const widths = rows[0].map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const line = (cells) => `| ${cells.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join(' | ')} |`;
  const rule = `|${widths.map((width, i) => (i === 0 ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`;
  return [line(rows[0]), rule, ...rows.slice(1).map(line)].join('\n');
}

function table(summary) {
  const head = ['', 'CPU us/request', 'of HAProxy', 'in the rounds', 'requests/s', 'p50 us', 'p99 us', 'p99.9 us', 'errors'];
  return markdown([head, ...Object.entries(summary).map(([target, figures]) => row(target, figures))]);
}

module.exports = { digits, markdown, median, summarize, table };
