import type { TranslationBundle } from '@jupyterlab/translation';

import { parseS3 } from '../core/s3';
import { ofAnswers } from './answers';
import {
  DEFAULT_LATENCY,
  DEFAULT_MOST,
  DEFAULT_SHARE,
  DEFAULT_TYPE,
  type IArtifact,
  type IBefore,
  type IDraft,
  type IKnown,
  type IPlan,
  type Step
} from './draft';
import { wrong } from './stages';

const NAME = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,62}$/;
const TYPE = /^ml\.[a-z0-9-]+\.[a-z0-9-]+$/;

/** What is wrong with a draft, and on which step. */
export function problems(
  draft: IDraft,
  known: IKnown,
  artifact: IArtifact | null,
  named: { model: string; endpoint: string },
  before: IBefore,
  trans: TranslationBundle
): IPlan['problems'] {
  const found: IPlan['problems'] = [];
  const add = (step: Step, field: string, said: string) =>
    found.push({ step, field, text: said });
  const { source, target } = draft;
  if (!source?.name) {
    add('model', 'source', trans.__('Choose what to deploy.'));
  } else if (source.kind !== 'model') {
    if (!NAME.test(named.model)) {
      add(
        'model',
        'modelName',
        trans.__(
          'A name has 1 to 63 letters, digits and single hyphens, none at its ends.'
        )
      );
    } else if (known.models.includes(named.model)) {
      add(
        'model',
        'modelName',
        trans.__('There is a model %1 already.', named.model)
      );
    }
    const latency = draft.latency ?? DEFAULT_LATENCY;
    if (draft.batching && !(latency >= 1 && latency <= 10_000)) {
      add(
        'model',
        'latency',
        trans.__('A whole number from %1 to %2 is needed.', 1, 10_000)
      );
    }
    if (source.kind === 'data' && !artifact) {
      add('model', 'image', trans.__('Say which image serves it.'));
    } else if (source.kind === 'job' && !artifact) {
      add(
        'model',
        'source',
        trans.__(
          'There is no artifact: only what a completed training job made can be deployed.'
        )
      );
    }
  }
  if (draft.serverless) {
    found.push(...ofServerless(draft, trans));
  } else if (!TYPE.test(draft.instanceType ?? DEFAULT_TYPE)) {
    add(
      'where',
      'instanceType',
      trans.__('Name an instance type, such as ml.m5.large.')
    );
  }
  if (!draft.serverless && (draft.count ?? 1) < 1) {
    add('where', 'count', trans.__('At least one instance is needed.'));
  }
  found.push(...ofAnswers(draft, known, before, trans));
  const endpoint = known.endpoints.find(each => each.name === named.endpoint);
  if (target) {
    if (!endpoint) {
      add('traffic', 'target', trans.__('There is no endpoint %1.', target));
    } else if (endpoint.status !== 'InService') {
      add(
        'traffic',
        'target',
        trans.__(
          'The endpoint %1 is %2: only one that is InService can be updated.',
          target,
          endpoint.status
        )
      );
    }
  } else if (!NAME.test(named.endpoint)) {
    add(
      'traffic',
      'endpointName',
      trans.__(
        'A name has 1 to 63 letters, digits and single hyphens, none at its ends.'
      )
    );
  } else if (endpoint) {
    add(
      'traffic',
      'endpointName',
      trans.__('There is an endpoint %1 already.', named.endpoint)
    );
  }
  for (const { field, least, most } of target ? wrong(draft) : []) {
    add(
      'traffic',
      field,
      trans.__('A whole number from %1 to %2 is needed.', least, most)
    );
  }
  if (draft.capture !== undefined) {
    if (!(draft.capture >= 1 && draft.capture <= 100)) {
      add('traffic', 'capture', trans.__('Record 1 to 100 per cent.'));
    }
    if (!parseS3(draft.captureUri ?? `s3://${known.bucket}/`)) {
      add(
        'traffic',
        'captureUri',
        trans.__('A URI such as s3://bucket/folder.')
      );
    }
  }
  const share = draft.share ?? DEFAULT_SHARE;
  const shares = target ? draft.keep : draft.beside;
  if (shares && !(share > 0 && share < (draft.shadow ? 101 : 100))) {
    add(
      'traffic',
      'share',
      draft.shadow
        ? trans.__('A shadow is asked more than 0 and at most 100 per cent.')
        : trans.__('The share is more than 0 and less than 100 per cent.')
    );
  }
  return found;
}

/** What is wrong with the size of a serverless endpoint. */
function ofServerless(
  draft: IDraft,
  trans: TranslationBundle
): IPlan['problems'] {
  const { most = DEFAULT_MOST, warm = 0, idle } = draft.serverless!;
  const found: IPlan['problems'] = [];
  const bounded = (field: string, value: number, least: number, top: number) =>
    (Number.isInteger(value) && value >= least && value <= top) ||
    found.push({
      step: 'where',
      field,
      text: trans.__('A whole number from %1 to %2 is needed.', least, top)
    });
  bounded('most', most, 1, 200);
  bounded('warm', warm, 0, most);
  bounded('idle', idle ?? 1, 1, 86_400);
  if (
    (draft.target ? draft.keep : draft.beside) ||
    draft.capture !== undefined
  ) {
    found.push({
      step: 'where',
      field: 'serverless',
      text: trans.__(
        'A serverless endpoint serves one model and records nothing, as on AWS.'
      )
    });
  }
  return found;
}
