// Numbers and names as people read them. Pure functions.

export const NOTHING = '–';

const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value) {
  if (value >= 1e9) return `${(value / 1e9).toFixed(1)} G`;
  if (value >= 1e7) return `${(value / 1e6).toFixed(1)} M`;
  return grouped.format(value);
}

export function rate(value) {
  if (value === null) return NOTHING;
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  if (value >= 99.5) return grouped.format(value);
  if (value >= 9.95) return value.toFixed(0);
  return value > 0 && value < 0.05 ? '<0.1' : value.toFixed(value === 0 ? 0 : 1);
}

export function share(value) {
  if (value === null) return NOTHING;
  if (value === 0) return '0 %';
  const percent = value * 100;
  if (percent < 0.1) return '<0.1 %';
  return `${percent >= 9.95 ? percent.toFixed(0) : percent.toFixed(1)} %`;
}

export function seconds(value) {
  if (value === null) return NOTHING;
  if (value >= 9.95) return `${value.toFixed(0)} s`;
  if (value >= 0.9995) return `${value.toFixed(1)} s`;
  const milliseconds = value * 1e3;
  if (milliseconds >= 9.95) return `${milliseconds.toFixed(0)} ms`;
  if (milliseconds >= 0.9995) return `${milliseconds.toFixed(1)} ms`;
  return `${(value * 1e6).toFixed(0)} µs`;
}

export const plural = (number, one, many = `${one}s`) => `${count(number)} ${number === 1 ? one : many}`;

// "com.example." and "DemoService"
export function splitName(name) {
  const dot = name.lastIndexOf('.');
  return [name.slice(0, dot + 1), name.slice(dot + 1)];
}

const pad = (number) => String(number).padStart(2, '0');

// The hours, minutes and seconds here; with the day where that is not today.
export function clock(date, now = new Date()) {
  if (Number.isNaN(date.getTime())) return NOTHING;
  const time = `${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
  return date.toDateString() === now.toDateString() ? time : `${pad(date.getMonth() + 1)}-${pad(date.getDate())} ${time}`;
}
