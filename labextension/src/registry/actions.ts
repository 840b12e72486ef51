import { InputDialog } from '@jupyterlab/apputils';

import { confirmed } from '../core/confirm';
import { ApiError, notifyError } from '../core/errors';
import { CommandIDs, type IStudio } from '../tokens';
import type { sagemaker } from '../wire';
import {
  ALIAS,
  type ApprovalStatus,
  type IGroup,
  type IVersion
} from './versions';

const NAME = '[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}';
const MOST = 100;

/** Ask for a group, make it if there is none, and register what a job or a model has in it. */
export async function register(
  studio: IStudio,
  of: { job?: string; model?: string }
): Promise<void> {
  const { client, commands, trans } = studio;
  const name = of.job ?? of.model ?? '';
  const known = await client.call('sagemaker', 'ListModelPackageGroups', {
    MaxResults: MOST,
    SortBy: 'CreationTime',
    SortOrder: 'Descending'
  });
  const groups = known.ModelPackageGroupSummaryList.map(
    each => each.ModelPackageGroupName
  );
  const { value } = await InputDialog.getItem({
    title: trans.__('Register %1', name),
    label: trans.__('Group: one that there is, or the name of a new one'),
    items: groups.length ? groups : [name.slice(0, 63)],
    editable: true,
    okLabel: trans.__('Register')
  });
  const group = value?.trim();
  if (!group) {
    return;
  }
  try {
    if (!groups.includes(group)) {
      await made(studio, group);
    }
    await client.call('sagemaker', 'CreateModelPackage', {
      ModelPackageGroupName: group,
      ...(await sourceOf(studio, of))
    });
    await commands.execute(CommandIDs.openModelGroup, { name: group });
  } catch (error) {
    notifyError(trans.__('%1 was not registered', name), error);
  }
}

/** Ask for a name and make a group without versions. */
export async function newGroup(studio: IStudio): Promise<void> {
  const { commands, trans } = studio;
  const { value } = await InputDialog.getText({
    title: trans.__('New model group'),
    label: trans.__('Name: letters, digits and hyphens, 63 at most'),
    pattern: NAME,
    required: true,
    okLabel: trans.__('Create')
  });
  const name = value?.trim();
  if (name) {
    await told(made(studio, name), trans.__('The group was not made'));
    await commands.execute(CommandIDs.openModelGroup, { name });
  }
}

/** Say whether a version may be deployed, with a comment. */
export async function decide(
  { client, trans }: IStudio,
  version: IVersion,
  status: ApprovalStatus
): Promise<void> {
  const { button, value } = await InputDialog.getText({
    title: trans.__(
      'Version %1: %2',
      version.number,
      approvalOf(status, trans)
    ),
    label: trans.__('Comment'),
    text: version.comment,
    okLabel: trans.__('Save')
  });
  if (button.accept) {
    await told(
      client.call('sagemaker', 'UpdateModelPackage', {
        ModelPackageArn: version.arn,
        ModelApprovalStatus: status,
        ApprovalDescription: value ?? ''
      }),
      trans.__('The approval was not changed')
    );
  }
}

/** Ask for an alias, and have it name this version, whichever it named before. */
export async function addAlias(
  { client, trans }: IStudio,
  group: IGroup,
  version: IVersion
): Promise<void> {
  const taken = [...new Set(group.versions.flatMap(each => each.aliases))];
  const { value } = await InputDialog.getItem({
    title: trans.__('Alias of version %1', version.number),
    label: trans.__('One that another version has moves here'),
    items: taken.length ? taken : ['champion'],
    editable: true,
    okLabel: trans.__('Set')
  });
  const alias = value?.trim();
  if (alias) {
    const tag = { Key: ALIAS + alias, Value: String(version.number) };
    await told(
      client.call('sagemaker', 'AddTags', {
        ResourceArn: group.arn,
        Tags: [tag]
      }),
      trans.__('The alias was not set')
    );
  }
}

/** Take an alias off the version that it names. */
export async function removeAlias(
  { client, trans }: IStudio,
  group: IGroup,
  alias: string
): Promise<void> {
  await told(
    client.call('sagemaker', 'DeleteTags', {
      ResourceArn: group.arn,
      TagKeys: [ALIAS + alias]
    }),
    trans.__('The alias was not removed')
  );
}

/** Ask, then delete a version; its artifact and the models made of it stay. */
export async function deleteVersion(
  { client, trans }: IStudio,
  group: string,
  version: IVersion
): Promise<void> {
  const sure = await confirmed(
    trans.__('Delete version %1 of %2?', version.number, group),
    trans.__(
      'Models that were made of it stay, and so does its artifact in S3. Its number is not given again.'
    ),
    trans.__('Delete')
  );
  if (sure) {
    await told(
      client.call('sagemaker', 'DeleteModelPackage', {
        ModelPackageName: version.arn
      }),
      trans.__('The version was not deleted')
    );
  }
}

/** Ask, then delete groups that have no version left; true when it was done. */
export async function deleteGroups(
  { client, trans }: IStudio,
  names: string[]
): Promise<boolean> {
  const sure = await confirmed(
    trans._n('Delete the group?', 'Delete %1 groups?', names.length),
    trans.__('Only groups without versions can be deleted.'),
    trans.__('Delete'),
    names
  );
  for (const name of sure ? names : []) {
    const call = client.call('sagemaker', 'DeleteModelPackageGroup', {
      ModelPackageGroupName: name
    });
    if (!(await told(call, trans.__('The group %1 was not deleted', name)))) {
      return false;
    }
  }
  return sure;
}

/** How people call a status. */
export function approvalOf(status: string, trans: IStudio['trans']): string {
  return status === 'PendingManualApproval' ? trans.__('Pending') : status;
}

async function made({ client }: IStudio, name: string): Promise<void> {
  try {
    await client.call('sagemaker', 'CreateModelPackageGroup', {
      ModelPackageGroupName: name
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.message.includes('already'))) {
      throw error;
    }
  }
}

/** What a version of it says of its server. */
async function sourceOf(
  { client, trans }: IStudio,
  of: { job?: string; model?: string }
): Promise<Partial<sagemaker.CreateModelPackageInput>> {
  if (of.model) {
    const model = await client.call('sagemaker', 'DescribeModel', {
      ModelName: of.model
    });
    return { SourceUri: model.ModelArn };
  }
  const job = await client.call('sagemaker', 'DescribeTrainingJob', {
    TrainingJobName: of.job ?? ''
  });
  const image = job.AlgorithmSpecification?.TrainingImage;
  if (!image || job.TrainingJobStatus !== 'Completed') {
    throw new Error(
      trans.__('Only what a completed training job made can be registered.')
    );
  }
  const container = {
    Image: image,
    ModelDataUrl: job.ModelArtifacts.S3ModelArtifacts
  };
  return {
    InferenceSpecification: { Containers: [container] },
    MetadataProperties: { GeneratedBy: job.TrainingJobArn }
  };
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
