import { InputDialog } from '@jupyterlab/apputils';

import { confirmed } from '../core/confirm';
import { forEach } from '../core/each';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';

const NAME = '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,119}';
const MOST_TRIALS = 100;

/** Ask for a name and make an experiment; its name, or null. */
export async function newExperiment(studio: IStudio): Promise<string | null> {
  const { client, trans } = studio;
  const name = await askName(studio, trans.__('New experiment'));
  const made =
    name &&
    (await told(
      client.call('sagemaker', 'CreateExperiment', { ExperimentName: name }),
      trans.__('The experiment was not made')
    ));
  return made ? name : null;
}

/** Ask for a name and make a trial of an experiment. */
export async function newTrial(
  studio: IStudio,
  experiment: string
): Promise<void> {
  const { client, trans } = studio;
  const name = await askName(studio, trans.__('New trial of %1', experiment));
  if (name) {
    await told(
      client.call('sagemaker', 'CreateTrial', {
        ExperimentName: experiment,
        TrialName: name
      }),
      trans.__('The trial was not made')
    );
  }
}

/** Give an experiment, or one of its trials, another name on screen. */
export async function rename(
  studio: IStudio,
  thing: { experiment: string } | { trial: string },
  title: string
): Promise<void> {
  const { client, trans } = studio;
  const { value } = await InputDialog.getText({
    title: trans.__('Rename %1', title),
    label: trans.__(
      'The name on screen: letters, digits and hyphens. Code goes on using %1.',
      'trial' in thing ? thing.trial : thing.experiment
    ),
    text: title,
    pattern: NAME,
    okLabel: trans.__('Rename')
  });
  const DisplayName = value?.trim();
  if (DisplayName && DisplayName !== title) {
    await told(
      'trial' in thing
        ? client.call('sagemaker', 'UpdateTrial', {
            TrialName: thing.trial,
            DisplayName
          })
        : client.call('sagemaker', 'UpdateExperiment', {
            ExperimentName: thing.experiment,
            DisplayName
          }),
      trans.__('Not renamed')
    );
  }
}

/** Ask, then delete experiments with their trials; the components stay. */
export async function deleteExperiments(
  studio: IStudio,
  names: string[]
): Promise<void> {
  const { client, trans } = studio;
  const sure = await confirmed(
    trans._n('Delete this experiment?', 'Delete %1 experiments?', names.length),
    trans.__(
      'Its trials are deleted too. The trial components, with all that they logged, stay and become unassigned.'
    ),
    trans.__('Delete'),
    names
  );
  if (sure) {
    await forEach(
      names,
      async ExperimentName => {
        for (const trial of await trialsOf(studio, ExperimentName)) {
          await removeTrial(studio, trial);
        }
        await client.call('sagemaker', 'DeleteExperiment', { ExperimentName });
      },
      trans.__('Not deleted')
    );
  }
}

/** Ask, then delete a trial; its components stay. */
export async function deleteTrial(
  studio: IStudio,
  name: string
): Promise<void> {
  const { trans } = studio;
  const sure = await confirmed(
    trans.__('Delete this trial?'),
    trans.__('Its trial components stay, with all that they logged.'),
    trans.__('Delete'),
    [name]
  );
  if (sure) {
    await told(removeTrial(studio, name), trans.__('Not deleted'));
  }
}

/** Take the components out, some at a time from what is left, and delete the trial. */
async function removeTrial({ client }: IStudio, name: string): Promise<void> {
  for (;;) {
    const found = await client.call('sagemaker', 'ListTrialComponents', {
      TrialName: name,
      MaxResults: 100
    });
    const names = (found.TrialComponentSummaries ?? []).map(
      each => each.TrialComponentName!
    );
    if (!names.length) {
      break;
    }
    const { Errors } = await client.call('studio', 'UpdateTrialComponents', {
      Names: names,
      RemoveFromTrial: name
    });
    if (Errors.length) {
      throw new Error(`${Errors[0].Name}: ${Errors[0].Message}`);
    }
  }
  await client.call('sagemaker', 'DeleteTrial', { TrialName: name });
}

async function trialsOf(
  { client }: IStudio,
  ExperimentName: string
): Promise<string[]> {
  const names: string[] = [];
  let NextToken: string | undefined;
  do {
    const found = await client.call('sagemaker', 'ListTrials', {
      ExperimentName,
      MaxResults: MOST_TRIALS,
      ...(NextToken && { NextToken })
    });
    names.push(...(found.TrialSummaries ?? []).map(each => each.TrialName!));
    NextToken = found.NextToken;
  } while (NextToken);
  return names;
}

async function askName(
  { trans }: IStudio,
  title: string
): Promise<string | null> {
  const { value } = await InputDialog.getText({
    title,
    label: trans.__('Name: letters, digits and hyphens, 120 at most'),
    pattern: NAME,
    required: true,
    okLabel: trans.__('Create')
  });
  return value?.trim() || null;
}

/** Whether it went well; if not, the user is told. */
async function told(done: Promise<unknown>, failed: string): Promise<boolean> {
  try {
    await done;
    return true;
  } catch (error) {
    notifyError(failed, error);
    return false;
  }
}
