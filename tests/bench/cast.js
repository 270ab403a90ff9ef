'use strict';
// The processes of a benchmark: providers, the proxies to compare with, agents with a ZooKeeper between them.

const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { startAgent } = require('../integration/lib/agent');
const { run } = require('../integration/lib/command');
const { freePort } = require('../integration/lib/stage');
const { eventually } = require('../integration/lib/wait');
const { startZooKeeper } = require('../integration/lib/zookeeper');
const { startAgentWithMany } = require('./many-services');
const { withRules } = require('./rules');

const PROGRAMS = path.resolve(process.env.SKIFF_BENCH_PROGRAMS || path.join(__dirname, '../../build/tests/bench'));
const LOAD = path.join(PROGRAMS, 'bench_load');
const NGINX_STREAM = '/usr/lib/nginx/modules/ngx_stream_module.so';
const BIG_BUFFER = 262144; // bytes
const HEAP_MB = 64; // of ZooKeeper, and for each 1,000 services
const CONNECTIONS_MAX = 9500; // of a proxy: each needs two descriptors

// Services: one whose provider is registered as a plain one, and one that is published through an agent.
const PLAIN_SERVICE = 'com.example.PlainBenchService';
const PUBLISHED_SERVICE = 'com.example.PublishedBenchService';

// Where things run. With one CPU there is nothing to split.
function cpuPlan(where) {
  const last = os.cpus().length - 1;
  if (where === 'any') return { proxies: null, peers: null };
  return { proxies: String(last), peers: where === 'split' ? '0' : String(last) };
}

async function pin(pid, cpus) {
  if (cpus === null) return;
  const { code, stderr } = await run('taskset', ['-acp', cpus, String(pid)]);
  if (code !== 0) throw new Error(`taskset ended with ${code}: ${stderr}`);
}

// A program of ours that prints its ports when it listens.
async function startListening(stage, program, args) {
  const running = stage.start(program, path.join(PROGRAMS, program), args);
  await eventually(() => running.hasEnded || running.log.includes('\n'), `${program} listens`);
  if (running.hasEnded) throw new Error(`${program}: ${running.log}`);
  return { pid: running.child.pid, ports: JSON.parse(running.log).ports };
}

async function startProxy(stage, name, command, args, log) {
  const running = stage.start(name, command, args);
  const says = () => running.log + (log && fs.existsSync(log) ? fs.readFileSync(log, 'utf8') : '');
  return { running, failure: () => (running.hasEnded ? new Error(`${name} ended at its start: ${says()}`) : null) };
}

async function canConnect(port) {
  const { code } = await run(LOAD, ['--port', String(port), '--connections', '1', '--requests', '1', '--warmup', '0', '--seconds', '1']);
  return code === 0;
}

// Connected once to see that it works.
async function whenServing({ running, failure }, port) {
  await eventually(async () => failure() || await canConnect(port), `${running.name} serves`);
  if (failure()) throw failure();
}

async function startHaproxy(stage, name, providers, bufferBytes) {
  const folder = stage.folder();
  const port = await freePort();
  const config = path.join(folder, 'haproxy.cfg');
  fs.writeFileSync(config, [
    'global', '  nbthread 1', `  maxconn ${CONNECTIONS_MAX}`, ...(bufferBytes ? [`  tune.bufsize ${bufferBytes}`] : []),
    'defaults', '  mode tcp', '  timeout connect 5s', '  timeout client 1m', '  timeout server 1m',
    'listen bench', `  bind 127.0.0.1:${port}`, ...providers.map((to, i) => `  server provider${i} 127.0.0.1:${to}`), '',
  ].join('\n'));
  const proxy = await startProxy(stage, name, 'haproxy', ['-db', '-f', config]);
  await whenServing(proxy, port);
  return { name, port, pids: [proxy.running.child.pid] };
}

async function startNginx(stage, providers) {
  const folder = stage.folder();
  const port = await freePort();
  const config = path.join(folder, 'nginx.conf');
  const log = path.join(folder, 'error.log');
  fs.writeFileSync(config, `
    load_module ${NGINX_STREAM};
    daemon off;
    worker_processes 1;
    pid ${folder}/nginx.pid;
    error_log ${log};
    events { worker_connections ${2 * CONNECTIONS_MAX}; }
    stream {
      upstream providers { ${providers.map((to) => `server 127.0.0.1:${to};`).join(' ')} }
      server { listen 127.0.0.1:${port}; proxy_pass providers; }
    }\n`);
  const proxy = await startProxy(stage, 'nginx', 'nginx', ['-p', folder, '-e', log, '-c', config], log);
  await whenServing(proxy, port);
  // The master takes its worker with it; killed at once, it would leave it behind.
  stage.atEnd(() => proxy.running.stop());
  const { pid } = proxy.running.child;
  const workers = fs.readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').map(Number);
  return { name: 'nginx', port, pids: workers };
}

