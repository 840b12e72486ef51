import type { TranslationBundle } from '@jupyterlab/translation';

import { parseS3 } from '../core/s3';
import type { sagemaker } from '../wire';
import type { IBefore, IDraft, IKnown, IPlan } from './draft';

/** Requests that an instance is sent at once where nothing is said, as on AWS. */
export const DEFAULT_AT_ONCE = 4;
const MOST_AT_ONCE = 1000;

/** Where answers and failures go unless somebody says. */
export function places(
  draft: IDraft,
  endpoint: string,
  known: IKnown
): { output: string; failure: string } {
  const { output, failure } = draft.asynchronous ?? {};
  return {
    output: output ?? `s3://${known.bucket}/${endpoint}/answers`,
    failure: failure ?? `s3://${known.bucket}/${endpoint}/failures`
  };
}

/** What the configuration says of answers to S3: an update goes on as `before`. */
export function answersOf(
  draft: IDraft,
  endpoint: string,
  known: IKnown,
  before: IBefore
): Partial<sagemaker.CreateEndpointConfigInput> {
  if (draft.target) {
    return before.asynchronous
      ? { AsyncInferenceConfig: before.asynchronous }
      : {};
  }
  if (!draft.asynchronous) {
    return {};
  }
  const { output, failure } = places(draft, endpoint, known);
  const most = draft.asynchronous.most ?? DEFAULT_AT_ONCE;
  return {
    AsyncInferenceConfig: {
      OutputConfig: {
        S3OutputPath: output,
        ...(failure ? { S3FailurePath: failure } : {})
      },
      ClientConfig: { MaxConcurrentInvocationsPerInstance: most }
    }
  };
}

/** What is wrong with an endpoint that answers to S3, or with an update that would make it one. */
export function ofAnswers(
  draft: IDraft,
  known: IKnown,
  before: IBefore,
  trans: TranslationBundle
): IPlan['problems'] {
  const found: IPlan['problems'] = [];
  const add = (field: string, text: string) =>
    found.push({ step: 'where', field, text });
  const { target, asynchronous } = draft;
  if (target && asynchronous && !before.asynchronous) {
    add(
      'asynchronous',
      trans.__(
        '%1 answers at once, and an update can’t change that: choose instances, or a new endpoint.',
        target
      )
    );
  }
  if (target && before.asynchronous && draft.serverless) {
    add(
      'asynchronous',
      trans.__('%1 answers to S3: such an endpoint has instances.', target)
    );
  }
  const answers = target ? before.asynchronous : asynchronous;
  const shadows = (target ? draft.keep : draft.beside) && draft.shadow;
  if (answers && (shadows || draft.capture !== undefined)) {
    add(
      'asynchronous',
      trans.__(
        'An endpoint that answers to S3 has no shadow, and records nothing.'
      )
    );
  }
  if (!target && asynchronous) {
    const { output, failure } = places(draft, '', known);
    const uri = trans.__('A URI such as s3://bucket/folder.');
    if (!parseS3(output)) {
      add('output', uri);
    }
    if (failure && !parseS3(failure)) {
      add('failure', uri);
    }
    const most = asynchronous.most ?? DEFAULT_AT_ONCE;
    if (!(Number.isInteger(most) && most >= 1 && most <= MOST_AT_ONCE)) {
      add(
        'atOnce',
        trans.__('A whole number from %1 to %2 is needed.', 1, MOST_AT_ONCE)
      );
    }
  }
  return found;
}
