import { Clipboard } from '@jupyterlab/apputils';
import React from 'react';

import { Field } from '../components/form';
import { useLive, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import { pickS3 } from '../components/s3picker';
import type { studio } from '../wire';
import { Answer, Calls } from './answer';
import { useAsking } from './asking';
import { asBoto3, asCurl, type IRequest } from './console';
import { LoadTest } from './load';

const SEND_KEYS = 'Ctrl+Enter';
const EXAMPLE = 's3://bucket/object';
const [CSV_TYPE, JSON_TYPE, LINES_TYPE] = [
  'text/csv',
  'application/json',
  'application/jsonlines'
];
/** A longer body is not kept in the page's address. */
const LONGEST_KEPT = 20_000;
const TYPES: Record<string, string> = {
  csv: 'text/csv',
  json: 'application/json',
  jsonl: 'application/jsonlines',
  libsvm: 'text/libsvm',
  parquet: 'application/x-parquet'
};

/** A console that asks the endpoint; it opens with rows of the training data. */
export function TestConsole(props: {
  endpoint: string;
  variants: string[];
  /** Whether a request has to name a model. */
  many: boolean;
  ready: boolean;
  /** Where an asynchronous endpoint answers. */
  answers?: string;
  request: Partial<IRequest> | undefined;
  onRequest: (request: IRequest) => void;
}): React.JSX.Element {
  const { endpoint, variants } = props;
  const { client, trans } = useStudio();
  const sample = useLive(
    signal =>
      client.call(
        'studio',
        'GetSampleRequest',
        { EndpointName: endpoint, VariantName: props.request?.variant },
        signal
      ),
    event =>
      event.type === 'resource' &&
      event.Kind === 'endpoint' &&
      event.Name === endpoint,
    [client, endpoint, props.request?.variant]
  ).value;
  const [file, setFile] = React.useState<File | null>(null);
  const asking = useAsking(endpoint, props.answers);
  const { busy, calls, shown } = asking;
  const request = React.useMemo(
    () => filled(props.request, sample, !!props.answers),
    [props.request, sample, props.answers]
  );
  const change = (changes: Partial<IRequest>) => {
    const next = { ...request, ...changes };
    props.onRequest(next);
  };
  const send = async () => {
    if (!busy && props.ready) {
      await asking.send(request, file);
    }
  };
  const onKeyDown = (event: React.KeyboardEvent) => {
    if (event.key === 'Enter' && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      event.stopPropagation();
      void send();
    }
  };
  const types = sample?.ContentTypes ?? ['text/csv', 'application/json'];
  return (
    <div className="jp-StudioConsole" onKeyDown={onKeyDown}>
      <Section title={trans.__('Request')}>
        <div className="jp-StudioConsole-options">
          <Field label={trans.__('Content type')}>
            {ids => (
              <select
                {...ids}
                value={request.contentType}
                onChange={event =>
                  change(ofType(request, event.target.value, sample))
                }
              >
                {[...new Set([...types, request.contentType])].map(type => (
                  <option key={type}>{type}</option>
                ))}
              </select>
            )}
          </Field>
          <Field label={trans.__('Answer as')}>
            {ids => (
              <select
                {...ids}
                value={request.accept}
                onChange={event => change({ accept: event.target.value })}
              >
                <option value="">{trans.__("the model's choice")}</option>
                <option>{JSON_TYPE}</option>
                <option>{CSV_TYPE}</option>
                <option>{LINES_TYPE}</option>
              </select>
            )}
          </Field>
          {props.many && (
            <Field label={trans.__('Model')}>
              {ids => (
                <input
                  {...ids}
                  type="text"
                  placeholder={trans.__('model.tar.gz')}
                  value={request.model ?? ''}
                  onChange={event => change({ model: event.target.value })}
                />
              )}
            </Field>
          )}
          {variants.length > 1 && !request.later && (
            <Field label={trans.__('Variant')}>
              {ids => (
                <select
                  {...ids}
                  value={request.variant}
                  onChange={event => change({ variant: event.target.value })}
                >
                  <option value="">{trans.__('by weight')}</option>
                  {variants.map(each => (
                    <option key={each}>{each}</option>
                  ))}
                </select>
              )}
            </Field>
          )}
        </div>
        <Body
          request={request}
          file={file}
          onBody={body => change({ body })}
          onInput={input => change({ input })}
          onFile={chosen => {
            setFile(chosen);
            const type = chosen && TYPES[chosen.name.split('.').pop() ?? ''];
            if (type) {
              change({ contentType: type });
            }
          }}
        />
        <Origin
          sample={sample}
          onUse={() => {
            setFile(null);
            change({
              body: bodyOf(sample, request.contentType),
              input: undefined
            });
          }}
        />
        <div className="jp-StudioConsole-send">
          <button
            className="jp-StudioButton jp-mod-accept"
            onClick={() => void send()}
            disabled={busy || !props.ready}
          >
            {busy ? trans.__('Asking…') : trans.__('Send')}
          </button>
          {busy && (
            <button className="jp-StudioButton" onClick={asking.stop}>
              {request.later ? trans.__('Stop waiting') : trans.__('Stop')}
            </button>
          )}
          <kbd>{SEND_KEYS}</kbd>
          {!request.later && (
            <label className="jp-StudioConsole-stream">
              <input
                type="checkbox"
                checked={!!request.stream}
                onChange={event => change({ stream: event.target.checked })}
              />
              {trans.__('Stream the answer')}
            </label>
          )}
        </div>
        <div className="jp-StudioConsole-send">
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() => Clipboard.copyToSystem(asBoto3(endpoint, request))}
          >
            {trans.__('Copy as boto3')}
          </button>
          <button
            className="jp-StudioButton jp-mod-minimal"
            onClick={() => Clipboard.copyToSystem(asCurl(endpoint, request))}
          >
            {trans.__('Copy as curl')}
          </button>
        </div>
        {request.later && (
          <p className="jp-StudioConsole-hint">
            {trans.__(
              'This endpoint answers to S3: the request waits its turn, and the answer is shown once it is there. More than 128 kB is put into S3 first.'
            )}
          </p>
        )}
        {!props.ready && (
          <p role="status">
            {trans.__('It takes requests once it is in service.')}
          </p>
        )}
      </Section>
      <Section title={trans.__('Answer')}>
        <div aria-live="polite" aria-busy={busy}>
          {shown ? (
            <Answer key={`${shown.at} ${shown.state}`} call={shown} />
          ) : (
            <p className="jp-StudioConsole-hint">
              {trans.__('Send a request to see what the model says.')}
            </p>
          )}
        </div>
        {calls.length > 1 && (
          <Calls
            calls={calls}
            shown={shown}
            onShow={call => {
              asking.show(call);
              if (call.request.body || call.request.input) {
                setFile(null);
                props.onRequest(call.request);
              }
            }}
          />
        )}
      </Section>
      <LoadTest
        endpoint={endpoint}
        request={request}
        file={file}
        ready={props.ready}
      />
    </div>
  );
}

