import React from 'react';

import { CommandLink } from '../components/actions';
import { duration } from '../components/format';
import { useNow, useStudio } from '../components/hooks';
import { Copyable, Facts, Section, When } from '../components/parts';
import { queryOf } from '../experiments/model';
import { Parameters, S3Link } from '../job/facts';
import { CommandIDs } from '../tokens';
import type { studio } from '../wire';
import { byName } from '../components/names';

type Component = studio.TrialComponentDetail;

const JOB = 'SageMakerTrainingJob';
const READABLE = /\.(csv|tsv|parquet|jsonl?|ndjson)(\.gz)?$/i;

/** When it ran, of which job, and whose it is. */
export function Times(props: { component: Component }): React.JSX.Element {
  const { trans } = useStudio();
  const { component } = props;
  const runs = component.Status === 'InProgress' && !component.EndTime;
  const now = useNow(runs);
  const { StartTime: start, EndTime: end } = component;
  const took = start && ((end ?? (runs ? now / 1000 : start)) || start) - start;
  const facts: [string, React.ReactNode][] = [];
  if (component.SourceArn) {
    facts.push([trans.__('Job'), <Job key="job" component={component} />]);
  }
  // Of what went well the message says nothing that the status does not.
  if (component.StatusMessage && component.Status !== 'Completed') {
    facts.push([trans.__('Status'), component.StatusMessage]);
  }
  facts.push([
    trans.__('Created'),
    <When key="created" at={1000 * component.CreationTime} />
  ]);
  if (start) {
    facts.push([trans.__('Started'), <When key="started" at={1000 * start} />]);
  }
  if (end) {
    facts.push([trans.__('Ended'), <When key="ended" at={1000 * end} />]);
  }
  if (took) {
    facts.push([trans.__('Duration'), duration(took)]);
  }
  if (component.Owner) {
    facts.push([trans.__('Owner'), component.Owner]);
  }
  facts.push(
    [trans.__('Name'), <Copyable key="name" text={component.Name} />],
    [trans.__('ARN'), <Copyable key="arn" text={component.Arn} />]
  );
  return (
    <Section title={trans.__('Run')}>
      <Facts facts={facts} />
    </Section>
  );
}

function Job(props: { component: Component }): React.JSX.Element {
  const { trans } = useStudio();
  const { SourceArn: arn = '', SourceType: type } = props.component;
  const name = arn.split('/').pop() ?? arn;
  if (type !== JOB) {
    return <Copyable text={arn} label={name} />;
  }
  return (
    <span className="jp-StudioJob-row">
      <CommandLink command={CommandIDs.openJob} args={{ name }} title={arn}>
        {name}
      </CommandLink>
      <CommandLink command={CommandIDs.openJob} args={{ name, tab: 'log' }}>
        {trans.__('Log')}
      </CommandLink>
    </span>
  );
}

/** The trials that it belongs to, and their experiments. */
export function Trials(props: { component: Component }): React.JSX.Element {
  const { trans } = useStudio();
  const { Trials: parents } = props.component;
  return (
    <Section title={trans.__('Experiments')}>
      {parents.length === 0 ? (
        <p className="jp-StudioJob-none">
          {trans.__('It belongs to no trial.')}
        </p>
      ) : (
        <ul className="jp-StudioComponent-trials">
          {parents.map(({ TrialName: trial, ExperimentName: experiment }) => (
            <li key={trial}>
              <CommandLink
                command={CommandIDs.compare}
                args={{ query: queryOf(experiment) }}
                title={trans.__('Compare what belongs to %1', experiment)}
              >
                {experiment}
              </CommandLink>
              {' › '}
              <CommandLink
                command={CommandIDs.compare}
                args={{ query: queryOf(experiment, trial) }}
                title={trans.__('Compare what belongs to %1', trial)}
              >
                {trial}
              </CommandLink>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}

/** The parameters, numbers as numbers. */
export function ParameterList(props: {
  component: Component;
}): React.JSX.Element {
  const { trans } = useStudio();
  const values = Object.entries(props.component.Parameters).map(
    ([name, { NumberValue: number, StringValue: text }]) => [
      name,
      number === undefined ? (text ?? '') : String(number)
    ]
  );
  return (
    <Parameters
      title={trans.__('Parameters')}
      values={Object.fromEntries(values) as Record<string, string>}
      empty={trans.__('None were given.')}
    />
  );
}

/** Artifacts that it read or made, each with the way to it. */
export function Artifacts(props: {
  title: string;
  artifacts: Component['InputArtifacts'];
}): React.JSX.Element | null {
  const names = Object.keys(props.artifacts).sort(byName);
  return names.length === 0 ? null : (
    <Section title={props.title}>
      <Facts
        facts={names.map(name => [
          name,
          <Artifact key={name} artifact={props.artifacts[name]} />
        ])}
      />
    </Section>
  );
}

function Artifact(props: {
  artifact: studio.TrialComponentArtifact;
}): React.JSX.Element {
  const { Value: uri, MediaType: type } = props.artifact;
  return uri.startsWith('s3://') ? (
    <S3Link uri={uri} note={type} data={READABLE.test(uri)} />
  ) : (
    <Copyable text={uri} />
  );
}
