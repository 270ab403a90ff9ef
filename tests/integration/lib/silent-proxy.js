'use strict';
// A network between a client and a server that can become a black hole: connections stand, or can even be made, and no byte arrives.

const net = require('node:net');

class SilentProxy {
  static async start(stage, { host, port }) {
    const proxy = new SilentProxy();
    proxy.server = net.createServer((client) => proxy.onClient(client, net.connect(port, host)));
    await new Promise((resolve, reject) => { proxy.server.once('error', reject); proxy.server.listen(0, '127.0.0.1', resolve); });
    proxy.registry = `zookeeper://127.0.0.1:${proxy.server.address().port}`;
    stage.atEnd(() => proxy.stop());
    return proxy;
  }

  constructor() { Object.assign(this, { isSilent: false, swallowed: 0, sockets: new Set() }); }

  onClient(client, upstream) {
    for (const [from, to] of [[client, upstream], [upstream, client]]) {
      this.sockets.add(from);
      from.on('error', () => {});
      from.on('close', () => { this.sockets.delete(from); if (!this.isSilent) to.destroy(); });
      from.on('data', (data) => {
        if (this.isSilent) this.swallowed += data.length;
        else to.write(data);
      });
    }
  }

  // The network is back. Connections have lost bytes: their ends find out, and make new ones.
  heal() {
    this.isSilent = false;
    for (const socket of this.sockets) socket.destroy();
  }

  stop() {
    this.heal();
    return new Promise((resolve) => { this.server.close(() => resolve()); });
  }
}

module.exports = { SilentProxy };
