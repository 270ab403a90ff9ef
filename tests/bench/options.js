'use strict';
// What scripts/bench can be asked for.

const { parseArgs } = require('node:util');

const DEFAULT_SHAPES = '1x1,64x1,512x1,8x32,64x1@4k,8x32@4k,8x4@64k,open:50,open:80';

const HELP = `scripts/bench [options]

  --quick           one shape, 64x1, 5 rounds of 2 s
  --shapes LIST     comma-separated; default ${DEFAULT_SHAPES}
                    CONNECTIONSxIN_FLIGHT[@BYTES]: closed loop; the argument is 128 bytes unless said
                    open:PERCENT: open loop over 64 connections, at so much of what HAProxy can do at 64x1
  --targets LIST    comma-separated; default direct,haproxy,haproxy-big,nginx,relay,20881,20882,chain
  --rounds N        how often every target has its turn; default 5
  --seconds S       measured time of each turn; default 5
  --providers N     how many providers 20881, HAProxy and nginx balance over; default 1
  --services N      adds the target 20881-many: an agent that knows N services with 10 providers each besides those that are called
  --rules N         adds the target 20881-rules: a service of the same agent with N condition rules, of which a request passes a tenth
  --cpus WHERE      one: everything on one CPU, default; split: the proxies on one CPU, load and providers on another;
                    any: wherever the kernel puts it
  --idle N          memory of each of N idle connections instead of shapes; fewer where descriptors do not suffice
  --pieces          what single steps of the data path take and allocate, instead of shapes
  --system-calls    how many system calls a lone request and its answer take, instead of shapes
  --registry        the registry side instead of shapes: start, memory and changes with --services services, default 10000
  --rule-changes    how fast changes of rules reach the workers instead of shapes, with --services services, default 1000
  --json FILE       default build/bench.json
  --picture FILE    the ratios as bars, .svg or .png; default build/bench.svg
  --draw LIST       only the picture, from these JSON files of former runs, comma-separated; of a shape in several of them the last
                    one counts
`;

const MANY = '20881-many'; // only with --services
const RULES = '20881-rules'; // only with --rules
const TARGETS = ['direct', 'haproxy', 'haproxy-big', 'nginx', 'relay', '20881', MANY, RULES, '20882', 'chain'];
const RULES_MAX = 1000;
const SERVICES_MAX = 15_000; // the agent remembers 20,000 subscriptions, and some are called
const REGISTRY_SERVICES = 10_000; // of --registry
const RULED_SERVICES = 1000; // of --rule-changes
const CPU_PLACES = ['one', 'split', 'any'];
const DEFAULT_PAYLOAD = 128;
const OPEN_LOOP = { connections: 64, inFlight: 64 };

function parseShape(text) {
  const open = /^open:(\d+)$/.exec(text);
  if (open) return { name: text, ...OPEN_LOOP, payload: DEFAULT_PAYLOAD, percent: Number(open[1]) };
  const closed = /^(\d+)x(\d+)(?:@(\d+)(k?))?$/.exec(text);
  if (!closed) throw new Error(`shape "${text}": expected such as 64x1, 8x32@4k or open:50`);
  const payload = closed[3] ? Number(closed[3]) * (closed[4] ? 1024 : 1) : DEFAULT_PAYLOAD;
  return { name: text, connections: Number(closed[1]), inFlight: Number(closed[2]), payload };
}

function positive(name, text) {
  const value = Number(text);
  if (!(value > 0)) throw new Error(`--${name} ${text}: expected a positive number`);
  return value;
}

// 0 where it was not asked for.
function servicesOf(text) {
  if (text === undefined) return 0;
  const services = Math.ceil(positive('services', text));
  if (services > SERVICES_MAX) throw new Error(`--services ${text}: expected at most ${SERVICES_MAX}`);
  return services;
}

function rulesOf(text) {
  if (text === undefined) return 0;
  const rules = Math.ceil(positive('rules', text));
  if (rules > RULES_MAX) throw new Error(`--rules ${text}: expected at most ${RULES_MAX}`);
  return rules;
}

// Looked at now, not after an hour of measuring.
function pictureOf(text = 'build/bench.svg') {
  if (!/\.(svg|png)$/.test(text)) throw new Error(`--picture ${text}: expected a name that ends with .svg or .png`);
  return text;
}

function oneOf(name, value, known) {
  if (!known.includes(value)) throw new Error(`--${name} ${value}: expected one of ${known.join(', ')}`);
  return value;
}

// Throws a sentence.
function parse(argv) {
  const { values } = parseArgs({
    args: argv,
    options: {
      quick: { type: 'boolean' }, shapes: { type: 'string' }, targets: { type: 'string' },
      rounds: { type: 'string' }, seconds: { type: 'string' }, providers: { type: 'string' }, services: { type: 'string' }, rules: { type: 'string' }, cpus: { type: 'string' },
      idle: { type: 'string' }, pieces: { type: 'boolean' }, 'system-calls': { type: 'boolean' }, registry: { type: 'boolean' }, 'rule-changes': { type: 'boolean' }, json: { type: 'string' },
      picture: { type: 'string' }, draw: { type: 'string' },
    },
  });
  const services = servicesOf(values.services);
  const targets = values.targets ? values.targets.split(',').map((target) => oneOf('targets', target, TARGETS)) : TARGETS.filter((target) => target !== MANY && target !== RULES);
  if (targets.includes(MANY) && services === 0) throw new Error(`--targets ${MANY}: needs --services`);
  const rules = rulesOf(values.rules);
  if (targets.includes(RULES) && rules === 0) throw new Error(`--targets ${RULES}: needs --rules`);
  // HAProxy is what everything is compared with, and MANY and RULES with 20881.
  targets.push('haproxy', ...(services > 0 ? ['20881', MANY] : []), ...(rules > 0 ? ['20881', RULES] : []));
  return {
    shapes: (values.shapes || (values.quick ? '64x1' : DEFAULT_SHAPES)).split(',').map(parseShape),
    targets: TARGETS.filter((target) => targets.includes(target)),
    services,
    rules,
    rounds: Math.ceil(positive('rounds', values.rounds || '5')),
    seconds: positive('seconds', values.seconds || (values.quick ? '2' : '5')),
    providers: Math.ceil(positive('providers', values.providers || '1')),
    cpus: oneOf('cpus', values.cpus || 'one', CPU_PLACES),
    idle: values.idle && Math.ceil(positive('idle', values.idle)),
    pieces: Boolean(values.pieces),
    systemCalls: Boolean(values['system-calls']),
    registry: values.registry && (services || REGISTRY_SERVICES),
    ruleChanges: values['rule-changes'] && (services || RULED_SERVICES),
    json: values.json || 'build/bench.json',
    picture: pictureOf(values.picture),
    draw: values.draw && values.draw.split(','),
  };
}

module.exports = { HELP, parse };
