import React from 'react';

import { Swatch } from '../../components/chart/swatch';
import { useStudio } from '../../components/hooks';
import { CommandIDs } from '../../tokens';

/** A line of the legend: a component or a group. */
export interface ILegendItem {
  key: string;
  title: string;
  color: string;
  dash: number[];
  /** Components of a group. */
  count: number;
  /** How many of them have failed. */
  failed: number;
  hidden: boolean;
}

/** Which line is what; hides lines, and shows one alone. */
export function Legend(props: {
  items: readonly ILegendItem[];
  grouped: boolean;
  solo: string | undefined;
  /** "100 of 2,345 components" where the charts do not draw all. */
  note?: string;
  onHide: (item: ILegendItem) => void;
  onSolo: (item: ILegendItem | null) => void;
  onAll: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { items, solo } = props;
  const some = solo !== undefined || items.some(item => item.hidden);
  return (
    <div
      className="jp-StudioCharts-legend"
      role="group"
      aria-label={trans.__('Legend')}
    >
      {props.note && <p className="jp-StudioChart-note">{props.note}</p>}
      {some && (
        <button className="jp-StudioButton" onClick={props.onAll}>
          {trans.__('Show all lines')}
        </button>
      )}
      <ul>
        {items.map(item => (
          <li key={item.key} data-hidden={isHidden(item, solo) || undefined}>
            <button
              className="jp-StudioCharts-line"
              aria-pressed={!isHidden(item, solo)}
              title={trans.__('Hide or show %1', item.title)}
              onClick={() => (solo ? props.onSolo(null) : props.onHide(item))}
            >
              <Swatch color={item.color} dash={item.dash} />
              <span>{item.title}</span>
              {item.failed > 0 && (
                <span className="jp-StudioCharts-failed">
                  {props.grouped
                    ? trans.__('%1 failed', item.failed)
                    : trans.__('failed')}
                </span>
              )}
              {props.grouped && (
                <span className="jp-StudioCharts-count">{item.count}</span>
              )}
            </button>
            <span className="jp-StudioCharts-extra">
              <button
                className="jp-StudioButton jp-mod-minimal"
                aria-pressed={solo === item.key}
                aria-label={trans.__('Only %1', item.title)}
                onClick={() => props.onSolo(solo === item.key ? null : item)}
              >
                {trans.__('only')}
              </button>
              {!props.grouped && <Open name={item.key} title={item.title} />}
            </span>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Open(props: {
  name: string;
  title: string;
}): React.JSX.Element | null {
  const { trans, commands } = useStudio();
  const command = CommandIDs.openComponent;
  return commands.hasCommand(command) ? (
    <button
      className="jp-StudioButton jp-mod-minimal"
      aria-label={trans.__('Open %1', props.title)}
      onClick={() => void commands.execute(command, { name: props.name })}
    >
      {trans.__('open')}
    </button>
  ) : null;
}

/** Whether the charts leave a line out. */
export function isHidden(item: ILegendItem, solo: string | undefined): boolean {
  return solo !== undefined ? solo !== item.key : item.hidden;
}
