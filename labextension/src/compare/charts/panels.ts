import type { IChartsSettings } from './settings';

/** A chart: a metric or a few, of all components or of those of a group. */
export interface IPanel {
  id: string;
  title: string;
  metrics: readonly string[];
  /** Only components that have this value of the field by which panels are made. */
  only?: string;
}

/** Panels whose metrics have the same prefix: `train/loss` is in `train`. */
export interface ISection {
  title: string;
  panels: IPanel[];
}

type Settings = Partial<
  Pick<IChartsSettings, 'order' | 'removed' | 'added' | 'search'>
>;

/** What stands before the last of `/`, or before the first of `:` and `.`; "" when nothing does. */
export function prefixOf(metric: string): string {
  const slash = metric.lastIndexOf('/');
  if (slash > 0) {
    return metric.slice(0, slash);
  }
  return /^([^:.]+)[:.][^\s]/.exec(metric)?.[1] ?? '';
}

/** The panels of metrics, in their order, in sections. */
export function sections(
  metrics: readonly string[],
  settings: Settings,
  groups: readonly string[] | null
): ISection[] {
  const removed = new Set(settings.removed);
  const wanted = (settings.search ?? '').toLowerCase();
  const found = metrics.filter(
    metric => !removed.has(metric) && metric.toLowerCase().includes(wanted)
  );
  const bySection = new Map<string, IPanel[]>();
  const own = (settings.added ?? []).filter(({ title, metrics }) =>
    [title, ...metrics].some(text => text.toLowerCase().includes(wanted))
  );
  if (own.length) {
    bySection.set(
      OWN,
      own.flatMap(panel => split(panel, groups))
    );
  }
  for (const metric of found) {
    const prefix = prefixOf(metric);
    const panels = bySection.get(prefix) ?? [];
    panels.push(
      ...split({ id: metric, title: metric, metrics: [metric] }, groups)
    );
    bySection.set(prefix, panels);
  }
  return [...bySection].map(([title, panels]) => ({ title, panels }));
}

/** The section of the panels that were added. */
export const OWN = '\u0000own';

/** The order in which `moved` stands where `target` stood. */
export function reordered(
  metrics: readonly string[],
  moved: string,
  target: string
): string[] {
  const at = metrics.indexOf(target);
  const rest = metrics.filter(metric => metric !== moved);
  rest.splice(at, 0, moved);
  return rest;
}

/** Metrics in the order that was given to them; the others come after. */
export function ordered(
  metrics: readonly string[],
  order: readonly string[]
): string[] {
  const places = new Map(order.map((metric, at) => [metric, at]));
  const place = (metric: string) => places.get(metric) ?? Infinity;
  const at = new Map(metrics.map((metric, index) => [metric, index]));
  return [...metrics].sort((one, other) =>
    place(one) === place(other)
      ? at.get(one)! - at.get(other)!
      : place(one) - place(other)
  );
}

function split(panel: IPanel, groups: readonly string[] | null): IPanel[] {
  return groups
    ? groups.map(only => ({
        ...panel,
        id: `${panel.id}\u0000${only}`,
        title: `${panel.title} · ${only}`,
        only
      }))
    : [panel];
}
