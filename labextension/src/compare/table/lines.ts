import type { IBranch, IColumn } from '../../components/grid';
import { isGroup } from './columns';
import { nameOf } from './lead';
import type { ILine, ILines } from './pages';

const GROUP = '\u0000';
const MOST_COPIED = 10_000;

/** What tells a line from the others; of a component, its name. */
export function keyOf(line: ILine): string {
  return isGroup(line) ? GROUP + line.group.query : nameOf(line);
}

/** The names of the components among keys of lines. */
export function namesIn(keys: Iterable<string>): string[] {
  return [...keys].filter(key => !key.startsWith(GROUP));
}

export function branchOf(line: ILine): IBranch {
  return isGroup(line)
    ? { level: line.level, expanded: line.group.inside !== null }
    : { level: line.level };
}

/** What context menus and drops find at a line. */
export function attributes(line: ILine): Record<`data-${string}`, string> {
  return isGroup(line)
    ? { 'data-studio-kind': 'group' }
    : {
        'data-studio-kind': 'component',
        'data-studio-name': nameOf(line)
      };
}

/** The heads, and the cells of those lines of these names that are here. */
export function cellsOf(
  lines: ILines,
  names: ReadonlySet<string>,
  columns: ReadonlyArray<IColumn<ILine>>
): string[][] {
  const written = columns.filter(each => each.id !== '');
  const rows = [written.map(each => each.id)];
  const most = Math.min(lines.count ?? 0, MOST_COPIED);
  for (let at = 0; at < most && rows.length <= names.size; at++) {
    const line = lines.line(at);
    if (line && !isGroup(line) && names.has(nameOf(line))) {
      rows.push(written.map(each => textOf(line, each)));
    }
  }
  return rows;
}

function textOf(line: ILine, column: IColumn<ILine>): string {
  const content = column.text ? column.text(line) : column.cell(line);
  return typeof content === 'string' ? content : '';
}
