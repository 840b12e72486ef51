import type { studio } from '../wire';

/** The training job that a component was made of, whose log it has; null for none. */
export function jobOf(
  detail: Pick<studio.TrialComponentDetail, 'SourceArn'>
): string | null {
  return /:training-job\/([^/]+)$/.exec(detail.SourceArn ?? '')?.[1] ?? null;
}
