import type {
  ColumnProfile,
  DataFacts,
  Finding,
  ProfilePart
} from '../core/protocol';

/** What the data worker answers: one line a part, the last one final. */
export function ndjson(...parts: object[]): Response {
  const lines = parts.map((each, at) =>
    JSON.stringify({
      id: '1',
      part: each,
      ...(at === parts.length - 1 ? { final: true } : {})
    })
  );
  return new Response(lines.map(line => `${line}\n`).join(''));
}

export const facts: DataFacts = {
  name: 'flowers.csv',
  format: 'csv',
  bytes: 1000,
  files: [{ name: 'flowers.csv', bytes: 1000, rows: 100 }],
  file_count: 1,
  columns: ['a', 'b'],
  rows: 100,
  rows_estimate: null,
  rows_seen: 100,
  complete: true,
  delimiter: ',',
  header: true,
  encoding: 'utf-8',
  notes: [],
  code: "df = pd.read_csv('flowers.csv')"
};

/** A column of numbers, but for what is said. */
export function column(
  name: string,
  index: number,
  changes: Partial<ColumnProfile> = {}
): ColumnProfile {
  return {
    name,
    index,
    type: 'float',
    semantic: 'number',
    exact: true,
    rows: 100,
    count: 100,
    missing: 0,
    missing_share: 0,
    distinct: 50,
    distinct_exact: true,
    min: 0,
    max: 10,
    quantiles: [0, 0, 1, 3, 5, 7, 9, 10, 10],
    mean: 5,
    std: 1,
    skew: 0,
    zeros: 0,
    negative: 0,
    infinite: 0,
    outliers: 0,
    histogram: { edges: [0, 5, 10], counts: [60, 40] },
    top: [],
    other: 100,
    examples: [1, 2],
    lengths: null,
    power: null,
    ...changes
  };
}

export const finding: Finding = {
  kind: 'missing',
  severity: 'high',
  title: 'Missing values',
  words: 'a is missing in 90 of 100 rows.',
  columns: ['a'],
  count: 90,
  share: 0.9,
  fix: "df = df.drop(columns=['a'])",
  filters: [{ op: 'missing', column: 'a' }],
  exact: true
};

/** A part of a profile, but for what is said. */
export function part(changes: Partial<ProfilePart>): ProfilePart {
  return {
    phase: 'sample',
    progress: 0.1,
    doing: 'reading flowers.csv',
    data: facts,
    columns: [],
    findings: [],
    target: null,
    definitions: {},
    ...changes
  };
}
