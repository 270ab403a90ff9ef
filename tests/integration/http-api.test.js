'use strict';
// The HTTP API: what it accepts, what it refuses and how it says so, and that it stays right with many clients.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const http = require('node:http');
const path = require('node:path');
const { BINARY, startAgent } = require('./lib/agent');
const { curl, run } = require('./lib/command');
const { RawProvider } = require('./lib/raw-provider');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

// Nobody listens for it.
const UNCHECKED = { type: 'none' };
const service = (fields = {}) => ({ service: { interface: 'com.example.Some', port: 20880, check: UNCHECKED, ...fields } });

// A body, and what the error must name.
const WRONG_BODIES = {
  'nothing': ['', 'body'],
  'white space': [' \r\n\t ', 'body'],
  'no JSON': ['interface=com.example.Some', 'JSON'],
  'JSON that ends early': ['{"service": {"interface": "com.example.Some"', 'JSON'],
  'JSON with something behind it': ['{"service": {"interface": "com.example.Some"}} and more', 'JSON'],
  'a string': ['"com.example.Some"', 'body'],
  'a number': ['20880', 'body'],
  'null': ['null', 'body'],
  'an empty list': ['[]', 'body'],
  'a list of numbers': ['[1, 2]', '[0]'],
  'an object without service': [{}, 'service'],
  'a service that is null': [{ service: null }, 'service'],
  'a service that is a string': [{ service: 'com.example.Some' }, 'service'],
  'an empty list of services': [{ service: [] }, 'service'],
  'no interface': [{ service: { port: 20880 } }, 'service.interface'],
  'an interface that is null': [service({ interface: null }), 'service.interface'],
  'an empty interface': [service({ interface: '' }), 'service.interface'],
  'an interface that is a number': [service({ interface: 5 }), 'service.interface'],
  'an interface that is a list': [service({ interface: ['com.example.Some'] }), 'service.interface'],
  'an interface with a space': [service({ interface: 'com.example. Some' }), 'service.interface'],
  'an interface with a slash': [service({ interface: '../../zookeeper' }), 'service.interface'],
  'an interface that is too long': [service({ interface: 'x'.repeat(1000) }), 'service.interface'],
  'port 0': [service({ port: 0 }), 'service.port'],
  'port "0"': [service({ port: '0' }), 'service.port'],
  'port 65536': [service({ port: 65536 }), 'service.port'],
  'port "65536"': [service({ port: '65536' }), 'service.port'],
  'a negative port': [service({ port: -1 }), 'service.port'],
  'a port of 1e30': ['{"service": {"interface": "com.example.Some", "port": 1e30}}', 'service.port'],
  'port "abc"': [service({ port: 'abc' }), 'service.port'],
  'port ""': [service({ port: '' }), 'service.port'],
  'port 20880.5': [service({ port: 20880.5 }), 'service.port'],
  'port "20880x"': [service({ port: '20880x' }), 'service.port'],
  'a port that is true': [service({ port: true }), 'service.port'],
  'a port that is a list': [service({ port: [20880] }), 'service.port'],
  'methods that are a string': [service({ methods: 'sayHello' }), 'service.methods'],
  'methods that are numbers': [service({ methods: ['sayHello', 1] }), 'service.methods'],
  'a method without name': [service({ methods: [''] }), 'service.methods'],
  'a method with a comma': [service({ methods: ['a,b'] }), 'service.methods'],
  'a group that is a number': [service({ group: 1 }), 'service.group'],
  'a group that cuts the URL apart': [service({ group: 'a&b=c' }), 'service.group'],
  'a group that is a pattern': [service({ group: '*' }), 'service.group'],
  'a version that is a number': [service({ version: 1.0 }), 'service.version'],
  'a version with a control character': [service({ version: '1\n0' }), 'service.version'],
  'an application that is an object': [service({ application: {} }), 'service.application'],
  'parameters that are a list': [service({ parameters: [] }), 'service.parameters'],
  'a parameter that is a number': [service({ parameters: { weight: 100 } }), 'service.parameters.weight'],
  'a parameter without a name': [service({ parameters: { '': 'x' } }), 'service.parameters'],
  'a parameter that Dubbo 3 cuts apart': [service({ parameters: { bizpid: '7' } }), 'bizpid'],
  'a check that is a string': [service({ check: 'tcp' }), 'service.check'],
  'a check of an unknown type': [service({ check: { type: 'http' } }), 'service.check.type'],
  'a check with a number for an interval': [service({ check: { type: 'tcp', interval: 2 } }), 'service.check.interval'],
  'a check without failures': [service({ check: { type: 'tcp', failures: 0 } }), 'service.check.failures'],
  'a registry that is a string': [{ ...service(), registry: 'zookeeper://127.0.0.1:2181' }, 'registry'],
  'a registry of an unknown type': [{ ...service(), registry: { type: 'nacos', addr: '127.0.0.1:8848' } }, 'registry.type'],
  'a registry without address': [{ ...service(), registry: { type: 'zookeeper' } }, 'registry.addr'],
  'an address that is none': [{ ...service(), registry: { type: 'zookeeper', addr: '127.0.0.1:port' } }, 'registry.addr'],
};

