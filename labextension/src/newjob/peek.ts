import type { Client } from '../core/client';
import { listFolder, parseS3 } from '../core/s3';
import { guessType } from './draft';

const PEEKED_BYTES = 16_384;
const PEEKED_LINES = 5;

/** The beginning of the first object at, or below, a URI. */
export interface IPeek {
  uri: string;
  size: number;
  /** There is nothing else at, or below, the URI. */
  alone: boolean;
  /** First lines of a text; undefined when it is none. */
  lines?: string[];
  /** The same cell by cell, of CSV. */
  rows?: string[][];
  /** Cells that a row has; of the rows that were looked at, the most. */
  columns: number;
  /** The first row looks like names of columns. */
  named: boolean;
  /** Lines that the object has, counted or, of a longer one, estimated. */
  count: number;
}

/** Look at the beginning of the data at `uri`; null when nothing is there. */
export async function peek(
  client: Client,
  uri: string,
  signal?: AbortSignal
): Promise<IPeek | null> {
  const first = await firstObject(client, uri, signal);
  if (!first) {
    return null;
  }
  const at = parseS3(first.uri)!;
  const response = first.size
    ? await client.s3(
        'GET',
        at.bucket,
        at.key,
        {},
        {
          headers: { Range: `bytes=0-${PEEKED_BYTES - 1}` },
          signal
        }
      )
    : null;
  const bytes = new Uint8Array((await response?.arrayBuffer()) ?? []);
  const lines = bytes.includes(0) ? undefined : linesOf(bytes, first.size);
  const csv = lines && guessType(first.uri) === 'text/csv';
  const rows = csv ? lines.map(cells) : undefined;
  return {
    ...first,
    lines,
    rows,
    columns: Math.max(0, ...(rows ?? []).map(row => row.length)),
    named: hasNames(rows ?? []),
    count: lineCount(bytes, first.size)
  };
}

async function firstObject(
  client: Client,
  uri: string,
  signal?: AbortSignal
): Promise<Pick<IPeek, 'uri' | 'size' | 'alone'> | null> {
  const at = parseS3(uri);
  if (!at) {
    return null;
  }
  const { folders, objects } = await listFolder(
    client,
    at.bucket,
    at.key,
    undefined,
    signal
  );
  const [found, second] = objects.filter(each => !each.key.endsWith('/'));
  if (found) {
    return {
      uri: `s3://${at.bucket}/${found.key}`,
      size: found.size,
      alone: !second && folders.length === 0
    };
  }
  return folders.length
    ? firstObject(client, `s3://${at.bucket}/${folders[0]}`, signal)
    : null;
}

function linesOf(bytes: Uint8Array, size: number): string[] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (bytes.length < size && lines.length > 1) {
    lines.pop(); // cut in the middle
  }
  return lines.filter(line => line.trim() !== '').slice(0, PEEKED_LINES);
}

function lineCount(bytes: Uint8Array, size: number): number {
  const ends = bytes.filter(byte => byte === 10).length;
  const last = bytes.length === size && bytes.at(-1) !== 10 ? 1 : 0;
  return bytes.length && bytes.length < size
    ? Math.round((ends * size) / bytes.length)
    : ends + last;
}

/** The cells of a line of CSV; quotes may hold commas. */
export function cells(line: string): string[] {
  const found = line.match(/(?:^|,)(?:"(?:[^"]|"")*"|[^,]*)/g) ?? [];
  return found.map((cell, index) => {
    const text = (index ? cell.slice(1) : cell.replace(/^,/, '')).trim();
    return /^".*"$/s.test(text) ? text.slice(1, -1).replace(/""/g, '"') : text;
  });
}

/** Whether the first row is words where the next one has numbers. */
export function hasNames(rows: string[][]): boolean {
  const [first = [], second = []] = rows;
  return first.some(
    (cell, index) => !isNumber(cell) && cell !== '' && isNumber(second[index])
  );
}

function isNumber(text: string | undefined): boolean {
  return !!text && Number.isFinite(Number(text));
}
