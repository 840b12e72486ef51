import { Dialog, showDialog } from '@jupyterlab/apputils';

import { notifyError, told } from '../core/errors';
import type { IStudio } from '../tokens';
import { DeleteForm, type ILeft, orphans } from './delete';

/** Delete endpoints after asking, with their configurations and models if wanted. */
export async function deleteEndpoints(
  studio: IStudio,
  names: string[]
): Promise<boolean> {
  const { trans } = studio;
  let left: ILeft;
  try {
    left = await orphans(studio.client, names);
  } catch (error) {
    notifyError(trans.__('What the endpoints use could not be read'), error);
    return false;
  }
  const body = new DeleteForm(names, left, trans);
  const answer = await showDialog({
    title: trans._n(
      'Delete the endpoint?',
      'Delete %1 endpoints?',
      names.length
    ),
    body,
    buttons: [
      Dialog.cancelButton(),
      Dialog.warnButton({ label: trans.__('Delete') })
    ],
    defaultButton: 0
  });
  if (!answer.button.accept) {
    return false;
  }
  return deleteAll(studio, names, answer.value ?? { configs: [], models: [] });
}

async function deleteAll(
  { client, trans }: IStudio,
  names: string[],
  also: ILeft
): Promise<boolean> {
  const steps: [string, () => Promise<unknown>][] = [
    ...names.map((name): [string, () => Promise<unknown>] => [
      name,
      () => client.call('sagemaker', 'DeleteEndpoint', { EndpointName: name })
    ]),
    ...also.configs.map((name): [string, () => Promise<unknown>] => [
      name,
      () =>
        client.call('sagemaker', 'DeleteEndpointConfig', {
          EndpointConfigName: name
        })
    ]),
    ...also.models.map((name): [string, () => Promise<unknown>] => [
      name,
      () => client.call('sagemaker', 'DeleteModel', { ModelName: name })
    ])
  ];
  for (const [name, step] of steps) {
    try {
      await step();
    } catch (error) {
      notifyError(trans.__('%1 was not deleted', name), told(error));
      return false;
    }
  }
  return true;
}
