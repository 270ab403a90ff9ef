'use strict';
// The results as a picture, drawn by gnuplot: bars for CPU per request as a ratio to HAProxy's, a group for each shape.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { run } = require('../integration/lib/command');

const BARS = [
  { target: '20881', color: '#08519c', text: 'white', title: 'Skiff 20881' },
  { target: '20882', color: '#3182bd', text: 'white', title: 'Skiff 20882' },
  { target: 'chain', color: '#9ecae1', text: 'black', title: 'two agents, 20881 and 20882' },
  { target: 'nginx', color: '#74c476', text: 'black', title: 'nginx stream' },
  { target: 'relay', color: '#bdbdbd', text: 'black', title: 'bare relay' },
];
const GAP = 1.5; // between groups, in bars
const FIGURE_AT = 0.03; // figures stand at the foot of their bars
const GROUP_PIXELS = 118;
const GROUPS_MIN = 6; // the texts need their room
const MARGIN_PIXELS = 130;
const HEIGHT_PIXELS = 520;
const TERMINALS = { '.svg': 'svg background "white" font "Helvetica,13"', '.png': 'pngcairo background "white" font "Helvetica,10"' };

const centerOf = (group) => group * (BARS.length + GAP);

// The middle of a bar of a group.
const placeOf = (group, bar) => centerOf(group) + bar - (BARS.length - 1) / 2;

const quoted = (text) => `'${text.replace(/'/g, "''")}'`;

// A block of "place ratio text" lines for a target; those of shapes that it has no figure for are left out.
function dataOf(results, target, bar) {
  const lines = results.map(({ targets }, group) => {
    const ratio = targets[target]?.cpu > 0 ? targets[target].ratio : undefined;
    return ratio === undefined ? [] : [`${placeOf(group, bar)} ${ratio} ${ratio.toFixed(2)}`];
  }).flat();
  return lines.length > 0 ? lines : null;
}

function heightOf(results) {
  const ratios = results.flatMap(({ targets }) => BARS.map(({ target }) => targets[target]?.ratio || 0));
  return Math.ceil((Math.max(1, ...ratios) + 0.15) * 10) / 10;
}

// "2.6.12" in the first line of `haproxy -v`.
const versionOf = (text) => (/version (\d+(?:\.\d+)+)/.exec(text) || [])[1] || '';

function scriptOf({ results, haproxy }, file) {
  const bars = BARS.map((bar, i) => ({ ...bar, lines: dataOf(results, bar.target, i) })).filter(({ lines }) => lines);
  const last = centerOf(results.length - 1);
  const half = BARS.length / 2 + GAP / 2;
  const width = MARGIN_PIXELS + GROUP_PIXELS * Math.max(results.length, GROUPS_MIN);
  const plots = bars.flatMap(({ color, text, title }, i) => [
    `$bar${i} using 1:2 with boxes lc rgb ${quoted(color)} title ${quoted(title)}`,
    `$bar${i} using 1:(${FIGURE_AT}):3 with labels rotate by 90 left tc rgb ${quoted(text)} notitle`]);
  return [
    ...bars.map(({ lines }, i) => `$bar${i} << END\n${lines.join('\n')}\nEND`),
    `set terminal ${TERMINALS[path.extname(file)]} size ${width},${HEIGHT_PIXELS} noenhanced`,
    `set output ${quoted(file)}`,
    `set title ${quoted(`CPU per request as a ratio to HAProxy ${versionOf(haproxy)}; less is better`)}`,
    'set key outside top center horizontal reverse Left samplen 2', 'set style fill solid', 'set boxwidth 0.92', 'set border 3', 'set grid ytics lc rgb "#dddddd"',
    `set xrange [${-half}:${last + half}]`, `set yrange [0:${heightOf(results)}]`, 'set ytics nomirror 0.2', 'set format y "%.1f"',
    `set xtics nomirror scale 0 (${results.map(({ shape }, group) => `${quoted(shape)} ${centerOf(group)}`).join(', ')})`,
    "set xlabel 'connections x requests in flight on each @ size of the argument; open: percent of the rate of HAProxy'",
    `set arrow from ${-half},1 to ${last + half},1 nohead front lw 1.5 lc rgb "#cb181d"`,
    `set label "HAProxy" at ${last + half},1 right offset 0,0.6 front tc rgb "#cb181d"`,
    `plot ${plots.join(', \\\n  ')}`,
  ].join('\n');
}

// Draws `measured`, which is what run.js writes as JSON, to a file that ends with .svg or .png.
async function draw(measured, file) {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skiff-bench-'));
  try {
    const script = path.join(folder, 'picture.gnuplot');
    fs.writeFileSync(script, scriptOf(measured, file));
    const { code, stderr } = await run('gnuplot', [script]);
    if (code !== 0 || stderr) throw new Error(`gnuplot ended with ${code}: ${stderr}`);
  } finally {
    fs.rmSync(folder, { recursive: true });
  }
}

// What several runs measured as one: of a shape in several files, the last one counts.
function merge(files) {
  const runs = files.map((file) => JSON.parse(fs.readFileSync(file, 'utf8')));
  const shapes = new Map(runs.flatMap(({ results }) => results).map((result) => [result.shape, result]));
  const versions = new Set(runs.map(({ haproxy }) => haproxy));
  if (versions.size > 1) throw new Error(`--draw: not the same HAProxy everywhere: ${[...versions].join('; ')}`);
  return { ...runs.at(-1), results: [...shapes.values()] };
}

module.exports = { draw, merge };
