import React from 'react';

import { useStudio } from '../components/hooks';
import { confirmed } from '../core/confirm';
import { notifyError } from '../core/errors';
import type { studio } from '../wire';

type Test = studio.DescribeVariantTestResponse;
type Verb =
  | 'PromoteTreatment'
  | 'RollbackTreatment'
  | 'StopVariantTest'
  | 'DeleteVariantTest';

/** What can be done with a test: each asks first. */
export function VerdictActions(props: { test: Test }): React.JSX.Element {
  const { client, trans } = useStudio();
  const [busy, setBusy] = React.useState(false);
  const { test } = props;
  const running = test.VariantTestStatus === 'Running';
  const [control, treatment] = [test.ControlVariant, test.TreatmentVariant];
  const ask = async (
    verb: Verb,
    question: string,
    body: string,
    label: string,
    failed: string
  ) => {
    if (!(await confirmed(question, body, label))) {
      return;
    }
    setBusy(true);
    try {
      await client.call('studio', verb, {
        VariantTestName: test.VariantTestName
      });
    } catch (error) {
      notifyError(failed, error);
    } finally {
      setBusy(false);
    }
  };
  const ends = running ? ` ${trans.__('The test ends.')}` : '';
  const disabled = busy || test.Action !== undefined;
  const done = test.Decision?.Action;
  return (
    <div className="jp-StudioRollout-actions">
      <button
        className={`jp-StudioButton ${test.VariantTestStatus === 'TreatmentWon' && !done ? 'jp-mod-accept' : ''}`}
        disabled={disabled || done === 'Promote'}
        onClick={() =>
          void ask(
            'PromoteTreatment',
            trans.__('Promote %1?', treatment),
            trans.__(
              '%1 gets the requests of %2 too. Both go on running, so that the way back is short.',
              treatment,
              control
            ) + ends,
            trans.__('Promote'),
            trans.__('%1 was not promoted', treatment)
          )
        }
      >
        {trans.__('Promote %1…', treatment)}
      </button>
      <button
        className="jp-StudioButton"
        disabled={disabled || done === 'RollBack'}
        onClick={() =>
          void ask(
            'RollbackTreatment',
            trans.__('Roll back to %1?', control),
            trans.__(
              '%1 gets the requests of %2 too. Both go on running, so that the way back is short.',
              control,
              treatment
            ) + ends,
            trans.__('Roll back'),
            trans.__('%1 was not rolled back', treatment)
          )
        }
      >
        {trans.__('Roll back to %1…', control)}
      </button>
      {running ? (
        <button
          className="jp-StudioButton jp-mod-warn"
          disabled={disabled}
          onClick={() =>
            void ask(
              'StopVariantTest',
              trans.__('Stop the test %1?', test.VariantTestName),
              trans.__(
                'It ends without a verdict, and cannot go on later. The weights stay as they are.'
              ),
              trans.__('Stop'),
              trans.__('The test was not stopped')
            )
          }
        >
          {trans.__('Stop…')}
        </button>
      ) : (
        <button
          className="jp-StudioButton jp-mod-minimal"
          disabled={disabled}
          onClick={() =>
            void ask(
              'DeleteVariantTest',
              trans.__('Delete the test %1?', test.VariantTestName),
              trans.__('What it found is forgotten. The weights stay.'),
              trans.__('Delete'),
              trans.__('The test was not deleted')
            )
          }
        >
          {trans.__('Delete…')}
        </button>
      )}
    </div>
  );
}
