import type { Client } from '../core/client';
import { listFolder, parseS3 } from '../core/s3';

const PEEKED_BYTES = 16_384;
const PEEKED_ROWS = 5;

/** The beginning of the first object at, or below, a URI. */
export interface IPeek {
  uri: string;
  size: number;
  /** First rows of a text, cell by cell; undefined when it is none. */
  rows?: string[][];
  /** Cells that a row has; of the rows that were looked at, the most. */
  columns: number;
  /** The first row looks like names of columns. */
  named: boolean;
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
  const rows = bytes.includes(0) ? undefined : rowsOf(bytes, first.size);
  return {
    ...first,
    rows,
    columns: Math.max(0, ...(rows ?? []).map(row => row.length)),
    named: hasNames(rows ?? [])
  };
}

async function firstObject(
  client: Client,
  uri: string,
  signal?: AbortSignal
): Promise<{ uri: string; size: number } | null> {
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
  const found = objects.find(each => !each.key.endsWith('/'));
  if (found) {
    return { uri: `s3://${at.bucket}/${found.key}`, size: found.size };
  }
  return folders.length
    ? firstObject(client, `s3://${at.bucket}/${folders[0]}`, signal)
    : null;
}

function rowsOf(bytes: Uint8Array, size: number): string[][] {
  const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
  if (bytes.length < size && lines.length > 1) {
    lines.pop(); // cut in the middle
  }
  return lines
    .filter(line => line.trim() !== '')
    .slice(0, PEEKED_ROWS)
    .map(cells);
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
