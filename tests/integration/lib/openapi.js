'use strict';
// As much of OpenAPI 3.0 as the agent's document uses: is the document well-formed, and does an answer fit its schema?

const METHODS = ['get', 'put', 'post', 'delete', 'head', 'patch', 'options', 'trace'];

// What each kind of object may hold, and must hold (*), by the specification. Extensions (x-...) are always allowed.
const OBJECTS = {
  document: 'openapi* info* paths* servers components tags security externalDocs',
  info: 'title* version* description license contact termsOfService',
  pathItem: 'summary description servers parameters get put post delete head patch options trace',
  operation: 'responses* operationId summary description tags parameters requestBody deprecated security servers externalDocs callbacks',
  parameter: 'name* in* description required schema* example examples style explode deprecated allowEmptyValue',
  requestBody: 'content* description required',
  response: 'description* headers content links',
  header: 'description required schema example deprecated',
  mediaType: 'schema example examples encoding',
  components: 'schemas responses parameters examples requestBodies headers securitySchemes links callbacks',
  schema: 'type format title description default example enum nullable properties required additionalProperties items allOf oneOf anyOf not '
    + 'minimum maximum minLength maxLength minItems maxItems uniqueItems pattern discriminator readOnly writeOnly deprecated minProperties maxProperties',
};
const TYPES = ['object', 'array', 'string', 'integer', 'number', 'boolean'];

// The object that "#/components/..." names.
function resolve(document, ref) {
  let target = document;
  for (const key of ref.replace(/^#\//, '').split('/')) target = target && target[key.replace(/~1/g, '/').replace(/~0/g, '~')];
  return target;
}

class DocumentChecker {
  constructor(document) { Object.assign(this, { document, problems: [], operationIds: new Set(), refs: new Set() }); }

  problem(where, text) { this.problems.push(`${where}: ${text}`); }

  // True where `value` is an object of this kind to look into; references are followed once.
  enter(kind, value, where) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      this.problem(where, `expected a ${kind} object`);
      return false;
    }
    if ('$ref' in value) {
      const target = resolve(this.document, value.$ref);
      if (target === undefined) this.problem(where, `${value.$ref} leads nowhere`);
      else if (!this.refs.has(value.$ref)) {
        this.refs.add(value.$ref);
        this[kind](target, value.$ref);
      }
      return false;
    }
    const names = OBJECTS[kind].split(' ');
    const allowed = names.map((name) => name.replace('*', ''));
    for (const name of names) if (name.endsWith('*') && !(name.slice(0, -1) in value)) this.problem(where, `${name.slice(0, -1)} is missing`);
    for (const key of Object.keys(value)) if (!allowed.includes(key) && !key.startsWith('x-')) this.problem(where, `a ${kind} has no ${key}`);
    return true;
  }

  each(kind, map, where) { for (const [key, value] of Object.entries(map || {})) this[kind](value, `${where}/${key}`); }

  check() {
    if (!this.enter('document', this.document, '#')) return this.problems;
    if (!/^3\.0\.\d+$/.test(this.document.openapi)) this.problem('#', `openapi is ${this.document.openapi}`);
    this.enter('info', this.document.info, '#/info');
    for (const [path, item] of Object.entries(this.document.paths)) this.pathItem(item, path);
    const components = this.document.components || {};
    this.enter('components', components, '#/components');
    this.each('schema', components.schemas, '#/components/schemas');
    this.each('response', components.responses, '#/components/responses');
    this.each('parameter', components.parameters, '#/components/parameters');
    this.each('requestBody', components.requestBodies, '#/components/requestBodies');
    return this.problems;
  }

  pathItem(item, path) {
    if (!path.startsWith('/')) this.problem(path, 'a path begins with /');
    if (!this.enter('pathItem', item, path)) return;
    for (const method of METHODS) if (method in item) this.operation(item[method], `${method.toUpperCase()} ${path}`, path, item.parameters || []);
  }

  operation(operation, where, path, shared) {
    if (!this.enter('operation', operation, where)) return;
    if (operation.operationId && this.operationIds.has(operation.operationId)) this.problem(where, `operationId ${operation.operationId} is used twice`);
    this.operationIds.add(operation.operationId);
    const parameters = [...shared, ...(operation.parameters || [])];
    for (const parameter of parameters) this.parameter(parameter, where);
    const named = parameters.map((parameter) => (parameter.$ref ? resolve(this.document, parameter.$ref) : parameter) || {}).filter((one) => one.in === 'path');
    const inPath = [...path.matchAll(/\{([^}]+)\}/g)].map((match) => match[1]);
    if (named.map((one) => one.name).sort().join() !== inPath.sort().join()) this.problem(where, 'the path and its parameters differ');
    for (const one of named) if (one.required !== true) this.problem(where, `path parameter ${one.name} must be required`);
    if (operation.requestBody) this.requestBody(operation.requestBody, where);
    if (Object.keys(operation.responses || {}).length === 0) this.problem(where, 'no responses');
    for (const [status, response] of Object.entries(operation.responses || {})) {
      if (!/^([1-5]\d\d|[1-5]XX|default)$/.test(status)) this.problem(where, `"${status}" is no status`);
      this.response(response, `${where} ${status}`);
    }
  }

  parameter(parameter, where) {
    if (!this.enter('parameter', parameter, where)) return;
    if (!['path', 'query', 'header', 'cookie'].includes(parameter.in)) this.problem(where, `a parameter is not in ${parameter.in}`);
    this.schema(parameter.schema, `${where} ${parameter.name}`);
  }

  requestBody(body, where) { if (this.enter('requestBody', body, where)) this.content(body.content, where); }

  response(response, where) {
    if (!this.enter('response', response, where)) return;
    for (const [name, header] of Object.entries(response.headers || {})) this.header(header, `${where} ${name}`);
    this.content(response.content, where);
  }

  header(header, where) { if (this.enter('header', header, where) && header.schema) this.schema(header.schema, where); }

  content(content, where) {
    for (const [type, media] of Object.entries(content || {})) {
      if (!/^[\w.+-]+\/[\w.+*-]+/.test(type)) this.problem(where, `"${type}" is no media type`);
      this.mediaType(media, `${where} ${type}`);
    }
  }

  mediaType(media, where) {
    if (!this.enter('mediaType', media, where) || !media.schema) return;
    this.schema(media.schema, where);
    if ('example' in media) for (const problem of checkValue(this.document, media.schema, media.example)) this.problem(`${where} example`, problem);
  }

  schema(schema, where) {
    if (!this.enter('schema', schema, where)) return;
    if (schema.type !== undefined && !TYPES.includes(schema.type)) this.problem(where, `type ${schema.type}`);
    if (schema.type === 'array' && !schema.items) this.problem(where, 'an array without items');
    if (schema.required !== undefined && !(Array.isArray(schema.required) && schema.required.length > 0)) this.problem(where, 'required is a list of names');
    for (const name of Array.isArray(schema.required) ? schema.required : []) {
      if (schema.properties && !(name in schema.properties)) this.problem(where, `required property ${name} is not described`);
    }
    this.each('schema', schema.properties, where);
    if (schema.items) this.schema(schema.items, `${where}[]`);
    if (typeof schema.additionalProperties === 'object') this.schema(schema.additionalProperties, `${where}.*`);
    for (const list of [schema.allOf, schema.oneOf, schema.anyOf]) for (const one of list || []) this.schema(one, where);
    if ('example' in schema) for (const problem of checkValue(this.document, schema, schema.example)) this.problem(`${where} example`, problem);
  }
}

