import type { Client } from '../core/client';
import { parseS3 } from '../core/s3';

/** More than this is prepared in a notebook: the browser holds all of it. */
export const LARGEST_BYTES = 50e6;

/** How CSV is made fit for the algorithms: numbers only, the label first, no names. */
export interface IPreparation {
  /** Position of the label; null for algorithms without one. */
  label: number | null;
  /** The first row is names. */
  named: boolean;
  /** Share of the rows, 0 to 1, that is kept for validation. */
  validation: number;
}

export interface IPrepared {
  train: string;
  validation: string;
  /** Names of the columns that hold texts, which are left out. */
  left: string[];
  /** What each class is called, when the label was texts: its position is its number. */
  classes: string[];
}

/** CSV as the algorithms read it; which rows are for validation is drawn with a fixed seed. */
export function prepared(text: string, how: IPreparation): IPrepared {
  const [head, ...body] = parseCsv(text);
  const rows = how.named ? body : [head, ...body];
  const columns = (head ?? []).map((_, column) => column);
  const numeric = columns.map(column =>
    rows.every(row => !row[column] || Number.isFinite(Number(row[column])))
  );
  const features = columns.filter(
    column => column !== how.label && numeric[column]
  );
  const classes =
    how.label === null || numeric[how.label]
      ? []
      : [...new Set(rows.map(row => row[how.label!]))].sort();
  const label = (row: string[]) =>
    how.label === null
      ? []
      : [classes.length ? classes.indexOf(row[how.label]) : row[how.label]];
  const random = seeded(1);
  const parts: [string[], string[]] = [[], []];
  for (const row of rows) {
    const line = [...label(row), ...features.map(column => row[column] ?? '')];
    parts[random() < how.validation ? 1 : 0].push(line.join(',') + '\n');
  }
  return {
    train: parts[0].join(''),
    validation: parts[1].join(''),
    left: columns
      .filter(column => column !== how.label && !numeric[column])
      .map(column => (how.named ? head[column] : String(column + 1))),
    classes
  };
}

/** The cells of all rows of CSV; quoted cells may hold commas, quotes and line ends. */
export function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  const pattern = /("(?:[^"]|"")*"|[^,\r\n]*)(,|\r?\n|\r|$)/g;
  for (let match = pattern.exec(text); match; match = pattern.exec(text)) {
    const [whole, cell, end] = match;
    row.push(
      cell.startsWith('"') ? cell.slice(1, -1).replace(/""/g, '"') : cell.trim()
    );
    if (end !== ',') {
      if (row.length > 1 || row[0] !== '') {
        rows.push(row);
      }
      row = [];
    }
    if (end === '' || whole === '') {
      break;
    }
  }
  return rows;
}

/** Read the object at `uri`, and store what is made of it beside it; the URIs of both parts. */
export async function prepare(
  client: Client,
  uri: string,
  how: IPreparation
): Promise<IPrepared & { trainUri: string; validationUri: string }> {
  const { bucket, key } = parseS3(uri)!;
  const response = await client.s3('GET', bucket, key);
  const made = prepared(await response.text(), how);
  const folder = `${key.replace(/\.[^./]*$/, '')}-prepared`;
  const put = async (name: string, body: string) => {
    await client.s3(
      'PUT',
      bucket,
      `${folder}/${name}.csv`,
      {},
      {
        body,
        headers: { 'Content-Type': 'text/csv' }
      }
    );
    return `s3://${bucket}/${folder}/${name}.csv`;
  };
  return {
    ...made,
    trainUri: await put('train', made.train),
    validationUri: made.validation
      ? await put('validation', made.validation)
      : ''
  };
}

/** Random numbers from 0 to 1, the same for the same seed (mulberry32). */
function seeded(seed: number): () => number {
  return () => {
    seed = (seed + 0x6d2b79f5) | 0;
    let mixed = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
