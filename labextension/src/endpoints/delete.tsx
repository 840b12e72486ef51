import { ReactWidget } from '@jupyterlab/ui-components';
import type { TranslationBundle } from '@jupyterlab/translation';
import React from 'react';

import type { Client } from '../core/client';

/** What nobody would use any more without certain endpoints. */
export interface ILeft {
  configs: string[];
  models: string[];
}

/** Configurations and models of these endpoints that no other endpoint serves. */
export async function orphans(client: Client, names: string[]): Promise<ILeft> {
  const told = await Promise.all(
    names.map(name =>
      client.call('studio', 'DescribeDeployment', { EndpointName: name })
    )
  );
  const wanted = told.flatMap(each => each.Variants.map(it => it.ModelName));
  const models: string[] = [];
  for (const model of new Set(wanted)) {
    const found = await client.call('sagemaker', 'Search', {
      Resource: 'Model',
      SearchExpression: {
        Filters: [{ Name: 'ModelName', Operator: 'Equals', Value: model }]
      }
    });
    const endpoints = found.Results?.[0]?.Model?.Endpoints;
    if (endpoints?.every(each => names.includes(each.EndpointName))) {
      models.push(model);
    }
  }
  const past = told.flatMap(each => [
    each.EndpointConfigName,
    ...each.Changes.map(it => it.EndpointConfigName)
  ]);
  const configs: string[] = [];
  for (const config of new Set(past)) {
    const found = await client.call('sagemaker', 'ListEndpointConfigs', {
      NameContains: config
    });
    if (found.EndpointConfigs.some(it => it.EndpointConfigName === config)) {
      configs.push(config);
    }
  }
  return { configs, models };
}

/** Asks what goes with the endpoints: the configurations by default, the models not. */
export class DeleteForm extends ReactWidget {
  constructor(
    private _names: string[],
    private _left: ILeft,
    private _trans: TranslationBundle
  ) {
    super();
    this.addClass('jp-StudioDelete');
  }

  /** What the user chose; the dialog's value. */
  getValue(): ILeft {
    return {
      configs: this._configs ? this._left.configs : [],
      models: this._models ? this._left.models : []
    };
  }

  protected render(): React.JSX.Element {
    const { configs, models } = this._left;
    const trans = this._trans;
    return (
      <>
        <p>
          {trans.__(
            '%1: requests are refused from then on; logs and metrics stay.',
            this._names.join(', ')
          )}
        </p>
        {configs.length > 0 && (
          <label>
            <input
              type="checkbox"
              defaultChecked={this._configs}
              onChange={event => (this._configs = event.target.checked)}
            />
            {trans._n(
              'also its configuration: %2',
              'also %1 configurations: %2',
              configs.length,
              configs.join(', ')
            )}
          </label>
        )}
        {models.length > 0 && (
          <label>
            <input
              type="checkbox"
              defaultChecked={this._models}
              onChange={event => (this._models = event.target.checked)}
            />
            {trans._n(
              'also the model that nothing else serves: %2',
              'also %1 models that nothing else serves: %2',
              models.length,
              models.join(', ')
            )}
          </label>
        )}
      </>
    );
  }

  private _configs = true;
  private _models = false;
}