function typeOf(value) {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (Number.isInteger(value)) return 'integer';
  return typeof value;
}

function checkScalar(schema, value, where) {
  const problems = [];
  if (schema.enum && !schema.enum.includes(value)) problems.push(`${where} is ${JSON.stringify(value)}, not one of ${schema.enum}`);
  if (typeof value === 'number' && (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))) problems.push(`${where} is ${value}`);
  if (typeof value === 'string' && schema.pattern && !new RegExp(schema.pattern).test(value)) problems.push(`${where} is "${value}"`);
  return problems;
}

// What is wrong with `value` by `schema`; empty where it fits. Stricter than OpenAPI: a schema that describes properties
// describes them all, but where it `isPart` of an allOf.
function checkValue(document, schema, value, where = 'the body', isPart = false) {
  if (schema.$ref) return checkValue(document, resolve(document, schema.$ref), value, where, isPart);
  if (value === null && schema.nullable) return [];
  const of = (part, item, name) => checkValue(document, part, item, name);
  for (const list of [schema.oneOf, schema.anyOf]) {
    if (list && !list.some((part) => of(part, value, where).length === 0)) return [`${where} fits none of the alternatives`];
  }
  const problems = (schema.allOf || []).flatMap((part) => checkValue(document, part, value, where, true));
  const type = typeOf(value);
  if (schema.type && schema.type !== type && !(schema.type === 'number' && type === 'integer')) return [`${where} is ${type}, expected ${schema.type}`];
  problems.push(...checkScalar(schema, value, where));
  if (type === 'array' && schema.items) value.forEach((item, i) => problems.push(...of(schema.items, item, `${where}[${i}]`)));
  if (type === 'object') {
    for (const name of schema.required || []) if (!(name in value)) problems.push(`${where}.${name} is missing`);
    for (const [name, item] of Object.entries(value)) {
      const part = (schema.properties || {})[name] || schema.additionalProperties;
      if (part === false || (part === undefined && schema.properties && !isPart)) problems.push(`${where}.${name} is not described`);
      else if (typeof part === 'object') problems.push(...of(part, item, `${where}.${name}`));
    }
  }
  return problems;
}

const checkDocument = (document) => new DocumentChecker(document).check();

// "/services/{interface}" for "/services/com.example.Some?wait=1s"; undefined where the document has no such path.
function pathOf(document, target) {
  const [pathname] = target.split('?');
  if (pathname in document.paths) return pathname;
  return Object.keys(document.paths).find((path) => new RegExp(`^${path.replace(/[.]/g, '\\.').replace(/\{[^}]+\}/g, '[^/]+')}$`).test(pathname));
}

// What of an answer { status, type, body } the document does not say. A path or a method that it does not name says nothing about its answers.
function checkAnswer(document, method, target, { status, type, body }) {
  const operation = (document.paths[pathOf(document, target)] || {})[method.toLowerCase()];
  if (!operation) return [];
  const where = `${method} ${target} ${status}`;
  let response = operation.responses[status] || operation.responses.default;
  if (response && response.$ref) response = resolve(document, response.$ref);
  if (!response) return [`${where}: the document does not know this status`];
  const media = (response.content || {})[type];
  if (!media) return [`${where}: the document does not know ${type} here`];
  return body !== undefined && media.schema ? checkValue(document, media.schema, body).map((problem) => `${where}: ${problem}`) : [];
}

module.exports = { checkAnswer, checkDocument, pathOf };
