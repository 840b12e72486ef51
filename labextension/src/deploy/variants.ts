import type { sagemaker } from '../wire';
import {
  DEFAULT_MEMORY,
  DEFAULT_MOST,
  DEFAULT_SHARE,
  DEFAULT_TYPE,
  slug,
  unique,
  type IDraft,
  type IServing
} from './draft';

/** The variants of a configuration: those that answer, and those that are asked the same. */
export type Variants = Pick<
  sagemaker.CreateEndpointConfigInput,
  'ProductionVariants' | 'ShadowProductionVariants'
>;

/** The variants of the configuration: the model, and what stands beside it. */
export function variants(
  draft: IDraft,
  model: string,
  serving: IServing
): Variants {
  const share = draft.share ?? DEFAULT_SHARE;
  const mine: sagemaker.ProductionVariant = {
    VariantName: 'AllTraffic',
    ModelName: model,
    ...size(draft),
    InitialVariantWeight: 1
  };
  if (draft.target && draft.keep && serving.production.length) {
    const taken = [...serving.production, ...serving.shadows];
    const name = unique(
      slug(model),
      taken.map(each => each.VariantName)
    );
    return joined(draft, { ...mine, VariantName: name }, serving, share);
  }
  if (!draft.target && draft.beside) {
    return beside(draft.beside, draft, { ...mine, VariantName: slug(model) });
  }
  return { ProductionVariants: [mine] };
}

/** What the model runs on. */
function size({
  serverless,
  instanceType,
  count
}: IDraft): Partial<sagemaker.ProductionVariant> {
  return serverless
    ? {
        ServerlessConfig: {
          MemorySizeInMB: serverless.memory ?? DEFAULT_MEMORY,
          MaxConcurrency: serverless.most ?? DEFAULT_MOST,
          ...(serverless.warm
            ? { ProvisionedConcurrency: serverless.warm }
            : {})
        }
      }
    : {
        InstanceType: instanceType ?? DEFAULT_TYPE,
        InitialInstanceCount: count ?? 1
      };
}

/** What serves, with one more that shares its requests or is asked the same. */
function joined(
  draft: IDraft,
  one: sagemaker.ProductionVariant,
  { production, shadows }: IServing,
  share: number
): Variants {
  if (draft.shadow) {
    return {
      ProductionVariants: production,
      ShadowProductionVariants: [
        ...shadows,
        { ...one, InitialVariantWeight: part(sum(production), share) }
      ]
    };
  }
  return {
    ProductionVariants: [
      ...weighted(production, 100 - share),
      { ...one, InitialVariantWeight: share }
    ],
    ...(shadows.length ? { ShadowProductionVariants: shadows } : {})
  };
}

/** The model, with another that shares its requests or is asked the same. */
function beside(
  other: string,
  draft: IDraft,
  mine: sagemaker.ProductionVariant
): Variants {
  const share = draft.share ?? DEFAULT_SHARE;
  const second = {
    ...mine,
    VariantName: unique(slug(other), [mine.VariantName]),
    ModelName: other
  };
  return draft.shadow
    ? {
        ProductionVariants: [mine],
        ShadowProductionVariants: [
          { ...second, InitialVariantWeight: part(1, share) }
        ]
      }
    : {
        ProductionVariants: [
          { ...mine, InitialVariantWeight: share },
          { ...second, InitialVariantWeight: 100 - share }
        ]
      };
}

/** Variants whose weights keep their proportions and have this sum. */
function weighted(
  serving: sagemaker.ProductionVariant[],
  total: number
): sagemaker.ProductionVariant[] {
  const all = sum(serving);
  return serving.map(variant => ({
    ...variant,
    InitialVariantWeight:
      all > 0
        ? part((100 * weight(variant)) / all, total)
        : total / serving.length
  }));
}

function weight(variant: sagemaker.ProductionVariant): number {
  return variant.InitialVariantWeight ?? 1;
}

function sum(all: sagemaker.ProductionVariant[]): number {
  return all.reduce((total, each) => total + weight(each), 0);
}

/** So many per cent of it, to two digits. */
function part(whole: number, percent: number): number {
  return Math.round(whole * percent) / 100;
}
