'use strict';
// As much hessian2 as the tests need: written as Java writes it, read in all its forms.

function bytesOf(text) {
  // Like Java: each UTF-16 unit by itself, so that a supplementary character is two sequences of three bytes.
  const bytes = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit < 0x80) bytes.push(unit);
    else if (unit < 0x800) bytes.push(0xc0 | (unit >> 6), 0x80 | (unit & 0x3f));
    else bytes.push(0xe0 | (unit >> 12), 0x80 | ((unit >> 6) & 0x3f), 0x80 | (unit & 0x3f));
  }
  return Buffer.from(bytes);
}

const CHUNK = 0x8000;

function chunked(length, partial, final, bytesBetween) {
  const parts = [];
  let at = 0;
  for (; length - at > CHUNK; at += CHUNK) parts.push(Buffer.from([partial, CHUNK >> 8, CHUNK & 0xff]), bytesBetween(at, at + CHUNK));
  parts.push(Buffer.from([final, (length - at) >> 8, (length - at) & 0xff]), bytesBetween(at, length));
  return Buffer.concat(parts);
}

function encodeString(text) {
  if (text.length < 32) return Buffer.concat([Buffer.from([text.length]), bytesOf(text)]);
  return chunked(text.length, 0x52, 0x53, (from, to) => bytesOf(text.slice(from, to)));
}

