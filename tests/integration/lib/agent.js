'use strict';
// The agent under test, and its HTTP API.

const assert = require('node:assert/strict');
const path = require('node:path');
const { checkAnswer } = require('./openapi');
const { freePort } = require('./stage');
const { eventually } = require('./wait');

const BINARY = path.resolve(process.env.SKIFF_BINARY || path.join(__dirname, '../../../build/skiff'));
// What the agent serves at /openapi.json; openapi.test.js sees that it is the same.
const DOCUMENT = require('../../../agent/openapi.json');

class Agent {
  constructor(running, ports, stateDir) {
    Object.assign(this, { running, ...ports, stateDir, pid: running.child.pid, url: `http://127.0.0.1:${ports.api}` });
  }

  get log() { return this.running.log; }

  // Whatever a test asks for: the answer must be one that the document describes.
  async send(method, pathname, body) {
    const response = await fetch(this.url + pathname, { method, body });
    const text = await response.text();
    const type = (response.headers.get('content-type') || '').split(';')[0];
    const answer = { status: response.status, headers: response.headers, type, text, body: type === 'application/json' ? JSON.parse(text) : undefined };
    assert.deepEqual(checkAnswer(DOCUMENT, method, pathname, answer), [], text);
    return answer;
  }

  get(pathname) { return this.send('GET', pathname); }

  // `body`: an object, or the very text or bytes to send.
  post(pathname, body) {
    const isRaw = typeof body === 'string' || body instanceof Uint8Array;
    return this.send('POST', pathname, isRaw ? body : JSON.stringify(body));
  }

  async verb(name, service) {
    const { status, body, text } = await this.post(`/${name}?wait=10s`, { service });
    if (status !== 200) throw new Error(`${name} ${JSON.stringify(service)}: ${status} ${text}`);
    return body;
  }

  publish(service) { return this.verb('publish', service); }

  unpublish(service) { return this.verb('unpublish', service); }

  unsubscribe(service) { return this.verb('unsubscribe', service); }

  // Returns when the agent knows `providers` of them, and will choose among them.
  async subscribe(service, providers = 1) {
    const answer = await this.verb('subscribe', service);
    await this.knowsProviders(service.interface, providers);
    return answer;
  }

  knowsProviders(name, count) {
    return eventually(async () => {
      const { status, body } = await this.get(`/services/${name}`);
      return status === 200 && body.endpoints.length === count && body;
    }, `${this.running.name} knows ${count} providers of ${name}`);
  }

  // Samples by name with labels, as they stand in the text.
  async metrics() {
    const { text } = await this.get('/metrics');
    const samples = {};
    for (const line of text.split('\n')) {
      const match = /^([a-zA-Z_:][\w:]*(?:\{.*\})?) (\S+)$/.exec(line);
      if (match) samples[match[1]] = Number(match[2]);
    }
    return samples;
  }

  // The lines of the log that say it.
  logLines(pattern) { return this.log.split('\n').filter((line) => pattern.test(line)); }

  // The answer, and from then on `pid` is the new process's, whose output is in the same log.
  async upgrade() {
    const { status, body } = await this.post('/upgrade');
    if (status === 200) this.pid = body.pid;
    return { status, body };
  }

  get hasSuccessor() { return this.pid !== this.running.child.pid; }

  // The answer's `code` is that of the first process, before all upgrades.
  stop(signal = 'SIGTERM') { return this.running.stop(signal, this.pid); }
}

// Where an agent's ports listen, and what it registers.
const LOOPBACK = { outbound: '127.0.0.1', inbound: '127.0.0.1', advertise: '127.0.0.1' };

const freePorts = async () => ({ api: await freePort(), outbound: await freePort(), inbound: await freePort() });

// An agent that is ready (or, with another `until`, answers 200 there). `registry` absent: the embedded one; `hosts` as
// LOOPBACK, an empty `advertise` leaves the choice to the agent; `ports` and `stateDir` those of a predecessor; `under`: a command that runs it.
async function startAgent(stage, { name = 'agent', under = [], registry, flags = [], environment = {}, workers = 2, until = '/readyz', hosts = {}, binary = BINARY, ports: fixedPorts, stateDir = stage.folder() } = {}) {
  const ports = fixedPorts || await freePorts();
  const { outbound, inbound, advertise } = { ...LOOPBACK, ...hosts };
  const args = ['run', ...(registry ? ['--registry', registry] : []), '--api', `127.0.0.1:${ports.api}`, '--outbound', `${outbound}:${ports.outbound}`,
    '--inbound', `${inbound}:${ports.inbound}`, ...(advertise ? ['--advertise', advertise] : []), '--state-dir', stateDir, '--workers', String(workers), ...flags];
  const [command, ...rest] = [...under, binary, ...args];
  const running = stage.start(name, command, rest, { env: { ...process.env, ...environment } });
  const agent = new Agent(running, ports, stateDir);
  await eventually(async () => {
    if (running.hasEnded) return true;
    return (await agent.get(until)).status === 200;
  }, `${name} is ready`);
  if (running.hasEnded) throw new Error(`${name} ended at its start:\n${running.log}`);
  return agent;
}

module.exports = { Agent, BINARY, startAgent };
