import { type ISignal, Signal } from '@lumino/signaling';

import type { studio } from '../wire';
import type { Feed, FeedEvent } from './feed';

/** The load of the machine and the queue, as the feed tells them at its start and at each change. */
export class Capacity {
  constructor(feed: Feed) {
    feed.events.connect(this._onEvent, this);
  }

  /** The last that was told; undefined before the first. */
  get value(): studio.DescribeCapacityResponse | undefined {
    return this._value;
  }

  get changed(): ISignal<this, void> {
    return this._changed;
  }

  private _onEvent(_: Feed, event: FeedEvent): void {
    if (event.type === 'capacity') {
      this._value = event as unknown as studio.DescribeCapacityResponse;
      this._changed.emit();
    }
  }

  private _value: studio.DescribeCapacityResponse | undefined;
  private _changed = new Signal<this, void>(this);
}
