'use strict';
// Requests whose argument is a token of their own and filler, in four serializations, and the answers that belong to them.
//
// The provider sends the argument back as it came, encoded; it finds it by the token, which is the same in every serialization:
//
//   token=NNNNNNNNNNNN-BB-SSSSSSSS      N: the request's number; B: encoded bytes before the token; S: encoded bytes of the argument

const frames = require('../integration/lib/frames');
const hessian = require('../integration/lib/hessian');

const MARK = 'token=';
const NUMBER_DIGITS = 12;
const TOKEN_LENGTH = MARK.length + NUMBER_DIGITS + '-BB-SSSSSSSS'.length;
const STRING_TYPE = 'Ljava/lang/String;';
const MEBIBYTE = 1024 * 1024;

// Printable, and different from place to place, so that bytes of two requests cannot be taken for each other.
const FILLER = (() => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';
  const bytes = Buffer.alloc(MEBIBYTE + 4096);
  for (let i = 0, state = 1; i < bytes.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    bytes[i] = letters.charCodeAt(state >>> 26);
  }
  return bytes.toString('latin1');
})();

const hex = (value, digits) => value.toString(16).padStart(digits, '0');

// --- serializations: `value(text)` encodes an argument, `message(text)` the body of an error; `body(head, argument, attachments)` puts a
// request together; `answerType` stands before the value of an answer.

function sized(bytes) {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return Buffer.concat([length, bytes]);
}

function jsonbString(text) {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length <= 0x2f) return Buffer.concat([Buffer.from([0x49 + bytes.length]), bytes]);
  const length = Buffer.from([0x79, 0x48, 0, 0, 0, 0]);
  length.writeUInt32BE(bytes.length, 2);
  return Buffer.concat([length, bytes]);
}

const jsonbMap = (map) => Buffer.concat([Buffer.from([0xa6]), ...Object.entries(map).flat().map(jsonbString), Buffer.from([0xa5])]);

const JAVA_STREAM = Buffer.from([0xac, 0xed, 0, 5]);

// Dubbo writes a string's length before Java's own form of it.
function javaText(text) {
  const lengths = Buffer.alloc(6);
  lengths.writeUInt32BE(text.length, 0);
  lengths.writeUInt16BE(text.length, 4);
  return Buffer.concat([lengths, Buffer.from(text, 'latin1')]);
}

function javaStringObject(text) {
  const bytes = Buffer.from(text, 'latin1');
  const short = Buffer.from([0x74, bytes.length >> 8, bytes.length & 0xff]);
  if (bytes.length <= 0xffff) return Buffer.concat([short, bytes]);
  const long = Buffer.alloc(9, 0x7c);
  long.writeBigUInt64BE(BigInt(bytes.length), 1);
  return Buffer.concat([long, bytes]);
}

// Block data is at most 255 bytes long in its short form.
const javaBlock = (bytes) => Buffer.concat([Buffer.from([0x77, bytes.length]), bytes]);

const SERIALIZATIONS = {
  [frames.HESSIAN2]: {
    answerType: Buffer.from([0x91]),
    value: hessian.encode,
    message: hessian.encode,
    body: (head, argument, attachments) => Buffer.concat([...head.map(hessian.encode), argument, hessian.encode(attachments)]),
  },
  [frames.FASTJSON2]: {
    answerType: Buffer.from([0, 0, 0, 1, 1]),
    value: (text) => sized(jsonbString(text)),
    message: (text) => sized(jsonbString(text)),
    body: (head, argument, attachments) => Buffer.concat([...head.map((text) => sized(jsonbString(text))), argument, sized(jsonbMap(attachments))]),
  },
  [frames.FASTJSON]: {
    answerType: Buffer.from('1\n'),
    value: (text) => Buffer.from(`${JSON.stringify(text)}\n`, 'latin1'),
    message: (text) => Buffer.from(`${JSON.stringify(text)}\n`, 'latin1'),
    body: (head, argument, attachments) => Buffer.concat([
      Buffer.from(head.map((text) => `${JSON.stringify(text)}\n`).join(''), 'latin1'), argument, Buffer.from(`${JSON.stringify(attachments)}\n`)]),
  },
  // The agent does not read attachments of this one; they are null here.
  [frames.JAVA]: {
    answerType: Buffer.concat([JAVA_STREAM, Buffer.from([0x77, 2, 1, 1])]),
    value: javaStringObject,
    message: (text) => Buffer.concat([JAVA_STREAM, javaBlock(javaText(text))]),
    body: (head, argument) => Buffer.concat([
      JAVA_STREAM, javaBlock(Buffer.concat([...head.map(javaText), Buffer.from([1])])), argument, javaBlock(Buffer.from([0]))]),
  },
};

