'use strict';
// What a run has seen, for people.

const SHOWN_RUNS = 30;
const STEPS_BEFORE_MS = 6_000;
// Problems of a kind that follow each other so soon are told as one.
const RUN_GAP_MS = 5_000;

const number = (value) => value.toLocaleString('en-US');

const row = ([name, value]) => `  ${String(name).padEnd(64)} ${number(value).padStart(10)}`;

const rows = (title, entries) => [title, ...entries.map(row)].join('\n');

function table(counts, history) {
  const kinds = new Map();
  for (const { kind } of history) kinds.set(kind, (kinds.get(kind) || 0) + 1);
  return [
    rows('calls', [
      ['made', counts.calls],
      ['with a provider available at every moment', counts.covered],
      ['answered by a provider of their service', counts.echoed],
      ...[...counts.reasons].sort().map(([reason, count]) => [`failed: ${reason}`, count])]),
    rows('steps', [...kinds].sort()),
  ].join('\n');
}

// Problems that are alike and follow each other: lists of them.
function runsOf(problems) {
  const runs = [];
  for (const problem of problems) {
    const run = runs.findLast((one) => one[0].alike === problem.alike);
    if (run && problem.at - run[run.length - 1].at < RUN_GAP_MS) run.push(problem); else runs.push([problem]);
  }
  return runs;
}

// The first of them, how many there were, and the steps shortly before.
function describeRun(run, history, clock) {
  const { text, at } = run[0];
  const last = run[run.length - 1];
  const more = run.length > 1 ? [`    and ${run.length - 1} more like this until ${clock.text(last.at)}`] : [];
  const steps = history.filter(({ from, to }) => from <= last.at && to >= at - STEPS_BEFORE_MS);
  return [text, ...more, ...steps.map(({ name, from, to }) => `    ${clock.text(from)} to ${clock.text(to)}: ${name}`)].join('\n');
}

function describeProblems(problems, history, clock) {
  const runs = runsOf(problems);
  const shown = runs.slice(0, SHOWN_RUNS).map((run) => describeRun(run, history, clock));
  return runs.length > SHOWN_RUNS ? [...shown, `and ${runs.length - SHOWN_RUNS} others`] : shown;
}

function verdict({ counts, steps, comparisons, failures }) {
  const { calls, echoed, excused, lost, doubled, wrong, failed } = counts;
  return `chaos: ${number(steps)} steps, ${comparisons} comparisons equal, ${failures} not; ${number(calls)} calls, ${number(echoed)} answered, `
    + `${number(excused)} failed with a reason, ${failed} without, ${lost} lost, ${doubled} doubled, ${wrong} wrong`;
}

// Whether time was over before all steps were made; `wanted` is Infinity where time alone ends a run.
const lacksSteps = ({ made, wanted }) => Number.isFinite(wanted) && made < wanted;

const tellMissingSteps = (steps) => (lacksSteps(steps) ? [`${number(steps.made)} steps were made, not ${number(steps.wanted)}: more minutes may help`] : []);

// A run whose calls could all fail would show nothing, and one that made few of its steps, little.
const isGood = ({ counts, problems, failures, steps }) => problems.length + failures.length === 0 && counts.covered > 0 && !lacksSteps(steps);

module.exports = { describeProblems, isGood, table, tellMissingSteps, verdict };
