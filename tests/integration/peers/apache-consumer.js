'use strict';
// apache-dubbo-js as a consumer: with stock discovery ({ zookeeper }), or with a fixed address ({ port }).
// Config: also name, interface, version, group.

const { Dubbo, DirectlyDubbo, java, setting } = require('apache-dubbo-js');
const serve = require('./messages');

const TIMEOUT_S = 15;

const config = JSON.parse(process.argv[2]);
const version = config.version || '';
const group = config.group || '';
const description = {
  dubboInterface: config.interface,
  version,
  group,
  timeout: TIMEOUT_S * 1000,
  methods: {
    echo: (text) => [java.String(text)],
    fail: (text) => [java.String(text)],
    whoami: () => [],
  },
};

function discovering() {
  const dubbo = new Dubbo({
    application: { name: config.name },
    dubboInvokeTimeout: TIMEOUT_S,
    register: config.zookeeper,
    dubboSetting: setting.match([config.interface], { version, group }),
    service: { target: (consumer) => consumer.proxyService(description) },
  });
  return { proxy: dubbo.service.target, ready: () => dubbo.ready() };
}

function direct() {
  const dubbo = DirectlyDubbo.from({ dubboAddress: `127.0.0.1:${config.port}`, dubboVersion: '2.0.2', dubboInvokeTimeout: TIMEOUT_S });
  return { proxy: dubbo.proxyService(description), ready: async () => {} };
}

const consumer = config.zookeeper ? discovering() : direct();

serve({
  async ready() { await consumer.ready(); return {}; },
  async call(method, args) {
    const { res, err } = await consumer.proxy[method](...args);
    if (err) throw err;
    return res;
  },
});
