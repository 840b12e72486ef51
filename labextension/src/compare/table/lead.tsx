import type { TranslationBundle } from '@jupyterlab/translation';
import { caretDownIcon, caretRightIcon } from '@jupyterlab/ui-components';
import React from 'react';

import type { IColumn } from '../../components/grid';
import { groupTitle, isGroup, valueOf } from './columns';
import { headed } from './fields';
import type { IComponentLine, IGroupLine, ILine } from './pages';

export const MARKS = '';
export const NAME = 'display_name';

/** What the first columns show and do. */
export interface ILead {
  trans: TranslationBundle;
  hidden: ReadonlySet<string>;
  colors: Readonly<Record<string, string>>;
  onHide: (line: IComponentLine) => void;
  onStar: (line: IComponentLine) => void;
  onToggle: (line: IGroupLine) => void;
}

/** The columns that every table begins with: eye, colour and star; then the name. */
export function leadColumns(it: ILead): IColumn<ILine>[] {
  const { trans } = it;
  return [
    {
      id: MARKS,
      title: '',
      caption: ' ',
      width: 76,
      pinned: true,
      cell: line => (isGroup(line) ? '' : <Marks line={line} it={it} />)
    },
    {
      id: NAME,
      title: trans.__('Name'),
      caption: ' ',
      width: 230,
      pinned: true,
      sortable: true,
      cell: line =>
        isGroup(line) ? (
          <GroupName line={line} it={it} />
        ) : (
          line.components.titles[line.at]
        )
    }
  ];
}

export function nameOf(line: IComponentLine): string {
  return line.components.names[line.at];
}

/** The colour that a component was given, in this view or for good. */
export function colorOf(
  line: IComponentLine,
  colors: Readonly<Record<string, string>>
): string | undefined {
  return colors[nameOf(line)] ?? (valueOf(line, 'color') as string | undefined);
}

function Marks(props: { line: IComponentLine; it: ILead }): React.JSX.Element {
  const { line, it } = props;
  const { trans } = it;
  const hidden = it.hidden.has(nameOf(line));
  const starred = !!valueOf(line, 'starred');
  const color = colorOf(line, it.colors);
  return (
    <span className="jp-StudioTable-marks">
      <Mark
        on={!hidden}
        label={hidden ? trans.__('Show in charts') : trans.__('Hide in charts')}
        sign={hidden ? '◌' : '◉'}
        act={() => it.onHide(line)}
      />
      <Mark
        on={starred}
        label={starred ? trans.__('Take the star away') : trans.__('Star')}
        sign={starred ? '★' : '☆'}
        act={() => it.onStar(line)}
      />
      {color && (
        <span
          className="jp-StudioTable-swatch"
          style={{ background: color }}
          title={trans.__('Color %1', color)}
        />
      )}
    </span>
  );
}

function Mark(props: {
  on: boolean;
  label: string;
  sign: string;
  act: () => void;
}): React.JSX.Element {
  return (
    <button
      tabIndex={-1}
      aria-pressed={props.on}
      aria-label={props.label}
      title={props.label}
      onClick={event => {
        event.stopPropagation();
        props.act();
      }}
      onDoubleClick={event => event.stopPropagation()}
    >
      {props.sign}
    </button>
  );
}

function GroupName(props: { line: IGroupLine; it: ILead }): React.JSX.Element {
  const { group, level } = props.line;
  const { trans, onToggle } = props.it;
  const Caret = group.inside ? caretDownIcon : caretRightIcon;
  const { title } = headed(group.field, trans);
  const name = groupTitle(group, trans);
  return (
    <span
      className="jp-StudioTable-group"
      style={{ paddingInlineStart: 14 * (level - 1) }}
      title={`${group.field}: ${name}`}
    >
      <button
        tabIndex={-1}
        aria-label={
          group.inside ? trans.__('Close %1', name) : trans.__('Open %1', name)
        }
        onClick={event => {
          event.stopPropagation();
          onToggle(props.line);
        }}
      >
        <Caret.react tag="span" width="16px" />
      </button>
      <span>
        {title}: <strong>{name}</strong> ({group.count.toLocaleString()})
      </span>
    </span>
  );
}
