'use strict';
// Agents with something to show on their status page, and calls that go on.

const { startAgent } = require('./agent');
const { startProvider, startSofaConsumer } = require('./peers');
const { RawConsumer } = require('./raw-consumer');
const { RawProvider } = require('./raw-provider');
const { freePort } = require('./stage');
const { startZooKeeper } = require('./zookeeper');

const TICK_MS = 100;
const SLOW_MS = 300; // a provider's timeout

// Calls at a given rate, until the stage ends.
class Calls {
  constructor(stage) {
    this.sources = [];
    this.made = 0;
    this.timer = setInterval(() => this.tick(), TICK_MS);
    stage.atEnd(() => this.stop());
  }

  // `call()` returns a promise; its failures are the agent's business.
  add(perSecond, call) { this.sources.push({ perSecond, call, due: Math.random() }); }

  tick() {
    const now = Date.now() / 1000;
    for (const source of this.sources) {
      const swell = 1 + 0.35 * Math.sin(now / 9 + this.sources.indexOf(source)) + 0.3 * (Math.random() - 0.5);
      source.due += (source.perSecond * swell * TICK_MS) / 1000;
      for (; source.due >= 1; source.due--) {
        this.made++;
        source.call().catch(() => {});
      }
    }
  }

  stop() { clearInterval(this.timer); }
}

// A provider that leaves one of `every` calls without an answer.
const forgetful = (every) => {
  let calls = 0;
  return (call) => {
    calls++;
    if (calls % every !== 0) setTimeout(() => call.value('done'), 1 + Math.random() * (calls % 7 === 0 ? 60 : 8));
  };
};

const ORDERS = 'com.example.shop.OrderService';
const STOCK = 'com.example.shop.StockService';
const PAYMENTS = 'com.example.pay.PaymentService';

// Three services: ORDERS of a real provider on this machine, called by a real consumer; STOCK of three providers elsewhere, one of them not
// there; PAYMENTS, which often takes too long. Besides a publication whose provider does not run.
async function threeServices(stage, { factor = 1 } = {}) {
  const zookeeper = await startZooKeeper(stage);
  const agent = await startAgent(stage, { registry: zookeeper.registry });
  const orders = await startProvider(stage, { name: 'orders', services: [{ interface: ORDERS, version: '1.2.0' }] });
  await agent.publish({ interface: ORDERS, version: '1.2.0', port: orders.port, methods: ['echo', 'whoami'], application: 'shop' });
  await agent.post('/publish?wait=0', { service: { interface: 'com.example.shop.RefundService', version: '1.0.0', port: await freePort(), check: { interval: '500ms', failures: 1 } } });
  for (const [weight, tag] of [['100', ''], ['50', 'gray']]) {
    const provider = await RawProvider.start(stage, forgetful(1e9));
    await zookeeper.register(STOCK, { port: provider.port, parameters: { weight, application: 'warehouse', ...(tag && { 'dubbo.tag': tag }) } });
  }
  await zookeeper.register(STOCK, { port: await freePort(), parameters: { application: 'warehouse' } });
  const payments = await RawProvider.start(stage, forgetful(16));
  await zookeeper.register(PAYMENTS, { port: payments.port, parameters: { application: 'bank-gateway', timeout: String(SLOW_MS), group: 'eu', retries: '0' } });
  await agent.subscribe({ interface: ORDERS, version: '1.2.0' }, 1);
  await agent.subscribe({ interface: STOCK }, 3);
  await agent.subscribe({ interface: PAYMENTS, group: 'eu' }, 1);

  const shop = await startSofaConsumer(stage, { name: 'shop', port: agent.outbound, interface: ORDERS, version: '1.2.0' });
  const consumer = await RawConsumer.connect(stage, agent.outbound);
  const calls = new Calls(stage);
  calls.add(20 * factor, () => shop.call('echo', 'an order'));
  calls.add(2 * factor, () => shop.call('whoami'));
  calls.add(60 * factor, () => consumer.call({ service: STOCK, method: 'reserve', args: ['x'] }));
  calls.add(9 * factor, () => consumer.call({ service: STOCK, method: 'lookUp', args: ['x'] }));
  calls.add(12 * factor, () => consumer.call({ service: PAYMENTS, method: 'pay', args: ['x'], attachments: { group: 'eu' } }));
  return { agent, zookeeper, orders, consumer, calls };
}

const WORDS = ['order', 'stock', 'payment', 'price', 'customer', 'address', 'coupon', 'invoice', 'shipping', 'review', 'search', 'session', 'audit', 'ledger', 'mail', 'media', 'quota', 'report', 'risk', 'tax'];
const KINDS = ['QueryService', 'CommandService', 'AdminFacade', 'SyncService', 'ExportService', 'IndexService', 'CacheService', 'HistoryService', 'RuleService', 'TokenService'];
const manyNames = (count) => Array.from({ length: count }, (_, i) => {
  const word = WORDS[i % WORDS.length];
  return `com.example.${word}.${word[0].toUpperCase()}${word.slice(1)}${KINDS[Math.floor(i / WORDS.length) % KINDS.length]}`;
});

// That many services, each published and subscribed, a third of them called, few of them much.
async function manyServices(stage, count) {
  const agent = await startAgent(stage);
  const provider = await RawProvider.start(stage, forgetful(1e9));
  const names = manyNames(count);
  const service = names.map((name) => ({ interface: name, version: '1.0.0', port: provider.port, methods: ['find', 'change'], check: { type: 'none' } }));
  for (const verb of ['publish', 'subscribe']) {
    const { status, text } = await agent.post(`/${verb}?wait=20s`, { service });
    if (status !== 200) throw new Error(text);
  }
  await agent.knowsProviders(names[count - 1], 1);
  const consumer = await RawConsumer.connect(stage, agent.outbound);
  const calls = new Calls(stage);
  names.filter((_, i) => i % 3 === 0).forEach((name, i) => {
    calls.add(80 / (i + 1) ** 0.9, () => consumer.call({ service: name, version: '1.0.0', method: i % 4 === 0 ? 'change' : 'find', args: ['x'] }));
  });
  return { agent, names, consumer, calls };
}

module.exports = { Calls, ORDERS, PAYMENTS, STOCK, manyServices, threeServices };
