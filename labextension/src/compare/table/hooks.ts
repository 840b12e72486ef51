import React from 'react';

import type { IColumn } from '../../components/grid';
import { useLive, useNow, useSignal, useStudio } from '../../components/hooks';
import { useView } from '../hooks';
import { concerns } from '../rows';
import { hidden, type IColumnState } from '../state';
import type { IViewStore } from '../store';
import { update } from './actions';
import { ALWAYS as FIRST, ranges, usual } from './choice';
import {
  columnsOf,
  isGroup,
  measurable,
  type Measure,
  valueOf
} from './columns';
import { GroupTree } from './groups';
import { leadColumns, MARKS, NAME, nameOf } from './lead';
import {
  type IComponentLine,
  type IDifference,
  type IGroupLine,
  type ILine,
  type ILines,
  Pages
} from './pages';
import { questionOf } from './question';
import type { IRange } from './scale';

const PACE_MS = 500;
const FIRST_PACE_MS = 3000;
const RANGES_PACE_MS = 5000;
const FEW_COLUMNS = 6;
const NOW_MS = 20_000;
const FIRST_LINES = 40;
const ALWAYS = ['starred', 'color', 'note'];

/** The columns of the view, or those that are usual. */
export function useColumns(): {
  value: readonly IColumnState[];
  error: unknown;
  refresh: () => void;
} {
  const { client } = useStudio();
  const given = useView(state => state.columns);
  const known = React.useRef(0);
  const found = useLive(
    async signal => {
      const columns = given ? [] : await usual(client, signal);
      known.current = columns.length;
      return columns;
    },
    // Of the first components the first fields come; later ones are chosen.
    event => concerns(event) && !given && known.current < FEW_COLUMNS,
    [client, given === null],
    FIRST_PACE_MS
  );
  const value = given ?? (found.value?.length ? found.value : FIRST);
  return { ...found, value };
}

/** The lines of the table, kept up to date where they stand; and what would stand elsewhere. */
export function useLines(): {
  lines: ILines;
  news: IDifference | null;
  show: () => void;
} {
  const { client, feed } = useStudio();
  const query = useView(state => state.query);
  const names = useView(state => state.names);
  const sort = useView(state => state.sort);
  const groups = useView(state => state.groups);
  const key = JSON.stringify([query, names, sort, groups]);
  const [news, setNews] = React.useState<IDifference | null>(null);
  const lines = React.useMemo<ILines>(() => {
    const question = questionOf({ query, names, sort });
    return groups.length
      ? new GroupTree(client, question, groups, measurable)
      : new Pages(client, question);
    // The key says all of it, whatever objects it comes in.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, key]);
  useSignal(lines.changed);
  React.useEffect(() => {
    setNews(null);
    let timer: ReturnType<typeof setTimeout> | undefined;
    const refresh = async () => {
      try {
        const found = await lines.refresh();
        setNews(found.moved ? found : null);
      } catch {
        // The lines know of the error, or the next event asks again.
      }
      timer = undefined;
    };
    const slot = (_: unknown, event: Parameters<typeof concerns>[0]) => {
      if (event.type === 'reset' || concerns(event)) {
        timer ??= setTimeout(() => void refresh(), PACE_MS);
      }
    };
    feed.events.connect(slot);
    return () => {
      clearTimeout(timer);
      feed.events.disconnect(slot);
      lines.dispose();
    };
  }, [feed, lines]);
  const show = React.useCallback(() => {
    setNews(null);
    void lines.reload();
  }, [lines]);
  return { lines, news, show };
}

/** Between which values the columns with a colour scale go, among all that match. */
export function useRanges(
  columns: readonly IColumnState[]
): ReadonlyMap<string, IRange> {
  const { client } = useStudio();
  const query = useView(state => state.query);
  const names = useView(state => state.names);
  const fields = columns.filter(each => each.scale).map(each => each.field);
  const { value } = useLive(
    signal =>
      ranges(client, questionOf({ query, names, sort: [] }), fields, signal),
    event => fields.length > 0 && concerns(event),
    [client, query, names, fields.join('\n')],
    RANGES_PACE_MS
  );
  return value ?? NONE;
}

const NONE: ReadonlyMap<string, IRange> = new Map();

/** Sees to it that the lines and the columns in view come. */
export function useWindow(lines: ILines): {
  onRange: (first: number, last: number) => void;
  onColumns: (ids: string[]) => void;
} {
  const seen = React.useRef({ first: 0, last: -1, fields: ALWAYS });
  const ask = React.useCallback(() => {
    const { first, last, fields } = seen.current;
    if (last >= first) {
      lines.ensure(first, last, fields);
    }
  }, [lines]);
  const onRange = React.useCallback(
    (first: number, last: number) => {
      seen.current = { ...seen.current, first, last };
      ask();
    },
    [ask]
  );
  const onColumns = React.useCallback(
    (ids: string[]) => {
      const fields = ids.filter(id => id !== MARKS && id !== NAME);
      seen.current = { ...seen.current, fields: [...ALWAYS, ...fields] };
      ask();
    },
    [ask]
  );
  return { onRange, onColumns };
}

/** What a view says of components one by one, and what changes it. */
export interface IMarks {
  hidden: ReadonlySet<string>;
  colors: Readonly<Record<string, string>>;
  onHide: (line: IComponentLine) => void;
  onStar: (line: IComponentLine) => void;
}

export function useMarks(store: IViewStore): IMarks {
  const studio = useStudio();
  const names = useView(state => state.hidden);
  const colors = useView(state => state.colors);
  return React.useMemo(
    () => ({
      hidden: new Set(names),
      colors,
      onHide: line => {
        const name = nameOf(line);
        store.change(hidden([name], !names.includes(name)));
      },
      onStar: line =>
        void update(studio, [nameOf(line)], {
          Starred: !valueOf(line, 'starred')
        })
    }),
    [studio, store, names, colors]
  );
}

/** The columns as the grid takes them; the same array while they are the same. */
export function useShownColumns(given: {
  columns: readonly IColumnState[];
  lines: ILines;
  measure: Measure | null;
  ranges: ReadonlyMap<string, IRange>;
  marks: IMarks;
  onToggle: (line: IGroupLine) => void;
}): IColumn<ILine>[] {
  const { trans } = useStudio();
  const { columns, lines, measure, ranges: spans, marks, onToggle } = given;
  const now = useNow(true, NOW_MS);
  const texts = textsOf(lines, columns).join('\n');
  return React.useMemo(
    () => [
      ...leadColumns({ trans, ...marks, onToggle }),
      ...columnsOf(columns, {
        trans,
        now,
        measure,
        ranges: spans,
        texts: new Set(texts.split('\n'))
      })
    ],
    [trans, marks, onToggle, columns, now, measure, spans, texts]
  );
}

/** The columns that have texts, as far as the first component shows. */
function textsOf(lines: ILines, columns: readonly IColumnState[]): string[] {
  for (let at = 0; at < FIRST_LINES; at++) {
    const line = lines.line(at);
    if (line !== undefined && !isGroup(line)) {
      const { values } = line.components;
      return columns
        .map(each => each.field)
        .filter(field => values.get(field)?.codes);
    }
  }
  return [];
}
