'use strict';
// A stock Dubbo provider that knows nothing of registries: it listens, and whoever started it publishes it with curl.
//   node provider.js [port] [name]        port 0, or none: any free one

const { RpcServer } = require('sofa-rpc-node').server;
const protocol = require('dubbo-remoting');

const port = Number(process.argv[2] || 20880);
const name = process.argv[3] || 'example provider';
const quiet = { info() {}, warn() {}, debug() {}, log() {}, error: console.error };

// Loopback is enough: other machines come through the agent.
class LoopbackServer extends RpcServer {
  get listenPorts() { return [{ port, host: '127.0.0.1' }]; }
}

const server = new LoopbackServer({ logger: quiet, protocol, port });
server.addService({ interfaceName: 'com.example.DemoService', version: '1.0.0', group: '' }, {
  async sayHello(who) { return `Hello, ${who}! This is ${name}.`; },
});
server.start().then(() => {
  console.log(`provider listens on 127.0.0.1:${server._servers[0].address().port}`);
}, (error) => {
  console.error(`provider cannot listen on port ${port}: ${error.message}`);
  process.exit(1);
});