// Answers over connections that stay open, as the pools of SDKs keep them.
class Client {
  constructor(agent) { Object.assign(this, { agent, pool: new http.Agent({ keepAlive: true, maxSockets: 1 }) }); }

  post(pathname, body) {
    return new Promise((resolve, reject) => {
      const request = http.request({ port: this.agent.api, host: '127.0.0.1', path: pathname, method: 'POST', agent: this.pool }, (response) => {
        let text = '';
        response.setEncoding('utf8');
        response.on('data', (data) => { text += data; });
        response.on('end', () => resolve({ status: response.statusCode, body: JSON.parse(text) }));
      });
      request.on('error', reject);
      request.end(JSON.stringify(body));
    });
  }

  close() { this.pool.destroy(); }
}

scenario('A wrong request to the HTTP API', ({ stage, before, it }) => {
  let agent;
  before(async () => { agent = await startAgent(stage); });

  async function assertRefused(pathname, body, status, text) {
    const answer = await agent.post(pathname, body);
    assert.equal(answer.status, status, answer.text);
    assert.equal(answer.body.err_no, 1);
    assert.ok(answer.body.err_msg.includes(text), `"${answer.body.err_msg}" does not name "${text}"`);
  }

  for (const [what, [body, names]] of Object.entries(WRONG_BODIES)) {
    it(`is refused with 400 where its body is ${what}`, () => assertRefused('/publish', body, 400, names));
  }

  it('is refused by every verb alike', async () => {
    for (const verb of ['publish', 'unpublish', 'subscribe', 'unsubscribe', 'pub', 'unpub', 'sub', 'unsub']) {
      await assertRefused(`/${verb}`, '', 400, 'body');
      await assertRefused(`/${verb}`, '{', 400, 'JSON');
      await assertRefused(`/${verb}`, { service: {} }, 400, 'service.interface');
      await assertRefused(`/${verb}`, service({ port: 0 }), 400, 'service.port');
    }
  });

  it('says what came and what was expected', async () => {
    const { body } = await agent.post('/publish', service({ port: 65536 }));
    assert.match(body.err_msg, /65536/);
    assert.match(body.err_msg, /1.*65535/);
  });

  it('is refused with 413 where it has 10 MiB, by curl, too', async () => {
    const file = path.join(stage.folder(), 'large');
    fs.writeFileSync(file, JSON.stringify(service({ parameters: { filler: 'x'.repeat(10 * 1024 * 1024) } })));
    for (const options of [['-d', `@${file}`], ['--data-binary', `@${file}`, '-H', 'Content-Type: application/json'], ['-T', file, '-X', 'POST', '-H', 'Transfer-Encoding: chunked']]) {
      const { status, body } = await curl(`${agent.url}/publish`, ...options);
      assert.equal(status, 413, options.join(' '));
      assert.equal(body.err_no, 1);
    }
    assert.equal((await agent.get('/healthz')).status, 200);
  });

  it('is refused where it is nested 2,000 deep', async () => {
    for (const [open, close] of [['[', ']'], ['{"service":', '}']]) {
      await assertRefused('/publish', open.repeat(2000) + (open === '[' ? '' : '1') + close.repeat(2000), 400, 'nested');
    }
    await assertRefused('/publish', '['.repeat(100_000), 400, 'nested');
  });

  it('is refused where it is not UTF-8', async () => {
    for (const bytes of [[0xff, 0xfe], [0xc3, 0x28], [0xed, 0xa0, 0x80]]) {
      const body = Buffer.concat([Buffer.from('{"service": {"interface": "com.example.'), Buffer.from(bytes), Buffer.from('"}}')]);
      await assertRefused('/publish', body, 400, 'UTF-8');
    }
  });

  it('is answered with 404 where the path is unknown', async () => {
    for (const pathname of ['/publis', '/publish/', '/v1/publish', '/services', '/services/', '/services/a/b', '//', '/%00']) {
      const { status, body } = await agent.get(pathname);
      assert.equal(status, 404, pathname);
      assert.equal(body.err_no, 1);
    }
    await assertRefused('/nothing', service(), 404, '/nothing');
  });

  it('is answered with 405 and what is allowed where the method is wrong', async () => {
    for (const [method, pathname, allowed] of [['GET', '/publish', 'POST'], ['PUT', '/subscribe', 'POST'], ['DELETE', '/unpub', 'POST'], ['PATCH', '/sub', 'POST'],
      ['POST', '/metrics', 'GET'], ['DELETE', '/healthz', 'GET'], ['PUT', '/', 'GET'], ['OPTIONS', '/publish', 'POST']]) {
      const { status, headers, body } = await agent.send(method, pathname);
      assert.equal(status, 405, `${method} ${pathname}`);
      assert.equal(body.err_no, 1);
      assert.ok(headers.get('allow').includes(allowed), `${method} ${pathname} allows ${headers.get('allow')}`);
    }
  });

  it('is refused where its wait is no time', async () => {
    for (const wait of ['abc', '-1', '1e9', '3 s', '24h']) await assertRefused(`/publish?wait=${encodeURIComponent(wait)}`, service(), 400, 'wait');
  });

  it('is answered with 404 where there is nothing to take back', async () => {
    await assertRefused('/unpublish', service(), 404, 'com.example.Some');
    await assertRefused('/unsubscribe', service(), 404, 'com.example.Some');
    assert.equal((await agent.get('/services/com.example.Nobody')).status, 404);
  });

  it('left nothing behind', async () => {
    assert.deepEqual((await agent.get('/publications')).body.publications, []);
    assert.deepEqual((await agent.get('/subscriptions')).body.subscriptions, []);
  });
});