/** The request of the page's arguments, with the sample where they say nothing. */
function filled(
  given: Partial<IRequest> | undefined,
  sample: studio.GetSampleRequestResponse | undefined,
  later: boolean
): IRequest {
  const contentType =
    given?.contentType ??
    sample?.Samples[0]?.ContentType ??
    sample?.ContentTypes[0] ??
    'text/csv';
  return {
    contentType,
    accept: given?.accept ?? '',
    variant: given?.variant ?? '',
    ...(given?.model ? { model: given.model } : {}),
    ...(given?.stream && !later ? { stream: true } : {}),
    ...(later ? { later, input: given?.input } : {}),
    body: given?.body ?? bodyOf(sample, contentType)
  };
}

function bodyOf(
  sample: studio.GetSampleRequestResponse | undefined,
  contentType: string
): string {
  return (
    sample?.Samples.find(each => each.ContentType === contentType)?.Body ?? ''
  );
}

/** Another content type; what is still the sample becomes the sample of that type. */
function ofType(
  request: IRequest,
  contentType: string,
  sample: studio.GetSampleRequestResponse | undefined
): Partial<IRequest> {
  const untouched =
    !request.body || request.body === bodyOf(sample, request.contentType);
  const body = bodyOf(sample, contentType);
  return untouched && body ? { contentType, body } : { contentType };
}

