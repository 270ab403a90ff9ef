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

// Small, and up quickly.
const TEST_JVM = ['-Xmx64m', '-XX:TieredStopAtLevel=1', '-XX:+UseSerialGC'];

// The name of the node that a stock provider makes: its URL, encoded once.
function nodeName(name, { host = '127.0.0.1', port, parameters = {} }) {
  const all = {
    application: 'plain-provider', dubbo: '2.0.2', interface: name, methods: 'echo,whoami', side: 'provider', category: 'providers',
    timestamp: String(Date.now() - 24 * 3_600_000), // its warm-up is over, however wrong its clock may be
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
async function startServer(stage, { host, port, config, jvm }) {
  const running = stage.start('zookeeper', 'java', [
    ...jvm, '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn', '-cp', CLASSPATH,
    'org.apache.zookeeper.server.quorum.QuorumPeerMain', config]);
  await eventually(async () => running.hasEnded || await fourLetterWord(host, port, 'isro') === 'rw', 'ZooKeeper serves');
  if (running.hasEnded) throw new Error(`ZooKeeper ended at its start:\n${running.log}`);
  return running;
}

// A client with a session; with `options` one that exists, or null where it has expired.
async function connectClient(stage, address, options, credentials) {
  const connecting = client.createClient(address, { sessionTimeout: 30_000, retries: 3, ...options });
  const connected = new Promise((resolve) => {
    connecting.once('connected', () => resolve(connecting));
    connecting.once('expired', () => resolve(null));
  });
  if (credentials) connecting.addAuthInfo('digest', Buffer.from(credentials));
  connecting.connect();
  stage.atEnd(() => connecting.close());
  return within(connected, 'a session with ZooKeeper');
}

// The session that a state folder holds, in hexadecimal digits.
function savedSession(stateDir) {
  const [, id, password] = /"([0-9a-f]{16}):([0-9a-f]{32})"/.exec(fs.readFileSync(path.join(stateDir, 'state.json'), 'utf8'));
  return { id, password };
}

class ZooKeeper {
  // `server`: { host, port, config, jvm }.
  constructor(running, server) {
    const address = `${server.host}:${server.port}`;
    Object.assign(this, { running, server, port: server.port, address, registry: `zookeeper://${address}` });
  }

  // Ends the server as if its machine had failed.
  async stop() {
    if (this.client) await this.disconnect();
    await this.running.stop('SIGKILL');
  }

  // While it is stopped: all that it knew is lost.
  wipe() { fs.rmSync(path.join(path.dirname(this.server.config), 'data'), { recursive: true }); }

  // Starts the server again, with the data that it had when it ended.
  async restart(stage) { this.running = await startServer(stage, this.server); }

  // Ends the client's session; connect() begins another. The client does not always survive that its server is away.
  async disconnect() {
    const disconnected = new Promise((resolve) => { this.client.once('disconnected', resolve); });
    this.client.close();
    this.client = undefined;
    await within(disconnected, "the end of the client's session");
  }

  // What `question` finds, asked with a session of its own.
  async lookInto(stage, question) {
    await this.connect(stage);
    try {
      return await question();
    } finally {
      await this.disconnect();
    }
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

  // The same server, for a client with other credentials.
  anotherClient() { return new ZooKeeper(this.running, this.server); }

  // `credentials`: "user:password", or none.
  async connect(stage, credentials) { this.client = await connectClient(stage, this.address, {}, credentials); }

  // Ends the session that a state folder holds, as if it had timed out: takes it up, and closes it. Again where its owner was faster to
  // take it back.
  async expire(stage, stateDir) {
    const { id, password } = savedSession(stateDir);
    const session = { sessionId: Buffer.from(id, 'hex'), sessionPassword: Buffer.from(password, 'hex') };
    await eventually(async () => {
      const taken = await connectClient(stage, this.address, session);
      if (!taken) return true;
      const closed = new Promise((resolve) => { taken.once('disconnected', resolve); });
      taken.close();
      await within(closed, 'the end of the session');
      return false;
    }, 'the session has expired');
  }

  // Which session owns a node, and which transaction created it; null where there is none.
  async creation(node) {
    const stat = await this.ask('exists', node);
    return stat && { owner: stat.ephemeralOwner.toString('hex'), transaction: stat.czxid.toString('hex') };
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

  // Writes a rule's document of the configuration centre, there already or not.
  async setDocument(key, text) {
    const node = `/dubbo/config/dubbo/${key}`;
    await this.ask('mkdirp', node);
    await this.ask('setData', node, Buffer.from(text), -1);
  }

  removeDocument(key) { return this.remove(`/dubbo/config/dubbo/${key}`); }

  // Writes a rule as Dubbo 2.6 does, `url`, in the `category` ("configurators", "routers") of an interface.
  async addRuleUrl(name, category, url) {
    const node = `/dubbo/${name}/${category}/${encodeURIComponent(url)}`;
    await this.ask('mkdirp', node);
    return node;
  }
}

async function startZooKeeper(stage, { host = '127.0.0.1', port: fixedPort, jvm = TEST_JVM } = {}) {
  const folder = stage.folder();
  const port = fixedPort || await freePort();
  const config = path.join(folder, 'zoo.cfg');
  fs.writeFileSync(config, [...SETTINGS, `dataDir=${folder}/data`, `clientPortAddress=${host}`, `clientPort=${port}`, ''].join('\n'));
  const server = { host, port, config, jvm };
  const zookeeper = new ZooKeeper(await startServer(stage, server), server);
  await zookeeper.connect(stage);
  return zookeeper;
}

// Servers that elect a leader among them; `address` and `registry` name all. The client is connected when a test asks for it, since it
// does not always survive what is done to the servers.
class Ensemble extends ZooKeeper {
  constructor(members) {
    super(undefined, members[0].server);
    this.members = members;
    this.address = members.map((member) => member.address).join(',');
    this.registry = `zookeeper://${this.address}`;
  }
}

const ROUNDS = ['initLimit=20', 'syncLimit=10', 'cnxTimeout=1']; // ticks, ticks, seconds

async function startEnsemble(stage, size) {
  const servers = [];
  for (let id = 1; id <= size; id += 1) {
    servers.push({ id, host: '127.0.0.1', port: await freePort(), folder: stage.folder(), peerPorts: `${await freePort()}:${await freePort()}` });
  }
  const peers = servers.map(({ id, host, peerPorts }) => `server.${id}=${host}:${peerPorts}`);
  const members = await Promise.all(servers.map(async ({ id, host, port, folder }) => {
    const config = path.join(folder, 'zoo.cfg');
    fs.mkdirSync(path.join(folder, 'data'));
    fs.writeFileSync(path.join(folder, 'data', 'myid'), String(id));
    fs.writeFileSync(config, [...SETTINGS, ...ROUNDS, ...peers, `dataDir=${folder}/data`, `clientPortAddress=${host}`, `clientPort=${port}`, ''].join('\n'));
    const server = { host, port, config, jvm: TEST_JVM };
    return new ZooKeeper(await startServer(stage, server), server);
  }));
  return new Ensemble(members);
}

module.exports = { savedSession, startEnsemble, startZooKeeper };
