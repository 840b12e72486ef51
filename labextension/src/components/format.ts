/** 1234567 -> "1.2 MB"; powers of 1000, as disks are sold. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];
  let unit = 0;
  while (count >= 999.5 && unit < units.length - 1) {
    count /= 1000;
    unit++;
  }
  return `${unit && count < 10 ? count.toFixed(1) : Math.round(count)} ${units[unit]}`;
}

/** 3723 -> "1 h 2 min"; the two largest units that are not zero. */
export function duration(seconds: number): string {
  if (seconds < 10) {
    return `${(Math.round(seconds * 10) / 10).toString()} s`;
  }
  const whole = Math.round(seconds);
  const parts: [number, string][] = [
    [Math.floor(whole / 86400), 'd'],
    [Math.floor(whole / 3600) % 24, 'h'],
    [Math.floor(whole / 60) % 60, 'min'],
    [whole % 60, 's']
  ];
  const first = parts.findIndex(([count]) => count > 0);
  return parts
    .slice(first, first + 2)
    .filter(([count]) => count > 0)
    .map(([count, unit]) => `${count} ${unit}`)
    .join(' ');
}

// Made once: a formatter costs a thousand times what it writes.
const whole = new Intl.NumberFormat();
const four = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 4 });
const six = new Intl.NumberFormat(undefined, { maximumSignificantDigits: 6 });
const clock = new Intl.DateTimeFormat(undefined, {
  dateStyle: 'short',
  timeStyle: 'medium'
});

/** A number as people read it: four significant digits, thousands grouped. */
export function number(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? 'NaN' : value > 0 ? '∞' : '-∞';
  }
  if (Number.isInteger(value)) {
    return whole.format(value);
  }
  const size = Math.abs(value);
  return size >= 1e6 || size < 1e-4
    ? value.toExponential(3)
    : (size >= 1000 ? six : four).format(value);
}

/** Milliseconds since the epoch -> the exact local time. */
export function exact(at: number): string {
  return clock.format(at);
}

const ago = new Intl.RelativeTimeFormat(undefined, {
  numeric: 'auto',
  style: 'narrow'
});

/** Milliseconds since the epoch -> "5 min. ago". */
export function relative(at: number, now = Date.now()): string {
  const seconds = (at - now) / 1000;
  const size = Math.abs(seconds);
  if (size < 60) {
    return ago.format(Math.round(seconds), 'second');
  }
  if (size < 3600) {
    return ago.format(Math.round(seconds / 60), 'minute');
  }
  if (size < 86400) {
    return ago.format(Math.round(seconds / 3600), 'hour');
  }
  return size < 30 * 86400
    ? ago.format(Math.round(seconds / 86400), 'day')
    : new Date(at).toLocaleDateString();
}

/** 0.0294 -> "2.9 %"; what is nearly nothing or nearly all says so. */
export function percent(share: number): string {
  const value = 100 * share;
  if (value > 0 && value < 0.1) {
    return '< 0.1 %';
  }
  if (value > 99.9 && value < 100) {
    return '> 99.9 %';
  }
  return `${value.toFixed(value < 10 && value > 0 ? 1 : 0)} %`;
}

/** A probability of a test: 0.0312, and "< 0.0001" for what is less. */
export function probability(p: number): string {
  return p < 1e-4 ? '< 0.0001' : p.toFixed(4);
}
