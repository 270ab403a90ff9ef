'use strict';
// A ZooKeeper server of the test's own, and a client to look into it and to write as other programs would.

const client = require('node-zookeeper-client');
const fs = require('node:fs');
const net = require('node:net');
const path = require('node:path');
const { freePort } = require('./stage');
const { eventually, within } = require('./wait');

const CLASSPATH = ['zookeeper', 'slf4j-simple'].map((jar) => `/usr/share/java/${jar}.jar`).join(':');
const SETTINGS = [
  'tickTime=500', 'admin.enableServer=false', '4lw.commands.whitelist=*', 'maxClientCnxns=0',
  'minSessionTimeout=1000', 'maxSessionTimeout=60000',
];

// A server that is just starting may accept the question and never answer it.
const ANSWER_LIMIT_MS = 1_000;

const HEAP_MB = 64;

// The name of the node that a stock provider makes: its URL, encoded once.
function nodeName(name, { host = '127.0.0.1', port, parameters = {} }) {
  const all = {
    application: 'plain-provider', dubbo: '2.0.2', interface: name, methods: 'echo,whoami', side: 'provider', category: 'providers',
    timestamp: String(Date.now() - 3_600_000), // its warm-up is over
    ...parameters,
  };
  const query = Object.keys(all).sort().map((key) => `${key}=${all[key]}`).join('&');
  return encodeURIComponent(`dubbo://${host}:${port}/${name}?${query}`);
}

async function fourLetterWord(host, port, word) {
  const socket = net.connect(port, host, () => socket.end(word));
  try {
    return await within(new Promise((resolve, reject) => {
      let text = '';
      socket.on('data', (data) => { text += data; });
      socket.on('end', () => resolve(text));
      socket.on('error', reject);
    }), `ZooKeeper's answer to ${word}`, ANSWER_LIMIT_MS);
  } finally {
    socket.destroy();
  }
}

// The server alone, once it serves.
async function startServer(stage, { host, port, config, heapMb }) {
  const running = stage.start('zookeeper', 'java', [
    `-Xmx${heapMb}m`, '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', CLASSPATH,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain', config]);
  await eventually(async () => running.hasEnded || await fourLetterWord(host, port, 'isro') === 'rw', 'ZooKeeper serves');
  if (running.hasEnded) throw new Error(`ZooKeeper ended at its start:\n${running.log}`);
  return running;
}

class ZooKeeper {
  // `server`: { host, port, config, heapMb }.
  constructor(running, server) {
    const address = `${server.host}:${server.port}`;
    Object.assign(this, { running, server, port: server.port, address, registry: `zookeeper://${address}` });
  }

  // Starts the server again, with the data that it had when it ended.
  async restart(stage) { this.running = await startServer(stage, this.server); }

  // Ends the client's session; connect() begins another. The client does not always survive that its server is away.
  async disconnect() {
    const disconnected = new Promise((resolve) => { this.client.once('disconnected', resolve); });
    this.client.close();
    await within(disconnected, "the end of the client's session");
  }

  // A node-zookeeper-client call as a promise; "no node" is null.
  ask(method, ...args) {
    return within(new Promise((resolve, reject) => {
      this.client[method](...args, (error, result) => {
        if (!error) resolve(result);
        else if (error.getCode && error.getCode() === client.Exception.NO_NODE) resolve(null);
        else reject(error);
      });
    }), `ZooKeeper's answer to ${method} ${args[0]}`);
  }

  async connect(stage) {
    this.client = client.createClient(this.address, { sessionTimeout: 30_000, retries: 3 });
    const connected = new Promise((resolve) => { this.client.once('connected', resolve); });
    this.client.connect();
    stage.atEnd(() => this.client.close());
    await within(connected, 'a session with ZooKeeper');
  }

  // The decoded URLs in a category ("providers", "consumers") of an interface.
  async urls(name, category = 'providers') {
    const children = await this.ask('getChildren', `/dubbo/${name}/${category}`);
    return (children || []).map((child) => decodeURIComponent(child.replace(/\+/g, ' ')));
  }

  // The nodes' own names, as they stand there.
  async nodes(name, category = 'providers') {
    return (await this.ask('getChildren', `/dubbo/${name}/${category}`)) || [];
  }

  // Registers a provider, { host, port, parameters }, as a stock one does: an ephemeral node (persistent with `outlivesSession`).
  async register(name, { outlivesSession = false, ...provider }) {
    const folder = `/dubbo/${name}/providers`;
    const node = `${folder}/${nodeName(name, provider)}`;
    await this.ask('mkdirp', folder);
    await this.ask('create', node, Buffer.alloc(0), outlivesSession ? client.CreateMode.PERSISTENT : client.CreateMode.EPHEMERAL);
    return node;
  }

  // Registers a service that nobody has registered before, with all its providers, at once and for good.
  async registerService(name, providers) {
    await this.ask('mkdirp', '/dubbo');
    const folders = [`/dubbo/${name}`, `/dubbo/${name}/providers`];
    const transaction = this.client.transaction();
    for (const node of [...folders, ...providers.map((one) => `${folders[1]}/${nodeName(name, one)}`)]) transaction.create(node, Buffer.alloc(0));
    await within(new Promise((resolve, reject) => {
      transaction.commit((error) => (error ? reject(error) : resolve()));
    }), `ZooKeeper's answer to the registration of ${name}`);
  }

  remove(node) { return this.ask('remove', node); }
}

async function startZooKeeper(stage, { host = '127.0.0.1', port: fixedPort, heapMb = HEAP_MB } = {}) {
  const folder = stage.folder();
  const port = fixedPort || await freePort();
  const config = path.join(folder, 'zoo.cfg');
  fs.writeFileSync(config, [...SETTINGS, `dataDir=${folder}/data`, `clientPortAddress=${host}`, `clientPort=${port}`, ''].join('\n'));
  const server = { host, port, config, heapMb };
  const zookeeper = new ZooKeeper(await startServer(stage, server), server);
  await zookeeper.connect(stage);
  return zookeeper;
}

module.exports = { startZooKeeper };
