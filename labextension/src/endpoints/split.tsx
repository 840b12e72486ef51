import React from 'react';

import { percent } from '../components/format';
import { useStudio } from '../components/hooks';

/** A variant's part of the requests. */
export interface IPart {
  name: string;
  weight: number;
}

/** Weights are kept to as many digits as a hundredth of their sum has. */
const STEPS = 100;

/** The weights after the border behind part `index` has moved to `at`, a share of the whole: its
 * two neighbours change, and no other. */
export function moved(parts: IPart[], index: number, at: number): IPart[] {
  const sum = parts.reduce((total, each) => total + each.weight, 0);
  const before = parts
    .slice(0, index)
    .reduce((total, each) => total + each.weight, 0);
  const both = parts[index].weight + parts[index + 1].weight;
  const step = sum / STEPS;
  const wanted = Math.round((at * sum - before) / step) * step;
  const first = tidy(Math.min(both, Math.max(0, wanted)));
  return parts.map((each, place) =>
    place === index
      ? { ...each, weight: first }
      : place === index + 1
        ? { ...each, weight: tidy(both - first) }
        : each
  );
}

/** Without the noise of binary fractions. */
function tidy(weight: number): number {
  return Number(weight.toPrecision(10));
}

/** The requests as one bar; its borders are dragged, or moved by the arrow keys. */
export function Split(props: {
  parts: IPart[];
  disabled: boolean;
  onMove: (parts: IPart[]) => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const bar = React.useRef<HTMLDivElement>(null);
  const { parts } = props;
  const sum = parts.reduce((total, each) => total + each.weight, 0);
  if (sum <= 0) {
    return null;
  }
  const shareAt = (x: number) => {
    const box = bar.current!.getBoundingClientRect();
    return Math.min(1, Math.max(0, (x - box.left) / box.width));
  };
  let border = 0;
  return (
    <div className="jp-StudioSplit" ref={bar}>
      {parts.map((part, index) => {
        const share = part.weight / sum;
        border += share;
        const at = border;
        const key = (event: React.KeyboardEvent) => {
          const step = {
            ArrowLeft: -1,
            ArrowRight: 1,
            Home: -STEPS,
            End: STEPS
          }[event.key];
          if (step) {
            event.preventDefault();
            props.onMove(moved(parts, index, at + step / STEPS));
          }
        };
        return (
          <React.Fragment key={part.name}>
            <div
              className={`jp-StudioSplit-part jp-mod-${index % 4}`}
              style={{ flexGrow: share }}
              title={`${part.name}: ${percent(share)}`}
            >
              <span>{part.name}</span>
              <span>{percent(share)}</span>
            </div>
            {index < parts.length - 1 && (
              <div
                className="jp-StudioSplit-border"
                role="slider"
                tabIndex={props.disabled ? -1 : 0}
                aria-disabled={props.disabled}
                aria-label={trans.__(
                  'Border of %1 and %2',
                  part.name,
                  parts[index + 1].name
                )}
                aria-valuemin={0}
                aria-valuemax={100}
                aria-valuenow={Math.round(100 * at)}
                aria-valuetext={trans.__(
                  '%1 %2, %3 %4',
                  part.name,
                  percent(share),
                  parts[index + 1].name,
                  percent(parts[index + 1].weight / sum)
                )}
                onKeyDown={props.disabled ? undefined : key}
                onPointerDown={event => {
                  if (!props.disabled) {
                    event.currentTarget.setPointerCapture(event.pointerId);
                  }
                }}
                onPointerMove={event => {
                  if (event.currentTarget.hasPointerCapture(event.pointerId)) {
                    props.onMove(moved(parts, index, shareAt(event.clientX)));
                  }
                }}
              />
            )}
          </React.Fragment>
        );
      })}
    </div>
  );
}
