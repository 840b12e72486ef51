import React from 'react';

import { CommandLink } from '../components/actions';
import { number } from '../components/format';
import { useStudio } from '../components/hooks';
import { Scroll } from '../components/scroll';
import { notifyError } from '../core/errors';
import { CommandIDs } from '../tokens';
import type { sagemaker, studio } from '../wire';
import { Replicas } from './replicas';
import { sizeOf, wakefulness } from './size';
import { Split } from './split';

/** What the user wants of a variant. */
export interface IWanted {
  weight: number;
  count: number;
}

type Wants = Record<string, IWanted>;

/** The variants of an endpoint; weights and instance counts are changed in place. */
export function Traffic(props: {
  endpoint: string;
  variants: studio.DeployedVariant[];
  replicas: studio.EndpointReplica[];
  ready: boolean;
}): React.JSX.Element {
  const { client, trans } = useStudio();
  const { variants } = props;
  const [wants, setWants] = React.useState<Wants>({});
  const [busy, setBusy] = React.useState(false);
  const wanted = (variant: studio.DeployedVariant): IWanted =>
    wants[variant.VariantName] ?? {
      weight: variant.Weight,
      count: variant.InstanceCount
    };
  const changes = desired(variants, wants);
  const production = variants.filter(each => !each.Shadow);
  const sum = production.reduce(
    (total, each) => total + wanted(each).weight,
    0
  );
  const want = (variant: studio.DeployedVariant, change: Partial<IWanted>) =>
    setWants({
      ...wants,
      [variant.VariantName]: { ...wanted(variant), ...change }
    });
  const apply = async () => {
    setBusy(true);
    try {
      await client.call('sagemaker', 'UpdateEndpointWeightsAndCapacities', {
        EndpointName: props.endpoint,
        DesiredWeightsAndCapacities: changes
      });
      setWants({});
    } catch (error) {
      notifyError(trans.__('The variants were not changed'), error);
    } finally {
      setBusy(false);
    }
  };
  return (
    <div className="jp-StudioTraffic">
      {production.length > 1 && (
        <Split
          parts={production.map(each => ({
            name: each.VariantName,
            weight: wanted(each).weight
          }))}
          disabled={!props.ready}
          onMove={parts =>
            setWants({
              ...wants,
              ...Object.fromEntries(
                production.map((each, index) => [
                  each.VariantName,
                  { ...wanted(each), weight: parts[index].weight }
                ])
              )
            })
          }
        />
      )}
      <Scroll label={trans.__('Table of variants')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Variant')}</th>
              <th scope="col">{trans.__('Model')}</th>
              <th scope="col">{trans.__('Instance type')}</th>
              <th scope="col">{trans.__('Instances')}</th>
              <th scope="col">{trans.__('In service')}</th>
              {variants.length > 1 && (
                <th scope="col">{trans.__('Weight and share of requests')}</th>
              )}
            </tr>
          </thead>
          <tbody>
            {variants.map(variant => (
              <tr key={variant.VariantName}>
                <th scope="row">
                  {variant.VariantName}
                  {variant.Shadow && (
                    <span
                      className="jp-StudioTraffic-shadow"
                      title={trans.__(
                        'It is asked what the others were, and answers nobody.'
                      )}
                    >
                      {trans.__('shadow')}
                    </span>
                  )}
                </th>
                <td>
                  <CommandLink
                    command={CommandIDs.openModel}
                    args={{ name: variant.ModelName }}
                  >
                    {variant.ModelName}
                  </CommandLink>
                </td>
                <td>{sizeOf(variant, trans)}</td>
                <td>
                  {variant.Serverless ? (
                    <Limits of={variant.Serverless} />
                  ) : (
                    <input
                      type="number"
                      min={0}
                      max={100}
                      disabled={!props.ready}
                      title={trans.__(
                        'With 0 it sleeps until the next request.'
                      )}
                      aria-label={trans.__(
                        'Instances of %1',
                        variant.VariantName
                      )}
                      value={wanted(variant).count}
                      onChange={event =>
                        want(variant, {
                          count: Math.max(
                            0,
                            Math.round(+event.target.value || 0)
                          )
                        })
                      }
                    />
                  )}
                </td>
                <td>
                  {variant.Sleeps
                    ? wakefulness(variant, trans)
                    : trans.__(
                        '%1 of %2',
                        variant.InService ?? 0,
                        variant.InstanceCount
                      )}
                  <Replicas
                    replicas={props.replicas.filter(
                      each => each.VariantName === variant.VariantName
                    )}
                  />
                </td>
                {variants.length > 1 && (
                  <td>
                    <Weight
                      name={variant.VariantName}
                      weight={wanted(variant).weight}
                      share={
                        sum > 0 ? Math.min(1, wanted(variant).weight / sum) : 0
                      }
                      onWeight={weight => want(variant, { weight })}
                    />
                  </td>
                )}
              </tr>
            ))}
          </tbody>
          {production.length > 1 && (
            <tfoot>
              <tr>
                <th scope="row" colSpan={5}>
                  {trans.__('Sum of the weights in production')}
                </th>
                <td className="jp-StudioTraffic-sum">{number(sum)}</td>
              </tr>
            </tfoot>
          )}
        </table>
      </Scroll>
      {changes.length > 0 && (
        <div className="jp-StudioTraffic-actions">
          <button
            className="jp-StudioButton jp-mod-accept"
            onClick={() => void apply()}
            disabled={busy || !props.ready || sum <= 0}
          >
            {trans.__('Apply')}
          </button>
          <button className="jp-StudioButton" onClick={() => setWants({})}>
            {trans.__('Reset')}
          </button>
          <span role="status">
            {sum <= 0
              ? trans.__('One weight at least must be more than 0.')
              : !props.ready
                ? trans.__('Wait until the change under way is done.')
                : trans.__('Servers that go on serving are not started anew.')}
          </span>
        </div>
      )}
    </div>
  );
}

/** How many requests a serverless variant takes. */
function Limits(props: { of: studio.ServerlessSize }): React.JSX.Element {
  const { trans } = useStudio();
  const { MaxConcurrency: most, ProvisionedConcurrency: warm } = props.of;
  return (
    <>
      {trans._n('%1 request at once', '%1 requests at once', most, most)}
      {!!warm && <div>{trans.__('servers always for %1', warm)}</div>}
    </>
  );
}

/** The changes of those variants for which something else is wanted. */
export function desired(
  variants: studio.DeployedVariant[],
  wants: Wants
): sagemaker.DesiredWeightAndCapacity[] {
  return variants.flatMap(variant => {
    const want = wants[variant.VariantName];
    const same =
      !want ||
      (want.weight === variant.Weight && want.count === variant.InstanceCount);
    return same
      ? []
      : [
          {
            VariantName: variant.VariantName,
            DesiredWeight: want.weight,
            DesiredInstanceCount: want.count
          }
        ];
  });
}

function Weight(props: {
  name: string;
  weight: number;
  share: number;
  onWeight: (weight: number) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const most = Math.max(10, Math.ceil(props.weight));
  return (
    <span className="jp-StudioTraffic-weight">
      <input
        type="range"
        min={0}
        max={most}
        step={most / 100}
        aria-label={trans.__('Weight of %1', props.name)}
        aria-valuetext={trans.__(
          'weight %1, %2 % of requests',
          number(props.weight),
          Math.round(100 * props.share)
        )}
        value={props.weight}
        onChange={event => props.onWeight(+event.target.value)}
      />
      <input
        type="number"
        min={0}
        step="any"
        aria-label={trans.__('Weight of %1 as a number', props.name)}
        value={props.weight}
        onChange={event =>
          props.onWeight(Math.max(0, +event.target.value || 0))
        }
      />
      <span>{`${number(Math.round(1000 * props.share) / 10)} %`}</span>
    </span>
  );
}
