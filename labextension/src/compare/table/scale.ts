import type React from 'react';

/** Between which values a column is tinted. */
export interface IRange {
  low: number;
  high: number;
}

const STRONGEST = 62;

/**
 * The tint of a value: from the page's colour to the brand's in a space of equal lightness steps.
 *
 * It stops short of the brand's colour, so that the value that is written over it stays readable.
 */
export function tint(
  value: number,
  range: IRange
): React.CSSProperties | undefined {
  if (!Number.isFinite(value) || !(range.high > range.low)) {
    return undefined;
  }
  const share = (value - range.low) / (range.high - range.low);
  return { background: mixed(Math.min(1, Math.max(0, share))) };
}

/** The tints of a whole range, from low to high: its legend. */
export function legend(): string {
  return `linear-gradient(to right in oklab, ${mixed(0)}, ${mixed(1)})`;
}

function mixed(share: number): string {
  const part = Math.round(STRONGEST * share);
  return `color-mix(in oklab, var(--jp-brand-color1) ${part}%, var(--jp-layout-color1))`;
}
