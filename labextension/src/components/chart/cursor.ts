import { type ISignal, Signal } from '@lumino/signaling';

/** Where several charts that share an x axis are pointed at. */
export class Cursor {
  /** The value on the x axis; null while nothing is pointed at. */
  get x(): number | null {
    return this._x;
  }

  /** The chart that is pointed at. */
  get source(): object | null {
    return this._source;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  point(x: number | null, source: object | null): void {
    if (x !== this._x || source !== this._source) {
      this._x = x;
      this._source = source;
      this._changed.emit();
    }
  }

  private _x: number | null = null;
  private _source: object | null = null;
  private _changed = new Signal<this, void>(this);
}
