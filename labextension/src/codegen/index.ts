import { boto3 } from './boto3';
import type { ICall } from './requests';
import { sdk2 } from './sdk2';
import { sdk3 } from './sdk3';
import { cli, json, yaml } from './texts';

export { askedOf, askedOfProcessing, askedOfTransform } from './asked';
export type { ICall } from './requests';

/** A form in which calls can be copied. */
export interface ILanguage {
  id: string;
  /** A product's name: the same in every language. */
  name: string;
  /** The text; null when this form has no words for these calls. */
  text: (calls: ICall[]) => string | null;
}

/** Every form, the most useful first. */
export const LANGUAGES: ILanguage[] = [
  { id: 'boto3', name: 'boto3', text: boto3 },
  { id: 'sdk2', name: 'SageMaker SDK v2', text: sdk2 },
  { id: 'sdk3', name: 'SageMaker SDK v3', text: sdk3 },
  { id: 'cli', name: 'AWS CLI', text: cli },
  { id: 'yaml', name: 'YAML', text: yaml },
  { id: 'json', name: 'JSON', text: json }
];
