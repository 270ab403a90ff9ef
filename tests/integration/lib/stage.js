'use strict';
// What a test file starts: processes, folders, sockets. All of it ends with the file, whatever happens.

const { spawn } = require('node:child_process');
const { after, before, describe, it } = require('node:test');
const fs = require('node:fs');
const net = require('node:net');
const os = require('node:os');
const path = require('node:path');
const { within } = require('./wait');

const TEST_LIMIT_MS = 120_000;
const LOG_KEPT = 400_000; // characters of each process
const LOG_SHOWN = 8_000;
const LOG_END = 2_000;

// Below the range from which the kernel takes ports for outgoing connections, so that nothing takes one between
// this look and its use.
const FIRST_PORT = 10_000;
const LAST_PORT = 32_000;
const BLOCK_PORTS = 500;

// Ports of this process alone: test files run in parallel, and one that counts on nobody listening must not meet another's agent. A block
// is taken by listening on its first port until the process ends.
let nextPort;
let blockEnd;

async function listens(port) {
  const server = net.createServer();
  const listening = await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '0.0.0.0', () => resolve(true));
  });
  return listening && server;
}

async function takeBlock() {
  const blocks = Math.floor((LAST_PORT - FIRST_PORT) / BLOCK_PORTS);
  for (;;) {
    const first = FIRST_PORT + BLOCK_PORTS * Math.floor(Math.random() * blocks);
    const lock = await listens(first);
    if (!lock) continue;
    lock.unref();
    [nextPort, blockEnd] = [first + 1, first + BLOCK_PORTS];
    return;
  }
}

async function freePort() {
  if (nextPort === undefined) await takeBlock();
  while (nextPort < blockEnd) {
    const port = nextPort++;
    const server = await listens(port);
    if (!server) continue;
    await new Promise((resolve) => { server.close(resolve); });
    return port;
  }
  throw new Error(`this process has used its ${BLOCK_PORTS} ports`);
}

// A child process with its output so far in `log`.
class Running {
  constructor(name, child) {
    Object.assign(this, { name, child, log: '' });
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8');
      stream.on('data', (text) => { this.log = (this.log + text).slice(-LOG_KEPT); });
    }
    // 'close' comes when the output is complete, too.
    this.ended = new Promise((resolve) => {
      child.on('close', (code, signal) => { this.hasEnded = true; resolve({ code, signal }); });
      child.on('error', (error) => { this.log += `${error}\n`; this.hasEnded = true; resolve({ code: -1, signal: null }); });
    });
    this.hasEnded = false;
  }

  // The log for who reads a beginning only: what a program says last is what it found.
  get logFromItsEnd() { return `${this.log.slice(-LOG_END)}\n--- and from its beginning:\n${this.log}`; }

  // The process and all that it started.
  kill(signal) {
    try {
      if (this.child.pid) process.kill(-this.child.pid, signal);
    } catch (error) {
      if (error.code !== 'ESRCH') throw error;
    }
  }

  // `pid`: of the process that the first one has left its work to.
  async stop(signal = 'SIGTERM', pid = this.child.pid) {
    process.kill(pid, signal);
    return within(this.ended, `${this.name} ends after ${signal}`, 30_000);
  }
}

class Stage {
  constructor() {
    this.cleanups = [];
    this.processes = [];
    this.folders = [];
    // A test run that is interrupted leaves nothing behind either.
    const abandon = () => this.abandon();
    process.on('exit', abandon);
    this.cleanups.push(() => process.off('exit', abandon));
  }

  folder() {
    const folder = fs.mkdtempSync(path.join(os.tmpdir(), 'skiff-test-'));
    this.folders.push(folder);
    return folder;
  }

  // Runs at the end, the last one first.
  atEnd(cleanup) { this.cleanups.push(cleanup); }

  // The kernel kills it where this process is killed.
  start(name, command, args, options = {}) {
    const child = spawn('setpriv', ['--pdeathsig', 'KILL', command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], detached: true, ...options });
    return this.adopt(new Running(name, child));
  }

  // A script that talks by messages; it ends when this process does. `prefix`: a command that runs commands.
  fork(name, file, config, prefix = []) {
    const [command, ...args] = [...prefix, process.execPath, file, JSON.stringify(config)];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe', 'ipc'], detached: true });
    return this.adopt(new Running(name, child));
  }

  adopt(running) {
    this.processes.push(running);
    return running;
  }

  async stopAll() {
    for (const cleanup of this.cleanups.splice(0).reverse()) await cleanup();
    for (const running of this.processes) running.kill('SIGKILL');
    await within(Promise.all(this.processes.map((running) => running.ended)), 'all processes have ended');
    this.removeFolders();
  }

  abandon() {
    for (const running of this.processes) running.kill('SIGKILL');
    this.removeFolders();
  }

  removeFolders() {
    for (const folder of this.folders.splice(0)) fs.rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
  }

  // Runs `body`; where it fails, prints what every process said.
  async explain(body) {
    try {
      return await body();
    } catch (error) {
      for (const { name, log } of this.processes) {
        if (log) console.error(`--- ${name}, the end of its log:\n${log.slice(-LOG_SHOWN)}`);
      }
      throw error;
    }
  }
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.once(signal, () => process.exit(1));

// The tests of a file, on one stage. `define` gets { stage, before, it }.
function scenario(title, define) {
  describe(title, () => {
    const stage = new Stage();
    // Node calls the tests of a failed hook "cancelled", which is neither passed nor failed. Ours fail.
    let setUpError;
    const setUp = async (body) => {
      try {
        await stage.explain(() => within(body(), 'the set-up', TEST_LIMIT_MS));
      } catch (error) {
        setUpError = error;
      }
    };
    const run = (body, context) => {
      if (setUpError) throw setUpError;
      return stage.explain(() => body(context));
    };
    after(() => stage.stopAll());
    define({
      stage,
      before: (body) => before(() => setUp(body)),
      it: (name, body, limitMs = TEST_LIMIT_MS) => it(name, { timeout: limitMs }, (context) => run(body, context)),
    });
  });
}

module.exports = { Running, Stage, freePort, scenario };
