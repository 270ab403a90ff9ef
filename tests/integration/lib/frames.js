'use strict';
// Dubbo frames: built, split, read. Recorded ones are those of tests/frames.

const fs = require('node:fs');
const path = require('node:path');
const hessian = require('./hessian');

const HEADER = 16;
const HESSIAN2 = 2;
const JAVA = 3;
const COMPACTED_JAVA = 4;
const FASTJSON = 6;
const FASTJSON2 = 23;
const MAX_ID = (1n << 64n) - 1n;

const RECORDED = path.join(__dirname, '../../frames');

function build({ flags, status = 0, id, body = Buffer.alloc(0), size = body.length }) {
  const header = Buffer.alloc(HEADER);
  header.writeUInt16BE(0xdabb, 0);
  header[2] = flags;
  header[3] = status;
  header.writeBigUInt64BE(BigInt.asUintN(64, BigInt(id)), 4);
  header.writeUInt32BE(size, 12);
  return Buffer.concat([header, body]);
}

const DESCRIPTORS = { string: 'Ljava/lang/String;', number: 'I', bigint: 'J', boolean: 'Z' };

function descriptorOf(value) {
  if (Buffer.isBuffer(value)) return '[B';
  if (Array.isArray(value)) return 'Ljava/util/List;';
  return DESCRIPTORS[typeof value] || 'Ljava/util/Map;';
}

// A hessian2 request.
function request({ id, service, version = '0.0.0', method = 'echo', args = [], types, attachments = {}, twoWay = true }) {
  const descriptor = types === undefined ? args.map(descriptorOf).join('') : types;
  const values = ['2.0.2', service, version, method, descriptor, ...args, { path: service, interface: service, ...attachments }];
  return build({ flags: (twoWay ? 0xc0 : 0x80) | HESSIAN2, id, body: Buffer.concat(values.map(hessian.encode)) });
}

// A hessian2 answer with a value.
function response(id, value) {
  const body = value === null ? [hessian.encode(2)] : [hessian.encode(1), hessian.encode(value)];
  return build({ flags: HESSIAN2, status: 20, id, body: Buffer.concat(body) });
}

const errorResponse = (id, status, text) => build({ flags: HESSIAN2, status, id, body: hessian.encode(text) });

const heartbeat = (id) => build({ flags: 0xe0 | HESSIAN2, id, body: Buffer.from('N') });
const readonly = () => build({ flags: 0xa0 | HESSIAN2, id: 0, body: Buffer.from([0x01, 0x52]) });
const writeable = () => build({ flags: 0xa0 | HESSIAN2, id: 0, body: Buffer.from([0x01, 0x57]) });

// A recorded frame with another id, and with texts replaced by others of the same length.
function recorded(file, { id, replace = {} } = {}) {
  const bytes = fs.readFileSync(path.join(RECORDED, `${file}.bin`));
  for (const [from, to] of Object.entries(replace)) {
    if (from.length !== to.length) throw new Error(`"${from}" and "${to}" differ in length`);
    for (let at = bytes.indexOf(from); at >= 0; at = bytes.indexOf(from, at + to.length)) bytes.write(to, at, 'latin1');
  }
  if (id !== undefined) bytes.writeBigUInt64BE(BigInt.asUintN(64, BigInt(id)), 4);
  return bytes;
}

const recordedList = () => JSON.parse(fs.readFileSync(path.join(RECORDED, 'frames.json'), 'utf8'));

function parse(bytes) {
  const flags = bytes[2];
  return {
    bytes, flags, status: bytes[3], id: bytes.readBigUInt64BE(4), body: bytes.subarray(HEADER), serialization: flags & 0x1f,
    isRequest: (flags & 0x80) !== 0, isTwoWay: (flags & 0x40) !== 0, isEvent: (flags & 0x20) !== 0,
  };
}

