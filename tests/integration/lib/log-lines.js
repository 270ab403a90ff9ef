'use strict';
// The lines that the agent logs as warnings or errors, found in its source.

const fs = require('node:fs');
const path = require('node:path');

const ROOT = path.join(__dirname, '../../..');
const ROOMS = ['agent', 'dubbo', 'forwarder', 'governance', 'registry'];
// spdlog::warn(...), context_.log.warn(...), log_.warn(...), logs_[i].warn(...)
const CALL = /(?:\bspdlog::(?:warn|error|critical)|\blogs?_?(?:\[[^\]]*\])?\.warn)\(/g;
const LITERAL = /"((?:[^"\\]|\\.)*)"/g;
const SHORTEST = 12; // what is shorter says nothing of its own

// Up to the bracket that closes the call.
function argumentsAt(text, begin) {
  let depth = 1;
  let inString = false;
  for (let i = begin; i < text.length; i++) {
    if (inString) {
      if (text[i] === '\\') i++;
      else if (text[i] === '"') inString = false;
    } else if (text[i] === '"') inString = true;
    else if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return text.slice(begin, i);
  }
  return text.slice(begin);
}

// The longest of the texts that stand in every such line, between what is put in; of both where one or the other is logged.
function fixedTexts(call) {
  const longest = (texts) => texts.reduce((one, other) => (other.length > one.length ? other : one), '');
  const branches = call.includes('?') ? call.split(/ [?:] /) : [call];
  return branches.map((branch) => longest([...branch.replace(/"\s+"/g, '').matchAll(LITERAL)].flatMap(([, literal]) => literal.split('{}'))).trim())
    .filter((text) => text.length >= SHORTEST);
}

// { text, where }: `text` stands in every line of the kind. Calls that pass a sentence on have none.
function loggedTexts() {
  const found = [];
  for (const room of ROOMS) {
    for (const name of fs.readdirSync(path.join(ROOT, room), { recursive: true }).filter((one) => /\.(cpp|h)$/.test(one))) {
      const source = fs.readFileSync(path.join(ROOT, room, name), 'utf8').replace(/^[ \t]*\/\/.*$/gm, '');
      for (const call of source.matchAll(CALL)) {
        const line = source.slice(0, call.index).split('\n').length;
        for (const text of fixedTexts(argumentsAt(source, call.index + call[0].length))) found.push({ text, where: `${room}/${name}:${line}` });
      }
    }
  }
  return found;
}

module.exports = { fixedTexts, loggedTexts };
