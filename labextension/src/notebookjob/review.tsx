import React from 'react';

import { CodeTabs } from '../codegen/copyas';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { Code, Facts, Section } from '../components/parts';
import { called, checkTraining, plain, useFaults } from '../newjob/faults';
import { LONGEST_NAME as LONGEST_SCHEDULED } from '../schedules/target';
import type { IPart, Put } from './basis';
import {
  isNotebook,
  jobOf,
  LONGEST_NAME,
  prefixOf,
  scheduleOf
} from './request';

/** The name, and what is asked for as code. */
export function Review(props: IPart & { put: Put }): React.JSX.Element {
  const { trans } = useStudio();
  const { run, put } = props;
  const scheduled = run.when !== 'now';
  return (
    <Section title={trans.__('Review')}>
      <div className="jp-StudioNewJob-fields">
        <Field
          label={trans.__('Name')}
          required
          help={
            scheduled
              ? trans.__(
                  'Letters, digits and hyphens, %1 at most; each job that it starts gets an ending of its own.',
                  LONGEST_SCHEDULED
                )
              : trans.__('Letters, digits and hyphens, 63 at most.')
          }
        >
          {ids => (
            <input
              {...ids}
              type="text"
              spellCheck={false}
              maxLength={scheduled ? LONGEST_SCHEDULED : LONGEST_NAME}
              value={run.name}
              onChange={event => put({ name: event.target.value })}
            />
          )}
        </Field>
      </div>
      <Requests {...props} />
    </Section>
  );
}

/** What is asked for, as code. */
function Requests(props: IPart): React.JSX.Element {
  const { trans } = useStudio();
  const { run, path, basis } = props;
  if (run.when === 'now') {
    const request = jobOf(run, path, basis.defaults);
    return <CodeTabs calls={[{ operation: 'CreateTrainingJob', request }]} />;
  }
  const { Target, ...request } = scheduleOf(run, path, basis.defaults);
  const input = JSON.parse(Target.Input!) as unknown;
  const shown = { ...request, Target: { ...Target, Input: input } };
  return (
    <Code
      label={trans.__('CreateSchedule')}
      code={JSON.stringify(shown, null, 2)}
    />
  );
}

/** What the job will be called and come to, and what is still wrong with it. */
export function Summary(props: IPart): React.JSX.Element {
  const { trans } = useStudio();
  const { run, path, basis } = props;
  const request = React.useMemo(
    () => jobOf({ ...run, when: 'now' }, path, basis.defaults),
    [run, path, basis]
  );
  const faults = useFaults(request, request.TrainingJobName, checkTraining);
  // The files are put there when the job starts.
  const shown = faults.all?.filter(
    each => !each.Path.startsWith('InputDataConfig')
  );
  const place = `s3://${basis.defaults.Bucket}/${prefixOf(run)}`;
  return (
    <aside className="jp-StudioNewJob-summary" aria-label={trans.__('Summary')}>
      <Section title={trans.__('Summary')}>
        <Facts
          facts={[
            [trans.__('Name'), run.name],
            [
              trans.__('Changed'),
              trans._n(
                '%1 parameter',
                '%1 parameters',
                Object.keys(run.parameters).length
              )
            ],
            [trans.__('Kept in'), <code key="place">{place}</code>]
          ]}
        />
        <p className="jp-StudioField-help">
          {isNotebook(path)
            ? trans.__(
                'The notebook is taken as it is on disk. You may close the browser: the job goes on, and the notebook is kept after each cell, also when one fails.'
              )
            : trans.__(
                'The script is taken as it is on disk. You may close the browser: the job goes on. Its log is kept, and what it writes to /opt/ml/model and /opt/ml/output/data.'
              )}
        </p>
      </Section>
      {shown && shown.length > 0 && (
        <Section title={trans.__('To do')}>
          <ul className="jp-StudioSchedules-runs">
            {shown.map(each => (
              <li key={each.Path + each.Message}>
                <strong>{called(each.Path, request, trans)}</strong>
                <span>{plain(each.Message, trans)}</span>
              </li>
            ))}
          </ul>
        </Section>
      )}
    </aside>
  );
}
