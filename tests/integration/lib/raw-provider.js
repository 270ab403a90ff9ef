'use strict';
// A provider that does as the test says: answers by rule, late, twice, with a wrong id, or not at all.

const net = require('node:net');
const frames = require('./frames');

// One request as a rule sees it. What is decoded is decoded when asked for: bodies may be of any serialization.
class ProviderCall {
  constructor(frame, socket) { Object.assign(this, { frame, socket, id: frame.id }); }

  get request() {
    if (!this.decoded) this.decoded = frames.readRequest(this.frame);
    return this.decoded;
  }

  get method() { return this.request.method; }

  get args() { return this.request.args; }

  get attachments() { return this.request.attachments; }

  send(bytes) { if (!this.socket.destroyed) this.socket.write(bytes); }

  value(value) { if (this.frame.isTwoWay) this.send(frames.response(this.id, value)); }

  error(status, text) { if (this.frame.isTwoWay) this.send(frames.errorResponse(this.id, status, text)); }

  // Takes the request's own body for the answer: enough to see that an answer in that serialization arrives.
  echoBody() { this.send(frames.build({ flags: this.frame.serialization, status: 20, id: this.id, body: this.frame.body })); }
}

const answerWithArgument = (call) => call.value(call.args.length > 0 ? call.args[0] : null);

class RawProvider {
  // `rule(call)` is asked for every request; change `provider.rule` at any time.
  static async start(stage, rule = answerWithArgument, host = '127.0.0.1') {
    const provider = new RawProvider(rule);
    await provider.listen(0, host);
    stage.atEnd(() => provider.stop());
    return provider;
  }

  constructor(rule) {
    Object.assign(this, { rule, calls: [], events: [], sockets: new Set(), connections: 0 });
    this.server = net.createServer({ noDelay: true }, (socket) => this.onConnection(socket));
  }

  // Again, after stop().
  async listen(port, host = '127.0.0.1') {
    await new Promise((resolve, reject) => { this.server.once('error', reject); this.server.listen(port, host, resolve); });
    this.port = this.server.address().port;
  }

  onConnection(socket) {
    this.connections++;
    this.sockets.add(socket);
    socket.on('close', () => this.sockets.delete(socket));
    socket.on('error', () => {});
    frames.onFrames(socket, (frame) => this.onFrame(frame, socket));
  }

  onFrame(frame, socket) {
    if (frame.isEvent) {
      this.events.push(frame);
      if (frame.isTwoWay) socket.write(frames.build({ flags: 0x20 | frame.serialization, status: 20, id: frame.id, body: frame.body }));
      return;
    }
    if (!frame.isRequest) return; // a consumer's answer to a callback
    const call = new ProviderCall(frame, socket);
    this.calls.push(call);
    this.rule(call);
  }

  broadcast(bytes) { for (const socket of this.sockets) socket.write(bytes); }

  disconnectAll() { for (const socket of this.sockets) socket.destroy(); }

  // Connections are refused from now on; those that stand end.
  stop() {
    this.disconnectAll();
    return new Promise((resolve) => { this.server.close(() => resolve()); });
  }
}

module.exports = { RawProvider };