// --- requests

// A request but for its id and its number; made once for each kind.
function makeTemplate({ service, serialization, size, timeoutMs }) {
  const { value, body } = SERIALIZATIONS[serialization];
  const filler = FILLER.slice(size % 4093, (size % 4093) + size);
  const encode = (before, whole) => value(`${MARK}${'0'.repeat(NUMBER_DIGITS)}-${hex(before, 2)}-${hex(whole, 8)}${filler}`);
  const draft = encode(0, 0);
  const argument = encode(draft.indexOf(MARK), draft.length);
  const head = ['2.0.2', service, '0.0.0', 'echo', STRING_TYPE];
  const attachments = { path: service, interface: service, timeout: String(timeoutMs) };
  const bytes = frames.build({ flags: 0xc0 | serialization, id: 0, body: body(head, argument, attachments) });
  const numberAt = argument.indexOf(MARK) + MARK.length;
  return { service, serialization, size, timeoutMs, bytes, argument, numberAt, numberAtInFrame: bytes.indexOf(MARK) + MARK.length };
}

const templates = new Map();

function template(spec) {
  const key = `${spec.service} ${spec.serialization} ${spec.size} ${spec.timeoutMs}`;
  if (!templates.has(key)) templates.set(key, makeTemplate(spec));
  return templates.get(key);
}

function request(from, { id, number, isTwoWay }) {
  const bytes = Buffer.from(from.bytes);
  if (!isTwoWay) bytes[2] &= ~0x40;
  bytes.writeBigUInt64BE(id, 4);
  bytes.write(hex(number, NUMBER_DIGITS), from.numberAtInFrame, 'latin1');
  return bytes;
}

// --- answers

// The answer that a provider gives: what came is sent back.
function answer(frame) {
  const { body, serialization } = frame;
  const at = body.indexOf(MARK);
  const token = body.toString('latin1', at, at + TOKEN_LENGTH);
  const begin = at - parseInt(token.slice(MARK.length + NUMBER_DIGITS + 1), 16);
  const size = parseInt(token.slice(-8), 16);
  const value = body.subarray(begin, begin + size);
  return frames.build({ flags: serialization, status: 20, id: frame.id, body: Buffer.concat([SERIALIZATIONS[serialization].answerType, value]) });
}

const errorAnswer = ({ id, serialization }, status, text) => (
  frames.build({ flags: serialization, status, id, body: SERIALIZATIONS[serialization].message(text) }));

// What is wrong with an answer of status 20 to request `number`; undefined where nothing is.
function problemOf(frame, from, number) {
  const { answerType } = SERIALIZATIONS[from.serialization];
  const { body } = frame;
  const { argument } = from;
  const numberAt = answerType.length + from.numberAt;
  const came = body.toString('latin1', numberAt, numberAt + NUMBER_DIGITS);
  const size = answerType.length + argument.length;
  if (body.length !== size) return `its body has ${body.length} bytes instead of ${size}; number ${came}`;
  if (came !== hex(number, NUMBER_DIGITS)) return `it belongs to request ${parseInt(came, 16)}`;
  const behind = numberAt + NUMBER_DIGITS;
  const isWhole = body.compare(argument, 0, from.numberAt, answerType.length, numberAt) === 0
    && body.compare(argument, from.numberAt + NUMBER_DIGITS, argument.length, behind) === 0 && body.indexOf(answerType) === 0;
  return isWhole ? undefined : 'its bytes are not those that were sent';
}

module.exports = { MEBIBYTE, answer, errorAnswer, problemOf, request, template };