// Calls deliver(frame) for every whole frame of a socket's bytes.
function onFrames(socket, deliver) {
  let chunks = [];
  let size = 0;
  let wanted = HEADER;
  socket.on('data', (data) => {
    chunks.push(data);
    size += data.length;
    if (size < wanted) return; // a large frame's pieces are joined once
    let rest = Buffer.concat(chunks);
    for (;;) {
      wanted = rest.length < HEADER ? HEADER : HEADER + rest.readUInt32BE(12);
      if (rest.length < wanted) break;
      deliver(parse(rest.subarray(0, wanted)));
      rest = rest.subarray(wanted);
    }
    chunks = [rest];
    size = rest.length;
  });
}

// How many types a JVM descriptor names.
const countTypes = (descriptor) => (descriptor.match(/\[*(L[^;]*;|[BCDFIJSZV])/g) || []).length;

// What a hessian2 request says.
function readRequest(frame) {
  const decoder = new hessian.Decoder(frame.body);
  const [dubbo, service, version, method, types] = Array.from({ length: 5 }, () => decoder.value());
  const args = Array.from({ length: countTypes(types) }, () => decoder.value());
  return { dubbo, service, version, method, types, args, attachments: decoder.value() || {} };
}

// JSONB: a short ASCII string, or a longer one or one in UTF-8 with its length before it.
function readJsonbString(bytes) {
  const [tag] = bytes;
  if (tag >= 0x49 && tag <= 0x78) return bytes.subarray(1, 1 + tag - 0x49).toString('latin1');
  if (tag !== 0x79 && tag !== 0x7a) throw new Error(`JSONB: 0x${tag.toString(16)} begins no string`);
  const [first] = bytes.subarray(1);
  let length;
  let at;
  if (first <= 0x2f) [length, at] = [first, 2];
  else if (first >= 0x30 && first <= 0x3f) [length, at] = [(first - 0x38) * 0x100 + bytes[2], 3];
  else if (first >= 0x40 && first <= 0x47) [length, at] = [(first - 0x44) * 0x10000 + bytes.readUInt16BE(2), 4];
  else [length, at] = [bytes.readUInt32BE(2), 6];
  if (bytes.length !== at + length) throw new Error(`JSONB: ${bytes.length} bytes for a string of ${length}`);
  return bytes.subarray(at).toString('utf8');
}

// Java's object stream: one block of data with the string in it.
function readJavaString(bytes) {
  if (bytes.readUInt32BE(0) !== 0xaced0005) throw new Error('java: no object stream');
  const block = bytes[4] === 0x77 ? bytes.subarray(6, 6 + bytes[5]) : bytes.subarray(9, 9 + bytes.readUInt32BE(5));
  const text = block.subarray(6, 6 + block.readUInt16BE(4)).toString('utf8');
  if (text.length !== block.readUInt32BE(0)) throw new Error('java: the lengths of the string differ');
  return text;
}

// The message of an answer whose status is not 20, by the answer's serialization.
function readMessage(frame) {
  switch (frame.serialization) {
    case HESSIAN2: return new hessian.Decoder(frame.body).value();
    case FASTJSON2: {
      if (frame.body.readUInt32BE(0) !== frame.body.length - 4) throw new Error('fastjson2: wrong length');
      return readJsonbString(frame.body.subarray(4));
    }
    case FASTJSON: return JSON.parse(frame.body.toString('utf8'));
    case JAVA: case COMPACTED_JAVA: return readJavaString(frame.body);
    default: throw new Error(`serialization ${frame.serialization} is not read here`);
  }
}

// A hessian2 answer: { status, value } or { status, exception } or { status, message }.
function readResponse(frame) {
  if (frame.status !== 20) return { status: frame.status, message: readMessage(frame) };
  const decoder = new hessian.Decoder(frame.body);
  const type = decoder.value();
  if (type === 2 || type === 5) return { status: 20, value: null };
  const value = decoder.value();
  return type === 0 || type === 3 ? { status: 20, exception: value } : { status: 20, value };
}

module.exports = {
  COMPACTED_JAVA, FASTJSON, FASTJSON2, HEADER, HESSIAN2, JAVA, MAX_ID,
  build, errorResponse, heartbeat, onFrames, parse, readMessage, readRequest, readResponse, readonly, recorded, recordedList, request,
  response, writeable,
};
