import { colorway, DASHES } from './theme';

/** The place of a group in the palette, from 0; colours, dashes and shapes go by it. */
export type Place = number;

const COLORS = 8;
const PLACES = COLORS * DASHES.length;

/**
 * Gives each name a place of the palette that it keeps.
 *
 * A name's place follows from the name, so that it is the same tomorrow; where that one is taken the
 * next free one is, so that the first eight names differ in colour.
 */
export class Palette {
  /** The places of names, in their order. */
  places(names: readonly string[]): Place[] {
    for (const name of [...names].sort()) {
      if (!this._places.has(name)) {
        this._places.set(name, this._free(name));
      }
    }
    return names.map(name => this._places.get(name)!);
  }

  private _free(name: string): Place {
    const wanted = hash(name) % COLORS;
    const round = Math.floor(this._places.size / COLORS) % (PLACES / COLORS);
    if (this._places.size % COLORS === 0) {
      this._taken.clear();
    }
    let color = wanted;
    while (this._taken.has(color)) {
      color = (color + 1) % COLORS;
    }
    this._taken.add(color);
    return round * COLORS + color;
  }

  private _places = new Map<string, Place>();
  private _taken = new Set<number>();
}

/** The colour of a place in the theme that `node` is in. */
export function colorAt(node: HTMLElement, place: Place): string {
  return colorway(node)[place % COLORS];
}

/** The dashes of a place: those of a colour differ from round to round. */
export function dashAt(place: Place): number[] {
  return strokeAt(place + Math.floor(place / COLORS));
}

/** The first, the second ... kind of dashes; the first is a whole line. */
export function strokeAt(index: number): number[] {
  return STROKES[index % STROKES.length];
}

/** What Plotly calls solid, dash, dot, dashdot, longdash and longdashdot, in pixels. */
const STROKES = [[], [8, 5], [2, 3], [8, 4, 2, 4], [14, 5], [14, 4, 2, 4]];

/** FNV-1a. */
function hash(text: string): number {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193) >>> 0;
  }
  return value;
}
