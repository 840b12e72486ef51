import React from 'react';

import { Problem, Skeleton } from '../components/empty';
import { bytes } from '../components/format';
import { useStudio } from '../components/hooks';
import type { Client } from '../core/client';
import type { Cell, RowsAnswer } from '../core/protocol';
import { firstRows } from '../core/csv';
import { type Logged, loggedChart } from './logged';
import { LoggedChart } from './loggedchart';

const MOST_TEXT = 64 * 1024;
/** Of JSON, which says what it is only as a whole. */
const MOST_JSON = 2 ** 20;
const MOST_IMAGE = 20 * 2 ** 20;
const ROWS = 50;

// A blob of these types shows a picture, and can do nothing else: no SVG, no HTML.
const IMAGES: Record<string, string> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  bmp: 'image/bmp'
};

const EXTENSIONS: Record<string, string> = {
  ...Object.fromEntries(
    Object.entries(IMAGES).map(([extension, type]) => [type, extension])
  ),
  'text/csv': 'csv',
  'text/tab-separated-values': 'tsv',
  'application/json': 'json'
};

/** What the beginning of an object is, ready to be shown. */
type Sample =
  | { kind: 'text'; text: string; read: number }
  | {
      kind: 'table';
      header: string[];
      rows: Cell[][];
      note: string;
      /** Whether these are all rows. */
      whole: boolean;
    }
  | { kind: 'image'; blob: Blob }
  | { kind: 'chart'; chart: Logged }
  | { kind: 'none' };

/** The beginning of an object, as text, as a table or as a picture. */
export function Preview(props: {
  bucket: string;
  objectKey: string;
  size: number;
  /** What it is, where its name does not tell. */
  mediaType?: string;
}): React.JSX.Element {
  const { bucket, objectKey, size, mediaType } = props;
  const { client, trans } = useStudio();
  const [sample, setSample] = React.useState<Sample | null>(null);
  const [error, setError] = React.useState<unknown>(null);
  const [attempt, again] = React.useReducer((count: number) => count + 1, 0);
  React.useEffect(() => {
    const abort = new AbortController();
    setSample(null);
    setError(null);
    sampled(client, bucket, objectKey, size, mediaType, abort.signal).then(
      found => !abort.signal.aborted && setSample(found),
      (problem: unknown) => !abort.signal.aborted && setError(problem)
    );
    return () => abort.abort();
  }, [client, bucket, objectKey, size, mediaType, attempt]);

  if (error !== null) {
    return <Problem error={error} retry={again} />;
  }
  if (!sample) {
    return <Skeleton />;
  }
  if (sample.kind === 'image') {
    return <Picture blob={sample.blob} label={objectKey} />;
  }
  if (sample.kind === 'table') {
    return <SampleTable {...sample} />;
  }
  if (sample.kind === 'chart') {
    return (
      <LoggedChart
        chart={sample.chart}
        label={objectKey.slice(objectKey.lastIndexOf('/') + 1)}
      />
    );
  }
  if (sample.kind === 'none') {
    return <p>{trans.__('There is no preview of this kind of object.')}</p>;
  }
  return (
    <>
      {sample.read < size && (
        <p className="jp-StudioNote">
          {trans.__('The first %1 of %2.', bytes(sample.read), bytes(size))}
        </p>
      )}
      <pre tabIndex={0} aria-label={trans.__('Beginning of %1', objectKey)}>
        {sample.text}
      </pre>
    </>
  );
}

