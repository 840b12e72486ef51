import type { sagemaker } from '../wire';
import {
  DEFAULT_SHARE,
  DEFAULT_TYPE,
  slug,
  unique,
  type IDraft
} from './draft';

/** The variants of the configuration: the model, and what it shares the requests with. */
export function variants(
  draft: IDraft,
  model: string,
  serving: sagemaker.ProductionVariant[]
): sagemaker.ProductionVariant[] {
  const share = draft.share ?? DEFAULT_SHARE;
  const mine = {
    VariantName: 'AllTraffic',
    ModelName: model,
    InstanceType: (draft.instanceType ??
      DEFAULT_TYPE) as sagemaker.ProductionVariant['InstanceType'],
    InitialInstanceCount: draft.count ?? 1,
    InitialVariantWeight: 1
  };
  if (draft.target && draft.keep && serving.length) {
    const taken = serving.map(each => each.VariantName);
    return [
      ...weighted(serving, 100 - share),
      {
        ...mine,
        VariantName: unique(slug(model), taken),
        InitialVariantWeight: share
      }
    ];
  }
  if (!draft.target && draft.beside) {
    const name = slug(model);
    return [
      { ...mine, VariantName: name, InitialVariantWeight: share },
      {
        ...mine,
        VariantName: unique(slug(draft.beside), [name]),
        ModelName: draft.beside,
        InitialVariantWeight: 100 - share
      }
    ];
  }
  return [mine];
}

/** Variants whose weights keep their proportions and have this sum. */
function weighted(
  serving: sagemaker.ProductionVariant[],
  total: number
): sagemaker.ProductionVariant[] {
  const weights = serving.map(each => each.InitialVariantWeight ?? 1);
  const sum = weights.reduce((all, each) => all + each, 0);
  return serving.map((variant, index) => ({
    ...variant,
    InitialVariantWeight:
      sum > 0 ? round((total * weights[index]) / sum) : total / serving.length
  }));
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
