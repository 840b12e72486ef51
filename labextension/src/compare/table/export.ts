import { ask } from '../../core/answers';
import type { Client } from '../../core/client';
import type { ExportRequest } from '../../core/protocol';
import { type IComponents, MOST, query, valueAt } from '../rows';
import { isTime } from './fields';
import type { IQuestion } from './pages';

/** How far an export is: components of how many. */
export type Progress = (done: number, all: number) => void;

/** All components that match, with these fields, as rows of texts below their heads. */
export async function* exported(
  client: Client,
  question: IQuestion,
  fields: readonly string[],
  progress: Progress
): AsyncGenerator<string[][]> {
  yield [['name', ...fields]];
  let matched = Infinity;
  for (let Offset = 0; Offset < matched; Offset += MOST) {
    const found = await query(client, {
      ...question,
      Fields: [...fields],
      Offset,
      Limit: MOST
    });
    matched = found.matched;
    progress(Math.min(matched, Offset + found.names.length), matched);
    yield found.names.map((name, at) => [
      name,
      ...fields.map(field => plain(found, field, at))
    ]);
    if (!found.names.length) {
      return; // those that were deleted meanwhile
    }
  }
}

/** Write a file of Parquet below the folder that the file browser shows first; its rows. */
export async function exportedParquet(
  client: Client,
  args: ExportRequest,
  progress: (share: number) => void
): Promise<number> {
  let rows = 0;
  for await (const part of ask(
    client,
    'export',
    args,
    new AbortController().signal
  )) {
    if ('rows' in part) {
      rows = part.rows;
    } else {
      progress(part.progress);
    }
  }
  return rows;
}

/** A value as other programs read it: numbers in full, times in ISO 8601. */
export function plain(
  components: IComponents,
  field: string,
  at: number
): string {
  const value = valueAt(components, field, at);
  return typeof value === 'number' && isTime(field)
    ? new Date(1000 * value).toISOString()
    : String(value ?? '');
}

/** Rows as RFC 4180 has them; what a spreadsheet would take for a formula stays a text. */
export function csv(rows: readonly (readonly string[])[]): string {
  return rows.map(row => row.map(quotedCell).join(',') + '\r\n').join('');
}

function quotedCell(text: string): string {
  const formula = /^[=@+\t\r-]/.test(text) && !Number.isFinite(Number(text));
  const safe = formula ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replace(/"/g, '""')}"` : safe;
}

/** Let the browser save a file. */
export function saved(parts: BlobPart[], name: string, type: string): void {
  const url = URL.createObjectURL(new Blob(parts, { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
