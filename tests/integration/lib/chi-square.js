'use strict';
// Pearson's chi-square test: whether counts agree with the probabilities that were promised.

// ln(gamma(x)) for x > 0 (Lanczos).
function logGamma(x) {
  const coefficients = [76.18009172947146, -86.50532032941677, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2, -0.5395239384953e-5];
  const base = x + 5.5;
  const sum = coefficients.reduce((total, c, i) => total + c / (x + 1 + i), 1.000000000190015);
  return (x + 0.5) * Math.log(base) - base + Math.log(2.5066282746310005 * sum / x);
}

// The regularized upper incomplete gamma function Q(a, x): a series for small x, else a continued fraction.
function upperGamma(a, x) {
  if (x <= 0) return 1;
  const scale = Math.exp(-x + a * Math.log(x) - logGamma(a));
  if (x < a + 1) {
    let term = 1 / a;
    let sum = term;
    for (let n = 1; n < 1000 && term > sum * 1e-15; n++) { term *= x / (a + n); sum += term; }
    return 1 - sum * scale;
  }
  let b = x + 1 - a;
  let c = 1e300;
  let d = 1 / b;
  let h = d;
  for (let i = 1; i < 1000; i++) {
    const an = -i * (i - a);
    b += 2;
    d = 1 / (an * d + b);
    c = b + an / c;
    h *= d * c;
    if (Math.abs(d * c - 1) < 1e-15) break;
  }
  return scale * h;
}

// How likely counts at least as far off are, where `probabilities` are true: both are maps by name. 0 where something came
// that cannot come. A single possible outcome is certain.
function chiSquare(counts, probabilities) {
  const total = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const possible = [...probabilities].filter(([, probability]) => probability > 0);
  const promised = possible.reduce((sum, [, probability]) => sum + probability, 0);
  if (Math.abs(promised - 1) > 1e-6) return 0;
  for (const name of counts.keys()) {
    if (!(probabilities.get(name) > 0)) return 0;
  }
  if (possible.length === 1) return 1;
  const statistic = possible.reduce((sum, [name, probability]) => {
    const expected = total * probability;
    return sum + ((counts.get(name) || 0) - expected) ** 2 / expected;
  }, 0);
  return upperGamma((possible.length - 1) / 2, statistic / 2);
}

module.exports = { chiSquare };
