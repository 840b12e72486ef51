import React from 'react';

import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import type { studio } from '../wire';
import { useForm, useWarning } from './form';
import type { IPeek } from './peek';

/** A hyperparameter that does not go with the data, and what would. */
export interface ISuggestion {
  name: string;
  value: string;
  /** Rows of data, where there are too few for the value that holds. */
  rows?: number;
}

/** Values for the hyperparameters that depend on the data. */
export function Suggestions({ found }: { found: IPeek }): React.JSX.Element {
  const { trans } = useStudio();
  const { algorithm, draft, set } = useForm();
  const made = suggestions(found, algorithm!, draft.HyperParameters ?? {});
  const few = made.find(each => each.rows !== undefined);
  useWarning(
    'HyperParameters.mini_batch_size',
    few &&
      trans.__(
        'The data has about %1 rows, fewer than that.',
        number(few.rows!)
      )
  );
  return (
    <>
      {made.map(({ name, value, rows }) => (
        <p key={name} className="jp-StudioNewJob-row">
          {rows !== undefined &&
            trans.__('About %1 rows, fewer than %2.', number(rows), name)}
          <button
            className="jp-StudioButton"
            onClick={() => set(['HyperParameters', name], value)}
          >
            {trans.__('Set %1 to %2', name, value)}
          </button>
        </p>
      ))}
    </>
  );
}

/** What the data says of `feature_dim`, where that is wanted, and of `mini_batch_size`. */
export function suggestions(
  found: IPeek,
  algorithm: studio.DescribeAlgorithmResponse,
  given: Record<string, string>
): ISuggestion[] {
  const made: ISuggestion[] = [];
  const row = (name: string) =>
    algorithm.HyperParameters.find(each => each.Name === name);
  const width = found.columns - algorithm.LabelColumns;
  if (
    row('feature_dim')?.IsRequired &&
    width > 0 &&
    given['feature_dim'] !== String(width)
  ) {
    made.push({ name: 'feature_dim', value: String(width) });
  }
  const rows = found.count - (found.named ? 1 : 0);
  const batch =
    given['mini_batch_size'] ?? row('mini_batch_size')?.DefaultValue ?? '';
  // The others take what there is.
  const strict = algorithm.AlgorithmName === 'linear-learner';
  if (strict && found.alone && rows > 0 && Number(batch) > rows) {
    made.push({ name: 'mini_batch_size', value: batchFor(rows), rows });
  }
  return made;
}

/** A power of two that makes at least four batches of the rows. */
function batchFor(rows: number): string {
  return String(2 ** Math.max(0, Math.floor(Math.log2(rows / 4))));
}