scenario('The HTTP API', ({ stage, before, it }) => {
  let agent;
  before(async () => { agent = await startAgent(stage); });

  const publications = async () => (await agent.get('/publications')).body.publications;

  it('takes the body that curl -d sends, of any length it allows', async () => {
    const methods = Array.from({ length: 900 }, (_, i) => `aMethodWithALongName${i}`);
    const body = JSON.stringify(service({ interface: 'com.example.Long', methods }));
    assert.ok(body.length > 20_000);
    const answer = await curl(`${agent.url}/publish`, '-d', body);
    assert.equal(answer.status, 200, JSON.stringify(answer.body));
    assert.ok(answer.body.url.includes('aMethodWithALongName899'));
  });

  it('says 200 to a verb that is repeated, and 404 to the second one that takes it back', async () => {
    const body = service({ interface: 'com.example.Twice', group: 'g', version: '1.0.0', port: '20990' });
    for (const [verb, state] of [['publish', 'registered'], ['publish', 'registered'], ['subscribe', 'subscribed'], ['subscribe', 'subscribed']]) {
      const answer = await agent.post(`/${verb}`, body);
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.state, state);
      assert.equal(answer.body.err_no, 0);
    }
    assert.equal((await publications()).filter((entry) => entry.interface === 'com.example.Twice').length, 1);
    for (const [verb, status, state] of [['unpublish', 200, 'unregistered'], ['unpublish', 404], ['unsubscribe', 200, 'unsubscribed'], ['unsubscribe', 404]]) {
      const answer = await agent.post(`/${verb}`, body);
      assert.equal(answer.status, status, answer.text);
      assert.equal(answer.body.state, state);
    }
  });

  it('tells publications apart by group, interface, version and port', async () => {
    const name = 'com.example.Kinds';
    const kinds = [{}, { group: 'a' }, { version: '1.0.0' }, { group: 'a', version: '1.0.0' }, { port: 20881 }];
    for (const kind of kinds) await agent.publish(service({ interface: name, ...kind }).service);
    assert.equal((await publications()).filter((entry) => entry.interface === name).length, kinds.length);
    await agent.unpublish(service({ interface: name, group: 'a' }).service);
    const left = (await publications()).filter((entry) => entry.interface === name);
    assert.equal(left.length, kinds.length - 1);
    assert.ok(!left.some((entry) => entry.group === 'a' && entry.version === ''));
  });

  it('warns of fields that it does not know, and does the rest', async () => {
    const { status, body } = await agent.post('/publish', { extra: 1, service: { interface: 'com.example.Extra', port: 20880, color: 'red', name: 'Extra', check: UNCHECKED } });
    assert.equal(status, 200);
    assert.ok(body.warnings.some((warning) => warning.includes('service.color')), JSON.stringify(body.warnings));
    assert.ok(body.warnings.some((warning) => warning.includes('extra')));
    assert.ok(!body.warnings.some((warning) => warning.includes('service.name')), 'MOSN\'s SDKs send a name');
  });

  it('publishes and withdraws a list in one body, with a result for each', async () => {
    const bodies = ['A', 'B', 'C'].map((letter) => service({ interface: `com.example.List${letter}` }));
    for (const [verb, state] of [['publish', 'registered'], ['unpublish', 'unregistered']]) {
      const { status, body } = await agent.post(`/${verb}`, bodies);
      assert.equal(status, 200);
      assert.equal(body.err_no, 0);
      assert.deepEqual(body.results.map((result) => result.interface), bodies.map((one) => one.service.interface));
      assert.deepEqual(body.results.map((result) => result.state), Array(3).fill(state));
    }
    const again = await agent.post('/unpublish', bodies);
    assert.equal(again.status, 404);
    assert.equal(again.body.err_no, 1);
    assert.deepEqual(again.body.results.map((result) => result.err_no), [1, 1, 1]);
  });

  it('does nothing of a list that has one wrong entry, and says which', async () => {
    const { status, body } = await agent.post('/publish', [service({ interface: 'com.example.Good' }), service({ port: 0 })]);
    assert.equal(status, 400);
    assert.match(body.err_msg, /\[1\]\.service\.port/);
    assert.ok(!(await publications()).some((entry) => entry.interface === 'com.example.Good'));
  });

  it('stays right with 64 clients at once', async () => {
    const clients = Array.from({ length: 64 }, () => new Client(agent));
    stage.atEnd(() => { for (const client of clients) client.close(); });
    const states = await Promise.all(clients.map(async (client, i) => {
      const own = service({ interface: `com.example.Client${i}`, port: 30_000 + i });
      const shared = service({ interface: 'com.example.Shared', port: 29_999 });
      const seen = [];
      for (const [pathname, body] of [['/publish', own], ['/publish', shared], ['/subscribe', own], ['/publish', own], ['/unpublish', own], ['/unpublish', own], ['/publish', own]]) {
        const answer = await client.post(pathname, body);
        seen.push(answer.body.state || answer.status);
      }
      return seen.join();
    }));
    assert.deepEqual([...new Set(states)], ['registered,registered,subscribed,registered,unregistered,404,registered']);
    const published = (await publications()).map((entry) => entry.interface);
    assert.equal(published.filter((name) => name.startsWith('com.example.Client')).length, 64);
    assert.equal(published.filter((name) => name === 'com.example.Shared').length, 1);
    // A list that changed a moment ago changes again after a pause.
    for (let i = 0; i < clients.length; i++) {
      await eventually(async () => (await agent.get(`/services/com.example.Client${i}`)).body.endpoints.length === 1, `the provider of client ${i}`);
    }
  });

  it('is not held up by 64 clients that keep idle connections', async () => {
    const clients = Array.from({ length: 64 }, () => new Client(agent));
    stage.atEnd(() => { for (const client of clients) client.close(); });
    await Promise.all(clients.map((client, i) => client.post('/publish', service({ interface: `com.example.Idle${i}` }))));
    const start = performance.now();
    assert.equal((await curl(`${agent.url}/healthz`)).status, 200);
    assert.ok(performance.now() - start < 1500, 'a further client is served at once');
  });

  it('serves on a Unix socket, too', async () => {
    const socket = path.join(stage.folder(), 'api.sock');
    const second = await startAgent(stage, { flags: ['--api', `unix:${socket}`], name: 'agent with a socket' });
    const answer = await curl('--unix-socket', socket, 'http://localhost/publish', '-d', JSON.stringify(service()));
    assert.equal(answer.status, 200);
    assert.equal((await second.get('/publications')).body.publications.length, 1);
    await second.stop();
    assert.ok(!fs.existsSync(socket), 'the socket is taken away at the end');
  });

  it('is used by the program\'s own commands', async () => {
    const environment = { env: { ...process.env, SKIFF_API: `127.0.0.1:${agent.api}` } };
    const skiff = (...args) => run(BINARY, args, environment);
    const provider = await RawProvider.start(stage);
    const flags = ['--interface', 'com.example.Command', '--group', 'g', '--version', '1.0.0', '--port', String(provider.port), '--method', 'a', '--method', 'b', '--param', 'weight=50'];
    const published = await skiff('publish', ...flags);
    assert.equal(published.code, 0, published.stderr);
    const entry = (await publications()).find((one) => one.interface === 'com.example.Command');
    assert.equal(entry.port, provider.port);
    assert.ok(entry.url.includes('weight=50') && entry.url.includes('methods=a,b'), entry.url);
    assert.equal((await skiff('subscribe', '--interface', 'com.example.Command', '--group', 'g', '--version', '1.0.0')).code, 0);
    const status = await skiff('status', '--json');
    assert.ok(JSON.parse(status.stdout).publications.some((one) => one.interface === 'com.example.Command'));
    assert.match((await skiff('status')).stdout, /com\.example\.Command/);
    assert.equal((await skiff('unsubscribe', '--interface', 'com.example.Command', '--group', 'g', '--version', '1.0.0')).code, 0);
    assert.equal((await skiff('unpublish', ...flags.slice(0, 8))).code, 0);
    const twice = await skiff('unpublish', ...flags.slice(0, 8));
    assert.notEqual(twice.code, 0);
    assert.match(twice.stdout + twice.stderr, /com\.example\.Command/);
  });

  it('is used by the program\'s commands for checks, leases and restarts of an application', async () => {
    const environment = { env: { ...process.env, SKIFF_API: `127.0.0.1:${agent.api}` } };
    const skiff = (...args) => run(BINARY, args, environment);
    const flags = ['--interface', 'com.example.Checked', '--port', String(await freePort())];
    const entry = async () => (await publications()).find((one) => one.interface === 'com.example.Checked');
    const failing = ['--check', 'tcp', '--check-interval', '100ms', '--check-timeout', '50ms', '--check-failures', '1', '--check-successes', '2'];
    const pending = await skiff('publish', ...flags, ...failing, '--wait', '0');
    assert.equal(pending.code, 0, pending.stderr);
    assert.match(pending.stdout, /pending/);
    await eventually(async () => (await entry()).health === 'down', 'the check with these figures finds nobody');

    const published = await skiff('publish', ...flags, '--check', 'none', '--lease', '2h');
    assert.match(published.stdout, /registered/, published.stderr);
    assert.deepEqual([(await entry()).health, (await entry()).lease], ['unchecked', '2h']);
    const wrong = await skiff('publish', ...flags, '--check-failures', 'three');
    assert.equal(wrong.code, 1);
    assert.match(wrong.stderr, /service\.check\.failures: came "three"/);

    const one = await skiff('stopping', ...flags, '--wait', '5s');
    assert.equal(one.code, 0, one.stderr);
    assert.match(one.stdout, /stopping success: unregistered/);
    assert.equal((await entry()).state, 'stopping');
    assert.match((await skiff('ready', ...flags)).stdout, /ready success: registered/);
    assert.match((await skiff('stopping')).stdout, /com\.example\.Checked: stopping success: unregistered/);
    assert.match((await skiff('ready')).stdout, /com\.example\.Checked: ready success: registered/);
    assert.equal((await entry()).state, 'registered');
    const unknown = await skiff('stopping', '--interface', 'com.example.Nobody');
    assert.equal(unknown.code, 1);
    assert.match(unknown.stderr, /com\.example\.Nobody/);
    assert.equal((await skiff('stopping', '--port', '1')).code, 2, 'of which service?');
    assert.equal((await skiff('unpublish', ...flags)).code, 0);
  });
});