function SampleTable(props: {
  header: string[];
  rows: Cell[][];
  note: string;
  whole: boolean;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { header, rows } = props;
  return (
    <>
      <p className="jp-StudioNote">
        {props.whole
          ? trans._n('%1 row', '%1 rows', rows.length)
          : props.note ||
            trans._n('The first row', 'The first %1 rows', rows.length)}
      </p>
      <div className="jp-StudioPreview-table" tabIndex={0}>
        <table aria-label={trans.__('First rows')}>
          {header.length > 0 && (
            <thead>
              <tr>
                {header.map((name, index) => (
                  <th key={index} scope="col">
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
          )}
          <tbody>
            {rows.map((row, index) => (
              <tr key={index}>
                {row.map((cell, column) => (
                  <td key={column}>{cell === null ? '' : String(cell)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Picture(props: { blob: Blob; label: string }): React.JSX.Element {
  const [url, setUrl] = React.useState<string | undefined>(undefined);
  React.useEffect(() => {
    const made = URL.createObjectURL(props.blob);
    setUrl(made);
    return () => URL.revokeObjectURL(made);
  }, [props.blob]);
  return <img className="jp-StudioPreview-image" src={url} alt={props.label} />;
}

async function sampled(
  client: Client,
  bucket: string,
  key: string,
  size: number,
  mediaType: string | undefined,
  signal: AbortSignal
): Promise<Sample> {
  const extension =
    EXTENSIONS[mediaType ?? ''] ?? key.split('.').pop()!.toLowerCase();
  if (extension in IMAGES) {
    if (size > MOST_IMAGE) {
      return { kind: 'none' };
    }
    const response = await client.s3('GET', bucket, key, {}, { signal });
    const data = await response.arrayBuffer();
    return {
      kind: 'image',
      blob: new Blob([data], { type: IMAGES[extension] })
    };
  }
  if (/\.(parquet|(csv|tsv|jsonl)\.(gz|zst))$/i.test(key)) {
    return tabular(client, `s3://${bucket}/${key}`, signal);
  }
  const most = extension === 'json' && size <= MOST_JSON ? size : MOST_TEXT;
  const headers = { Range: `bytes=0-${most - 1}` };
  const response = size
    ? await client.s3('GET', bucket, key, {}, { headers, signal })
    : new Response('');
  const data = new Uint8Array(await response.arrayBuffer());
  return readable(data, extension, size);
}

/** The first rows, read by the data engine. */
async function tabular(
  client: Client,
  uri: string,
  signal: AbortSignal
): Promise<Sample> {
  const request = { source: { uri }, limit: ROWS };
  type Line = { part?: RowsAnswer; error?: { message: string } };
  for await (const line of client.stream<Line>('data/rows', request, signal)) {
    if (line.error) {
      throw new Error(line.error.message);
    }
    if (line.part?.rows) {
      const { columns, rows, total, column_count: all } = line.part;
      return {
        kind: 'table',
        header: columns.map(({ name, type }) => `${name}: ${type}`),
        rows,
        whole: rows.length === total && columns.length === all,
        note:
          `${rows.length} of ${total.toLocaleString()} rows, ` +
          `${columns.length} of ${all.toLocaleString()} columns`
      };
    }
  }
  return { kind: 'none' };
}

function readable(data: Uint8Array, extension: string, size: number): Sample {
  if (data.subarray(0, 8192).includes(0)) {
    return { kind: 'none' };
  }
  // The cut may be within a character.
  const text = new TextDecoder().decode(data, { stream: true });
  const whole = data.length >= size;
  if (extension === 'csv' || extension === 'tsv') {
    const delimiter = extension === 'tsv' ? '\t' : ',';
    const rows = firstRows(text, delimiter, ROWS + 1, whole);
    return {
      kind: 'table',
      header: [],
      rows: rows.slice(0, ROWS),
      note: '',
      whole: whole && rows.length <= ROWS
    };
  }
  const chart = whole ? loggedChart(text) : null;
  const logged = chart
    ? { kind: 'chart' as const, chart }
    : whole
      ? loggedTable(text)
      : null;
  if (logged) {
    return logged;
  }
  const read = Math.min(data.length, MOST_TEXT);
  const pretty = extension === 'json' && read === size;
  return {
    kind: 'text',
    text: pretty ? indented(text) : text.slice(0, read),
    read
  };
}

/** A table that a tracker logged: `{"type": "Table", "fields": […], "data": {column: […]}}`. */
export function loggedTable(text: string): (Sample & { kind: 'table' }) | null {
  if (!/^\s*\{/.test(text)) {
    return null;
  }
  try {
    const { type, fields, data } = JSON.parse(text) as {
      type?: string;
      fields?: { name: string }[];
      data?: Record<string, Cell[]>;
    };
    if (type !== 'Table' || !fields || !data) {
      return null;
    }
    const header = fields.map(each => each.name);
    const count = Math.max(0, ...header.map(name => data[name].length));
    const rows = Array.from({ length: Math.min(count, ROWS) }, (_, i) =>
      header.map(name => data[name][i] ?? null)
    );
    const note = `${rows.length} of ${count.toLocaleString()} rows`;
    return { kind: 'table', header, rows, note, whole: rows.length === count };
  } catch {
    // Other JSON, or a table that is none: it is shown as text.
    return null;
  }
}

function indented(text: string): string {
  try {
    return JSON.stringify(JSON.parse(text), undefined, 2);
  } catch {
    return text;
  }
}