function encodeNumber(value) {
  if (typeof value === 'bigint') {
    const bytes = Buffer.alloc(9, 'L');
    bytes.writeBigInt64BE(value, 1);
    return bytes;
  }
  if (Number.isInteger(value)) {
    const bytes = Buffer.alloc(5, 'I');
    bytes.writeInt32BE(value, 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9, 'D');
  bytes.writeDoubleBE(value, 1);
  return bytes;
}

// null, booleans, numbers (integers as int), bigints (as long), strings, Buffers, arrays, objects (as maps).
function encode(value) {
  if (value === null) return Buffer.from('N');
  if (typeof value === 'boolean') return Buffer.from(value ? 'T' : 'F');
  if (typeof value === 'number' || typeof value === 'bigint') return encodeNumber(value);
  if (typeof value === 'string') return encodeString(value);
  if (Buffer.isBuffer(value)) return chunked(value.length, 0x41, 0x42, (from, to) => value.subarray(from, to));
  if (Array.isArray(value)) return Buffer.concat([Buffer.from('X'), encodeNumber(value.length), ...value.map(encode)]);
  const entries = Object.entries(value).flatMap(([key, item]) => [encode(key), encode(item)]);
  return Buffer.concat([Buffer.from('H'), ...entries, Buffer.from('Z')]);
}

// Reads one value after another from a body. Maps come as objects, objects with their class in $class.
class Decoder {
  constructor(bytes) {
    Object.assign(this, { bytes, at: 0, classes: [], types: [], references: [] });
  }

  byte() {
    if (this.at >= this.bytes.length) throw new Error('hessian2: the body is too short');
    return this.bytes[this.at++];
  }

  take(size) {
    if (this.at + size > this.bytes.length) throw new Error('hessian2: the body is too short');
    this.at += size;
    return this.bytes.subarray(this.at - size, this.at);
  }

  // `count` UTF-16 units; a four-byte sequence is two of them.
  units(count) {
    let text = '';
    while (text.length < count) {
      const first = this.byte();
      if (first < 0x80) text += String.fromCharCode(first);
      else if (first < 0xe0) text += String.fromCharCode(((first & 0x1f) << 6) | (this.byte() & 0x3f));
      else if (first < 0xf0) text += String.fromCharCode(((first & 0x0f) << 12) | ((this.byte() & 0x3f) << 6) | (this.byte() & 0x3f));
      else text += Buffer.concat([Buffer.from([first]), this.take(3)]).toString('utf8');
    }
    return text;
  }

  value() {
    const tag = this.byte();
    if (tag >= 0x80 && tag <= 0xbf) return tag - 0x90;
    if (tag >= 0xc0 && tag <= 0xcf) return (tag - 0xc8) * 0x100 + this.byte();
    if (tag >= 0xd0 && tag <= 0xd7) return (tag - 0xd4) * 0x10000 + this.take(2).readUInt16BE();
    if (tag >= 0xd8 && tag <= 0xef) return BigInt(tag - 0xe0);
    if (tag >= 0xf0) return BigInt((tag - 0xf8) * 0x100 + this.byte());
    if (tag >= 0x38 && tag <= 0x3f) return BigInt((tag - 0x3c) * 0x10000 + this.take(2).readUInt16BE());
    if (tag <= 0x1f) return this.units(tag);
    if (tag >= 0x20 && tag <= 0x2f) return Buffer.from(this.take(tag - 0x20));
    if (tag >= 0x30 && tag <= 0x33) return this.units((tag - 0x30) * 0x100 + this.byte());
    if (tag >= 0x34 && tag <= 0x37) return Buffer.from(this.take((tag - 0x34) * 0x100 + this.byte()));
    if (tag >= 0x60 && tag <= 0x6f) return this.object(tag - 0x60);
    if (tag >= 0x70 && tag <= 0x77) { this.type(); return this.list(tag - 0x70); }
    if (tag >= 0x78 && tag <= 0x7f) return this.list(tag - 0x78);
    return this.tagged(String.fromCharCode(tag), tag);
  }

  tagged(letter, tag) {
    switch (letter) {
      case 'N': return null;
      case 'T': return true;
      case 'F': return false;
      case 'I': return this.take(4).readInt32BE();
      case 'Y': return BigInt(this.take(4).readInt32BE());
      case 'L': return this.take(8).readBigInt64BE();
      case '[': return 0;
      case '\\': return 1;
      case ']': return this.take(1).readInt8();
      case '^': return this.take(2).readInt16BE();
      case '_': return this.take(4).readInt32BE() / 1000;
      case 'D': return this.take(8).readDoubleBE();
      case 'J': return new Date(Number(this.take(8).readBigInt64BE()));
      case 'K': return new Date(this.take(4).readInt32BE() * 60_000);
      case 'S': return this.units(this.take(2).readUInt16BE());
      case 'R': return this.units(this.take(2).readUInt16BE()) + this.value();
      case 'B': return Buffer.from(this.take(this.take(2).readUInt16BE()));
      case 'A': return Buffer.concat([this.take(this.take(2).readUInt16BE()), this.value()]);
      case 'U': this.type(); return this.list(Infinity);
      case 'W': return this.list(Infinity);
      case 'V': this.type(); return this.list(this.value());
      case 'X': return this.list(this.value());
      case 'M': this.type(); return this.map();
      case 'H': return this.map();
      case 'C': this.classes.push({ name: this.value(), fields: this.strings(this.value()) }); return this.value();
      case 'O': return this.object(this.value());
      case 'Q': return this.references[this.value()];
      default: throw new Error(`hessian2: unexpected byte 0x${tag.toString(16)} at ${this.at - 1}`);
    }
  }

  strings(count) { return Array.from({ length: count }, () => this.value()); }

  type() {
    const type = this.value();
    if (typeof type === 'string') this.types.push(type);
  }

  atEnd() {
    if (this.bytes[this.at] !== 0x5a) return false;
    this.at++;
    return true;
  }

  list(count) {
    const list = [];
    this.references.push(list);
    if (count === Infinity) while (!this.atEnd()) list.push(this.value());
    else for (let i = 0; i < count; i++) list.push(this.value());
    return list;
  }

  map() {
    const map = {};
    this.references.push(map);
    while (!this.atEnd()) {
      const key = this.value();
      map[key] = this.value();
    }
    return map;
  }

  object(index) {
    const { name, fields } = this.classes[index];
    const object = { $class: name };
    this.references.push(object);
    for (const field of fields) object[field] = this.value();
    return object;
  }
}

module.exports = { Decoder, encode };
