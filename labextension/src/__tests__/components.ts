import type { IComponents } from '../compare/rows';

/** Components a, b, c ... with columns of numbers or texts. */
export function components(
  columns: Record<string, (number | string | undefined)[]>
): IComponents {
  const [first] = Object.values(columns);
  const names = first.map((_, at) => String.fromCharCode(97 + at));
  const values = Object.entries(columns).map(([field, given]) => {
    const texts = [...new Set(given.filter(it => typeof it === 'string'))];
    return [
      field,
      {
        field,
        numbers: Float64Array.from(given, it =>
          typeof it === 'number' ? it : NaN
        ),
        texts,
        codes: Int32Array.from(given, it => texts.indexOf(it as string))
      }
    ] as const;
  });
  return {
    total: names.length,
    matched: names.length,
    names,
    arns: names,
    titles: names.map(name => `Run <${name}>`),
    statuses: names.map(() => 'Completed'),
    values: new Map(values)
  };
}
