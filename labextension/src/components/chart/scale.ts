import { duration } from '../format';

/** `time`: milliseconds since the epoch; `duration`: seconds. */
export type ScaleKind = 'linear' | 'log' | 'time' | 'duration';

/** From values to pixels. */
export interface IScale {
  kind: ScaleKind;
  /** The values at the two ends of `pixels`. */
  domain: readonly [number, number];
  pixels: readonly [number, number];
}

export interface ITick {
  value: number;
  label: string;
}

/** The pixel of a value; NaN where a logarithm has none. */
export function placer(scale: IScale): (value: number) => number {
  const [first, last] = scale.pixels;
  const bent = scale.kind === 'log' ? Math.log10 : (value: number) => value;
  const [from, to] = scale.domain.map(bent);
  const slope = (last - first) / (to - from || 1);
  return value => {
    const at = first + (bent(value) - from) * slope;
    return at > -1e6 && at < 1e6
      ? at
      : at >= 1e6
        ? 1e6
        : at <= -1e6
          ? -1e6
          : NaN;
  };
}

/** The value at a pixel. */
export function valueAt(scale: IScale, pixel: number): number {
  const [first, last] = scale.pixels;
  const share = (pixel - first) / (last - first || 1);
  const [from, to] = scale.domain;
  return scale.kind === 'log'
    ? 10 ** (Math.log10(from) + share * (Math.log10(to) - Math.log10(from)))
    : from + share * (to - from);
}

/** The domain about `center` (a value) that shows `factor` times as much; it moves by `shift` of its width. */
export function rescaled(
  kind: ScaleKind,
  domain: readonly [number, number],
  center: number,
  factor: number,
  shift = 0
): [number, number] {
  const scale: IScale = { kind, domain, pixels: [0, 1] };
  const middle = placer(scale)(center);
  const end = (share: number) =>
    valueAt(scale, middle + (share - middle) * factor + shift);
  return [end(0), end(1)];
}

/** A domain that holds `low` and `high` with a little air, also of a single value and of none. */
export function roomy(
  kind: ScaleKind,
  low: number,
  high: number,
  air = 0.04
): [number, number] {
  if (!(low <= high)) {
    return kind === 'log' ? [1, 10] : [0, 1];
  }
  if (low === high) {
    const half = kind === 'log' ? 0 : Math.abs(low) / 10 || 1;
    return kind === 'log' ? [low / 2, low * 2] : [low - half, high + half];
  }
  return rescaled(
    kind,
    [low, high],
    valueAt({ kind, domain: [low, high], pixels: [0, 1] }, 0.5),
    1 + 2 * air
  );
}

/** About `count` round values with what is written at them. */
export function ticks(scale: IScale, count: number): ITick[] {
  switch (scale.kind) {
    case 'log':
      return logTicks(scale.domain, count);
    case 'time':
      return timeTicks(scale.domain, count);
    case 'duration':
      return durationTicks(scale.domain, count);
    default:
      return linearTicks(scale.domain, count);
  }
}

function linearTicks([low, high]: IScale['domain'], count: number): ITick[] {
  const step = roundStep((high - low) / Math.max(1, count));
  const label = labels(low, high, step);
  return multiples(low, high, step).map(value => ({
    value,
    label: label(value)
  }));
}

/** 1, 2 or 5 times a power of ten: the least that is not below `about`. */
function roundStep(about: number): number {
  if (!(about > 0) || !Number.isFinite(about)) {
    return 1;
  }
  const power = 10 ** Math.floor(Math.log10(about));
  const factor = [1, 2, 5, 10].find(each => each * power >= about * 0.999)!;
  return factor * power;
}

function multiples(low: number, high: number, step: number): number[] {
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  const count = Math.min(100, Math.max(0, last - first + 1));
  return Array.from({ length: count }, (_, at) => {
    const value = (first + at) * step;
    return Object.is(value, -0) ? 0 : value;
  });
}

/** As many digits as tell neighbours apart, and powers of ten for what is very large or small. */
function labels(
  low: number,
  high: number,
  step: number
): (value: number) => string {
  const size = Math.max(Math.abs(low), Math.abs(high));
  if (size >= 1e7 || size < 1e-4) {
    const digits = Math.max(0, Math.ceil(Math.log10(size / step) - 0.01));
    return value =>
      value === 0 ? '0' : value.toExponential(Math.min(digits, 12));
  }
  const digits = Math.min(
    12,
    Math.max(0, -Math.floor(Math.log10(step) + 1e-9))
  );
  return value =>
    value.toLocaleString(undefined, {
      minimumFractionDigits: digits,
      maximumFractionDigits: digits
    });
}

function logTicks([low, high]: IScale['domain'], count: number): ITick[] {
  const decades = Math.log10(high) - Math.log10(low);
  if (!(decades >= 1)) {
    return linearTicks([low, high], count);
  }
  const every = Math.max(1, Math.ceil(decades / Math.max(1, count)));
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const found: ITick[] = [];
  for (let power = first; power <= Math.log10(high) + 1e-9; power += every) {
    found.push({ value: 10 ** power, label: powerLabel(power) });
  }
  return found;
}

function powerLabel(power: number): string {
  return power >= -4 && power <= 6
    ? (10 ** power).toLocaleString(undefined, { maximumFractionDigits: 4 })
    : `1e${power}`;
}

const SECONDS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600,
  43200, 86400
];

function secondsStep(about: number): number {
  const day = 86400;
  return about < 1
    ? roundStep(about)
    : (SECONDS.find(step => step >= about) ?? day * roundStep(about / day));
}

function durationTicks([low, high]: IScale['domain'], count: number): ITick[] {
  const step = secondsStep((high - low) / Math.max(1, count));
  return multiples(low, high, step).map(value => ({
    value,
    label:
      value < 0 ? `−${duration(-value)}` : value === 0 ? '0' : duration(value)
  }));
}

function timeTicks([low, high]: IScale['domain'], count: number): ITick[] {
  const step = 1000 * secondsStep((high - low) / 1000 / Math.max(1, count));
  // Days begin at midnight where the reader is.
  const offset = new Date(low).getTimezoneOffset() * 60_000;
  return multiples(low - offset, high - offset, step).map(shifted => {
    const value = shifted + offset;
    return { value, label: timeLabel(new Date(value), step) };
  });
}

function timeLabel(date: Date, step: number): string {
  return step >= 86_400_000
    ? date.toLocaleDateString(undefined, { month: 'short', day: 'numeric' })
    : date.toLocaleTimeString(undefined, {
        hour: '2-digit',
        minute: '2-digit',
        ...(step < 60_000 && { second: '2-digit' })
      });
}
