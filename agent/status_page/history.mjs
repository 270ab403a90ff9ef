// The last two minutes of each service, from the agent's cumulative counters.

import { difference, quantile } from './metrics.mjs';

const POINTS = 61; // of a chart: two minutes, where nothing is slow
const WINDOW = 5; // samples that the numbers beside it are about
const SERVICES_MAX = 2_000; // those with the most requests

class Series {
  constructor() { Object.assign(this, { samples: [], rate: [], failed: [], p50: [], p99: [] }); }

  add(time, counts) {
    const last = this.samples[this.samples.length - 1];
    const step = last && difference(counts, last.counts);
    if (last && !step) this.samples = [];
    this.samples.push({ time, counts });
    if (this.samples.length > WINDOW + 1) this.samples.shift();
    const seconds = last ? (time - last.time) / 1000 : 0;
    this.point(this.rate, step && seconds > 0 ? step.requests / seconds : null);
    this.point(this.failed, step && step.requests > 0 ? Math.min(step.failures / step.requests, 1) : null);
    this.point(this.p50, step && quantile(step.buckets, 0.5));
    this.point(this.p99, step && quantile(step.buckets, 0.99));
  }

  // A service of which no word came this time: it will start anew.
  skip() {
    this.samples = [];
    for (const values of [this.rate, this.failed, this.p50, this.p99]) this.point(values, null);
  }

  point(values, value) {
    values.push(value ?? null);
    if (values.length > POINTS) values.shift();
  }

  // { rate, failed, p50, p99, requests } now; null where nothing can be said.
  now() {
    const last = this.samples[this.samples.length - 1];
    const first = this.samples[0];
    const nothing = { rate: null, failed: null, p50: null, p99: null, requests: last ? last.counts.requests : 0 };
    if (!last || last === first) return nothing;
    const { requests, failures, buckets } = difference(last.counts, first.counts);
    return {
      ...nothing,
      rate: requests / ((last.time - first.time) / 1000),
      failed: requests > 0 ? Math.min(failures / requests, 1) : null,
      p50: quantile(buckets, 0.5),
      p99: quantile(buckets, 0.99),
    };
  }

  // [{ method, rate, failed, requests }], the busiest first.
  methods() {
    const last = this.samples[this.samples.length - 1];
    const first = this.samples[0];
    if (!last) return [];
    const seconds = (last.time - first.time) / 1000;
    return [...last.counts.methods].map(([method, counts]) => {
      const before = first.counts.methods.get(method) || { requests: 0, failures: 0 };
      const requests = Math.max(counts.requests - before.requests, 0);
      return {
        method,
        rate: seconds > 0 ? requests / seconds : null,
        failed: requests > 0 ? Math.min((counts.failures - before.failures) / requests, 1) : null,
        requests: counts.requests,
      };
    }).sort((a, b) => (b.rate - a.rate) || (b.requests - a.requests));
  }
}

const merged = (services) => {
  const sum = { requests: 0, failures: 0, methods: new Map(), buckets: new Map() };
  for (const { requests, failures, buckets } of services.values()) {
    sum.requests += requests;
    sum.failures += failures;
    for (const [bound, count] of buckets) sum.buckets.set(bound, (sum.buckets.get(bound) || 0) + count);
  }
  return sum;
};

const plain = (requests = 0, failures = 0) => ({ requests, failures, methods: new Map(), buckets: new Map() });

export class History {
  constructor() { Object.assign(this, { services: new Map(), all: new Series(), inbound: new Series(), inFlight: [], times: [] }); }

  add(time, { services, all }) {
    const kept = services.size <= SERVICES_MAX ? services
      : new Map([...services].sort(([, a], [, b]) => b.requests - a.requests).slice(0, SERVICES_MAX));
    for (const [name, series] of this.services) if (!kept.has(name)) this.forget(name, series);
    for (const [name, counts] of kept) {
      if (!this.services.has(name)) this.services.set(name, this.startedLate(time));
      this.services.get(name).add(time, counts);
    }
    this.all.add(time, merged(services));
    this.inbound.add(time, plain(all.inboundRequests, all.inboundErrors));
    this.inFlight.push(all.outboundInFlight ?? null);
    this.times.push(time);
    for (const values of [this.inFlight, this.times]) if (values.length > POINTS) values.shift();
  }

  // A service whose first request came since the last look had none before.
  startedLate() {
    const series = new Series();
    if (this.times.length > 0) series.samples.push({ time: this.times[this.times.length - 1], counts: plain() });
    return series;
  }

  forget(name, series) {
    series.skip();
    if (series.rate.every((value) => value === null)) this.services.delete(name);
  }
}
