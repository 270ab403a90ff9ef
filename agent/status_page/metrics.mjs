// What the page reads from GET /metrics: Prometheus' text format, as much of it as is needed, and what is missing left out. Pure functions.

const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"/g;
const ESCAPES = { n: '\n', '\\': '\\', '"': '"' };
const unescape = (text) => text.replace(/\\(.)/g, (whole, c) => ESCAPES[c] ?? whole);

// [{ name, labels, value }] of the lines whose name is in `wanted` (a Set). Lines that cannot be read are left out.
export function parseMetrics(text, wanted) {
  const samples = [];
  for (const line of text.split('\n')) {
    const end = line.search(/[{ ]/);
    if (end <= 0 || line[0] === '#') continue;
    const name = line.slice(0, end);
    if (!wanted.has(name)) continue;
    const close = line[end] === '{' ? line.lastIndexOf('}') : end;
    const value = Number(line.slice(close + 1).trim().split(' ')[0].replace(/^\+?Inf$/, 'Infinity') || NaN);
    if (close < end || Number.isNaN(value)) continue;
    const labels = {};
    if (close > end) for (const [, key, text_] of line.slice(end, close).matchAll(LABEL)) labels[key] = unescape(text_);
    samples.push({ name, labels, value });
  }
  return samples;
}

const REQUESTS = 'skiff_requests_total';
const BUCKETS = 'skiff_request_duration_seconds_bucket';
const SINGLE = {
  skiff_outbound_requests_total: 'outboundRequests',
  skiff_outbound_in_flight: 'outboundInFlight',
  skiff_outbound_connections: 'consumers',
  skiff_upstream_connections: 'upstreams',
  skiff_inbound_requests_total: 'inboundRequests',
  skiff_inbound_errors_total: 'inboundErrors',
  skiff_inbound_in_flight: 'inboundInFlight',
};
const WANTED = new Set([REQUESTS, BUCKETS, ...Object.keys(SINGLE)]);
// Outcomes that are nobody's failure: a consumer that left (abandoned) may have had its reasons.
const NO_FAILURES = new Set(['ok', 'one_way', 'abandoned']);

const newMethod = () => ({ requests: 0, failures: 0 });
const newService = () => ({ requests: 0, failures: 0, methods: new Map(), buckets: new Map() });

function at(map, key, make) {
  if (!map.has(key)) map.set(key, make());
  return map.get(key);
}

// Cumulative: { services: Map of interface to { requests, failures, methods, buckets }, all: { outboundRequests, ... } }. `buckets` maps an
// upper bound in seconds to how many requests took at most that long; empty where the agent does not measure it. What was never
// called is left out.
export function readTraffic(text) {
  const services = new Map();
  const all = {};
  for (const { name, labels, value } of parseMetrics(text, WANTED)) {
    if (SINGLE[name]) { all[SINGLE[name]] = value; continue; }
    const service = at(services, labels.interface ?? '', newService);
    if (name === BUCKETS) {
      const bound = labels.le === '+Inf' ? Infinity : Number(labels.le);
      service.buckets.set(bound, (service.buckets.get(bound) || 0) + value);
      continue;
    }
    const method = at(service.methods, labels.method ?? '', newMethod);
    for (const counts of [service, method]) {
      counts.requests += value;
      if (!NO_FAILURES.has(labels.outcome)) counts.failures += value;
    }
  }
  for (const [name, { requests }] of services) if (requests === 0) services.delete(name);
  return { services, all };
}

// What was counted from `before` to `after`; null where a counter went back: another process counts now.
export function difference(after, before) {
  if (after.requests < before.requests || after.failures < before.failures) return null;
  const buckets = new Map();
  for (const [bound, count] of after.buckets) buckets.set(bound, count - (before.buckets.get(bound) || 0));
  return { requests: after.requests - before.requests, failures: after.failures - before.failures, buckets };
}

// The time in seconds that `share` (0 to 1) of the requests took at most, as Prometheus' histogram_quantile() has it; null without requests.
// What is beyond the last bound is as long as that: nothing more is known.
export function quantile(buckets, share) {
  const bounds = [...buckets.keys()].sort((a, b) => a - b);
  const total = bounds.length > 0 ? buckets.get(bounds[bounds.length - 1]) : 0;
  if (!(total > 0)) return null;
  const rank = share * total;
  let lower = 0;
  let below = 0;
  for (const bound of bounds) {
    const count = buckets.get(bound);
    if (count >= rank && count > below) return bound === Infinity ? lower : lower + (bound - lower) * ((rank - below) / (count - below));
    if (bound !== Infinity) lower = bound;
    below = count;
  }
  return lower;
}