async function startRelay(stage, provider) {
  const { pid, ports } = await startListening(stage, 'bench_relay', ['--target-port', String(provider)]);
  return { name: 'relay', port: ports[0], pids: [pid] };
}

// Two agents of one worker each: `near` has the consumers, `far` the provider of PUBLISHED_SERVICE. PLAIN_SERVICE needs no second agent.
async function startAgents(stage, zookeeper, providers) {
  for (const port of providers) await zookeeper.register(PLAIN_SERVICE, { port });
  const [near, far] = await Promise.all(['near', 'far'].map((name) => startAgent(stage, { name, registry: zookeeper.registry, workers: 1 })));
  await far.publish({ interface: PUBLISHED_SERVICE, port: providers[0], methods: ['echo'] });
  await near.subscribe({ interface: PUBLISHED_SERVICE });
  await near.subscribe({ interface: PLAIN_SERVICE }, providers.length);
  const [nearPid, farPid] = [near, far].map((agent) => agent.running.child.pid);
  return [
    { name: '20881', agent: near, port: near.outbound, pids: [nearPid], service: PLAIN_SERVICE },
    { name: '20882', port: far.inbound, pids: [farPid], service: PUBLISHED_SERVICE },
    { name: 'chain', port: near.outbound, pids: [nearPid, farPid], service: PUBLISHED_SERVICE },
  ];
}

// Everything that `options.targets` names, in that order, in front of providers that answer with `payload` bytes:
// { name, port, pids, service }, the pids being those whose CPU time counts.
async function startTargets(stage, options, payload) {
  const cpus = cpuPlan(options.cpus);
  const echo = await startListening(stage, 'bench_echo', ['--listeners', String(options.providers), '--answer-bytes', String(payload)]);
  await pin(echo.pid, cpus.peers);
  const wants = (...names) => names.some((name) => options.targets.includes(name));
  const targets = [{ name: 'direct', port: echo.ports[0], pids: [] }];
  if (wants('haproxy')) targets.push(await startHaproxy(stage, 'haproxy', echo.ports));
  if (wants('haproxy-big') && payload >= 4096) targets.push(await startHaproxy(stage, 'haproxy-big', echo.ports, BIG_BUFFER));
  if (wants('nginx')) targets.push(await startNginx(stage, echo.ports));
  if (wants('relay')) targets.push(await startRelay(stage, echo.ports[0]));
  if (wants('20881', '20882', 'chain', '20881-many', '20881-rules')) {
    const zookeeper = await startZooKeeper(stage, { jvm: [`-Xmx${HEAP_MB * Math.ceil(1 + options.services / 1000)}m`] });
    targets.push(...await startAgents(stage, zookeeper, echo.ports));
    const few = targets.find(({ name }) => name === '20881');
    if (wants('20881-rules')) targets.push(await withRules(zookeeper, few, echo.ports, options.rules));
    if (wants('20881-many')) {
      targets.push(await startAgentWithMany(stage, zookeeper, few, { count: options.services, payload, ports: echo.ports }));
    }
  }
  const chosen = targets.filter((target) => wants(target.name));
  for (const pid of new Set(chosen.flatMap((target) => target.pids))) await pin(pid, cpus.proxies);
  return chosen;
}

// One run of the load generator; what it printed, with `cpu` the sum over the target's processes (µs per answer).
async function load(target, shape, options, { rate, requests, warmup, seconds = options.seconds } = {}) {
  const cpus = cpuPlan(options.cpus);
  const args = ['--port', target.port, '--connections', shape.connections, '--in-flight', shape.inFlight, '--payload', shape.payload,
    '--seconds', seconds, ...(rate ? ['--rate', rate] : []),
    ...(requests ? ['--requests', requests] : []), ...(warmup === undefined ? [] : ['--warmup', warmup]), ...(target.service ? ['--interface', target.service] : []),
    ...(target.interfaces ? ['--interfaces', target.interfaces] : []),
    ...(target.pids.length > 0 ? ['--cpu-of', ...target.pids] : [])].map(String);
  const [command, ...rest] = cpus.peers === null ? [LOAD, ...args] : ['taskset', '-c', cpus.peers, LOAD, ...args];
  const { stdout, stderr } = await run(command, rest, { timeout: (seconds + 60) * 1000 });
  if (!stdout.startsWith('{')) throw new Error(`${target.name}, ${shape.name}: ${stderr || 'the load generator said nothing'}`);
  const result = JSON.parse(stdout);
  if (result.answers === 0) throw new Error(`${target.name}, ${shape.name}: nothing was answered in ${seconds} s; is the machine busy?`);
  return { ...result, cpu: Object.values(result.cpu_us_per_answer).reduce((sum, cpu) => sum + cpu, 0) };
}

module.exports = { PROGRAMS, cpuPlan, load, startTargets };
