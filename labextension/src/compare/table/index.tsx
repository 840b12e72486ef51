import { Notification } from '@jupyterlab/apputils';
import React from 'react';

import { carry } from '../../components/actions';
import { Problem, Skeleton } from '../../components/empty';
import { number } from '../../components/format';
import { Grid, type ISort } from '../../components/grid';
import { useStudio } from '../../components/hooks';
import { notifyError } from '../../core/errors';
import { openActions } from '../../core/menu';
import { CommandIDs } from '../../tokens';
import { useView } from '../hooks';
import { MOST } from '../rows';
import { chosen, columned, type IColumnState, sorted } from '../state';
import type { IViewStore } from '../store';
import { copyCells, remove } from './actions';
import { Bar } from './bar';
import { moved, resorted, widened } from './changes';
import { isGroup, type Measure, valueOf } from './columns';
import { GroupTree } from './groups';
import { headActions } from './headmenu';
import {
  useColumns,
  useLines,
  useMarks,
  useRanges,
  useShownColumns,
  useWindow
} from './hooks';
import { nameOf } from './lead';
import { attributes, branchOf, cellsOf, keyOf, namesIn } from './lines';
import { News, Nothing, Summary } from './parts';
import type { IGroupLine, ILine } from './pages';
import { groupActions, rowActions } from './rowmenu';

/** What the table keeps in the view beside what all panes share. */
interface ISettings {
  measure?: Measure;
  /** Of the first columns, which every table has. */
  widths?: Record<string, number>;
}

/** The pane "Table": components of the view line by line, alone or in groups. */
export default function TablePane(props: {
  view: IViewStore;
}): React.JSX.Element {
  const columns = useColumns();
  return columns.error !== null ? (
    <Problem error={columns.error} retry={columns.refresh} />
  ) : (
    <Table view={props.view} columns={columns.value} />
  );
}

function Table(props: {
  view: IViewStore;
  columns: readonly IColumnState[];
}): React.JSX.Element {
  const studio = useStudio();
  const { commands, trans } = studio;
  const { view: store, columns } = props;
  const sort = useView(state => state.sort);
  const selection = useView(state => state.selection);
  const settings = useView(state => state.panes['table']) as
    ISettings | undefined;
  const { lines, news, show } = useLines();
  const ranges = useRanges(columns);
  const window = useWindow(lines);
  const selected = React.useMemo(() => new Set(selection), [selection]);
  const measure = settings?.measure ?? 'interval';
  const marks = useMarks(store);
  const onToggle = React.useCallback(
    ({ group }: IGroupLine) => {
      if (lines instanceof GroupTree) {
        lines
          .toggle(group)
          .catch(error => notifyError(trans.__('Not opened'), error));
      }
    },
    [lines, trans]
  );
  const shown = useShownColumns({
    columns,
    lines,
    measure: lines instanceof GroupTree ? measure : null,
    ranges,
    marks,
    onToggle
  });
  const classOf = React.useCallback(
    (line: ILine) =>
      isGroup(line)
        ? 'jp-StudioTable-grouprow'
        : marks.hidden.has(nameOf(line))
          ? 'jp-mod-hidden'
          : undefined,
    [marks.hidden]
  );
  const copy = (names: ReadonlySet<string>) =>
    copyCells(cellsOf(lines, names, shown));
  const select = async (first: number, last: number) => {
    try {
      const names = await lines.names(first, Math.min(last, first + MOST - 1));
      store.change(chosen(names));
      if (last - first >= MOST) {
        Notification.info(
          trans.__(
            'The first %1 of %2 are selected: more than that cannot be.',
            number(MOST),
            number(last - first + 1)
          )
        );
      }
    } catch (error) {
      notifyError(trans.__('Not selected'), error);
    }
  };
  const onMenu = (line: ILine, event: React.MouseEvent) => {
    if (isGroup(line)) {
      openActions(groupActions(line, store, studio, onToggle), event);
      return;
    }
    const name = nameOf(line);
    const names = selected.has(name) ? selection : [name];
    const row = {
      name,
      starred: !!valueOf(line, 'starred'),
      note: String(valueOf(line, 'note') ?? '')
    };
    const copied = () => copy(new Set(names));
    openActions(rowActions(row, names, store, studio, copied, show), event);
  };
  const onKey = (line: ILine | undefined, event: React.KeyboardEvent) => {
    if (event.key === 'c' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      copy(selected);
    } else if (line && !isGroup(line) && !event.ctrlKey && !event.metaKey) {
      const act = { s: marks.onStar, h: marks.onHide }[event.key];
      if (act) {
        event.preventDefault();
        act(line);
      }
    }
  };
  return (
    <div className="jp-StudioTable">
      <Bar
        columns={columns}
        measure={measure}
        news={news && <News news={news} show={show} />}
      />
      {lines.error !== null && (
        <Problem
          what={trans.__('The table could not be brought up to date.')}
          error={lines.error}
          retry={() => void lines.reload()}
        />
      )}
      <Grid<ILine>
        label={trans.__('Trial components')}
        columns={shown}
        count={lines.count ?? 0}
        row={index => lines.line(index)}
        keyOf={keyOf}
        onRange={window.onRange}
        onColumns={window.onColumns}
        sort={sort.map(each => ({
          by: each.field,
          descending: each.descending
        }))}
        onSort={({ by, descending }: ISort, further) =>
          store.change(
            sorted(resorted(sort, { field: by, descending }, further))
          )
        }
        selected={selected}
        onSelect={keys => store.change(chosen(namesIn(keys)))}
        onSelectRange={(first, last) => void select(first, last)}
        onOpen={line =>
          isGroup(line)
            ? onToggle(line)
            : void commands.execute(CommandIDs.openComponent, {
                name: nameOf(line)
              })
        }
        onDelete={() =>
          selection.length &&
          void remove(studio, store, selection).then(done => done && show())
        }
        onKey={onKey}
        onContextMenu={onMenu}
        onHeadMenu={({ id }, event) =>
          openActions(headActions(id, columns, store, trans), event)
        }
        onMove={(id, to) => store.change(columned(moved(columns, id, to)))}
        widths={settings?.widths}
        onWidths={widths => store.change(widened(widths), 'widths')}
        attributes={attributes}
        classOf={classOf}
        branch={lines instanceof GroupTree ? branchOf : undefined}
        onToggle={line => isGroup(line) && onToggle(line)}
        onDragStart={(line, event) =>
          !isGroup(line) &&
          carry(event, { kind: 'component', name: nameOf(line) })
        }
        empty={
          lines.count === undefined ? (
            lines.error === null && <Skeleton lines={8} />
          ) : (
            <Nothing />
          )
        }
      />
      <Summary lines={lines} />
    </div>
  );
}