scenario('The API of MOSN', ({ stage, before, it }) => {
  let zookeeper;
  let provider;
  before(async () => {
    zookeeper = await startZooKeeper(stage);
    provider = await RawProvider.start(stage);
  });

  // What an SDK for dubbod sends, to the letter.
  const body = (address) => ({
    registry: { type: 'zookeeper', addr: address, username: '', password: '' },
    service: { interface: 'com.demo.Greeting', methods: ['sayHello'], group: 'g1', version: '1.0.0', name: 'Greeting', port: String(provider.port) },
  });

  it('is served with a registry that the operator has configured', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    for (const [pathname, message] of [['/pub', 'publish success'], ['/sub', 'subscribe success'], ['/unsub', 'unsubscribe success'], ['/unpub', 'unpub success']]) {
      const answer = await agent.post(pathname, body(zookeeper.address));
      assert.equal(answer.status, 200, answer.text);
      assert.equal(answer.body.err_no, 0);
      assert.equal(answer.body.err_msg, message);
      assert.equal(answer.body.warnings, undefined, JSON.stringify(answer.body.warnings));
      if (pathname === '/pub') assert.equal((await zookeeper.urls('com.demo.Greeting')).length, 1);
    }
    assert.equal((await zookeeper.urls('com.demo.Greeting')).length, 0);
  });

  it('refuses a registry that the operator has not configured, and names the key that would allow it', async () => {
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    const answer = await agent.post('/pub', body(`127.0.0.1:${await freePort()}`));
    assert.equal(answer.status, 400);
    assert.equal(answer.body.err_no, 1);
    assert.match(answer.body.err_msg, /registry/);
    assert.ok(answer.body.err_msg.includes(zookeeper.address) || /configur/.test(answer.body.err_msg), answer.body.err_msg);
  });

  it('opens the registry that a request names where the operator has configured none', async () => {
    const agent = await startAgent(stage);
    const answer = await agent.post('/pub?wait=10s', body(zookeeper.address));
    assert.equal(answer.status, 200, answer.text);
    assert.equal((await zookeeper.urls('com.demo.Greeting')).length, 1);
    assert.equal((await agent.post('/unpub?wait=10s', body(zookeeper.address))).body.err_msg, 'unpub success');
    assert.equal((await zookeeper.urls('com.demo.Greeting')).length, 0);
  });
});