function Body(props: {
  request: IRequest;
  file: File | null;
  onBody: (body: string) => void;
  onInput: (uri: string | undefined) => void;
  onFile: (file: File | null) => void;
}): React.JSX.Element {
  const studio = useStudio();
  const { trans } = studio;
  // A body that is too long for the address is kept here only.
  const [long, setLong] = React.useState<string | null>(null);
  const { request, file } = props;
  const chooser = React.useRef<HTMLInputElement>(null);
  if (file) {
    return (
      <p className="jp-StudioConsole-file">
        {trans.__('The file %1 is sent as it is.', file.name)}{' '}
        <button
          className="jp-StudioButton jp-mod-minimal"
          onClick={() => props.onFile(null)}
        >
          {trans.__('Write instead')}
        </button>
      </p>
    );
  }
  const browse = async () => {
    const title = trans.__('The object to ask with');
    const uri = await pickS3(studio, { title, start: request.input });
    if (uri) {
      props.onInput(uri);
    }
  };
  if (request.input !== undefined) {
    return (
      <Field label={trans.__('Input in S3')}>
        {ids => (
          <span className="jp-StudioWizard-uri">
            <input
              {...ids}
              className="jp-mod-code"
              spellCheck={false}
              placeholder={EXAMPLE}
              value={request.input}
              onChange={event => props.onInput(event.target.value.trim())}
            />
            <button className="jp-StudioButton" onClick={() => void browse()}>
              {trans.__('Browse…')}
            </button>
            <button
              className="jp-StudioButton jp-mod-minimal"
              onClick={() => props.onInput(undefined)}
            >
              {trans.__('Write instead')}
            </button>
          </span>
        )}
      </Field>
    );
  }
  return (
    <>
      <textarea
        className="jp-StudioConsole-body"
        aria-label={trans.__('Body of the request')}
        spellCheck={false}
        value={long ?? request.body}
        onChange={event => {
          const body = event.target.value;
          setLong(body.length > LONGEST_KEPT ? body : null);
          props.onBody(body);
        }}
      />
      <input
        ref={chooser}
        type="file"
        hidden
        onChange={event => props.onFile(event.target.files?.[0] ?? null)}
      />
      <button
        className="jp-StudioButton jp-mod-minimal jp-StudioConsole-choose"
        onClick={() => chooser.current?.click()}
      >
        {trans.__('Send a file…')}
      </button>
      {request.later && (
        <button
          className="jp-StudioButton jp-mod-minimal jp-StudioConsole-choose"
          onClick={() => void browse()}
        >
          {trans.__('Take an object in S3…')}
        </button>
      )}
    </>
  );
}

/** Where the sample comes from, or why there is none. */
function Origin(props: {
  sample: studio.GetSampleRequestResponse | undefined;
  onUse: () => void;
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const { sample } = props;
  if (!sample) {
    return null;
  }
  if (sample.Origin === 'None') {
    return (
      <p className="jp-StudioConsole-hint">
        {trans.__('No sample is known: %1', sample.Message ?? '')}
      </p>
    );
  }
  const text =
    sample.Origin === 'TrainingData'
      ? trans.__(
          'Sample: the first rows of the channel %1 of %2, without the label.',
          sample.ChannelName ?? '',
          sample.TrainingJobName ?? ''
        )
      : trans.__(
          'Sample: a row of %1 zeros, as wide as the training data.',
          sample.FeatureCount ?? 0
        );
  return (
    <p className="jp-StudioConsole-hint">
      {text}{' '}
      <button className="jp-StudioButton jp-mod-minimal" onClick={props.onUse}>
        {trans.__('Fill in the sample')}
      </button>
    </p>
  );
}