scenario('A registry that is away', ({ stage, it }) => {
  it('makes the answers 202 and "pending", and what was asked for happens when it comes', async () => {
    const port = await freePort();
    const agent = await startAgent(stage, { registry: `zookeeper://127.0.0.1:${port}`, until: '/healthz' });
    const ready = await agent.get('/readyz');
    assert.ok([200, 503].includes(ready.status));
    const names = ['com.example.Kept', 'com.example.TakenBack'];
    for (const name of names) {
      const { status, body } = await agent.post('/publish?wait=100ms', service({ interface: name }));
      assert.equal(status, 202);
      assert.equal(body.err_no, 0);
      assert.equal(body.state, 'pending');
      assert.ok(body.reason.length > 0);
    }
    const subscribed = await agent.post('/subscribe?wait=0', service({ interface: 'com.example.Kept' }));
    assert.equal(subscribed.status, 202);
    assert.equal(subscribed.body.state, 'pending');
    assert.ok([200, 202].includes((await agent.post('/unpublish?wait=0', service({ interface: names[1] }))).status));

    const zookeeper = await startZooKeeper(stage, { port });
    await eventually(async () => (await zookeeper.urls(names[0])).length === 1, 'the publication is there', 40_000);
    await agent.knowsProviders(names[0], 1);
    assert.deepEqual(await zookeeper.urls(names[1]), []);
    assert.equal((await agent.get('/publications')).body.publications[0].state, 'registered');
    assert.equal((await agent.get('/readyz')).status, 200);
  });
});
