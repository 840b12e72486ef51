import type { ISeries } from '../components/chart/series';

/** Metrics that belong on one chart. */
export interface IFamily {
  title: string;
  lines: ILine[];
}

export interface ILine {
  label: string;
  series: ISeries;
}

// `train:rmse`, `validation-auc`, `val_loss`, `test.accuracy`
const ROLE =
  /^(train(?:ing)?|valid(?:ation)?|val|eval(?:uation)?|test)[:_\-./ ]+(?=.)/i;
const ROLES: Record<string, string> = {
  training: 'train',
  val: 'validation',
  valid: 'validation',
  evaluation: 'eval'
};

/** Series by what they measure: a metric of training and of validation make one chart. */
export function families(series: ReadonlyArray<ISeries>): IFamily[] {
  const found = new Map<string, ISeries[]>();
  for (const each of series) {
    const key = split(each.name).title.toLowerCase();
    found.set(key, [...(found.get(key) ?? []), each]);
  }
  return [...found.values()].map(together => {
    const names = new Set(together.map(each => each.name));
    const alone = names.size === 1;
    // A `loss` beside a `val_loss` is that of training.
    const role = (each: ISeries) => split(each.name).role || 'train';
    const label = (each: ISeries) =>
      [alone ? '' : role(each), each.host].filter(Boolean).join(' · ');
    return {
      title: alone ? together[0].name : split(together[0].name).title,
      lines: together
        .map(each => ({ label: label(each) || each.name, series: each }))
        .sort((one, other) => rank(one.series) - rank(other.series))
    };
  });
}

function split(name: string): { title: string; role: string } {
  const match = ROLE.exec(name);
  if (!match) {
    return { title: name, role: '' };
  }
  const role = match[1].toLowerCase();
  return { title: name.slice(match[0].length), role: ROLES[role] ?? role };
}

/** Training first: it has the first colour everywhere. */
function rank(series: ISeries): number {
  const order = ['', 'train', 'validation', 'eval', 'test'];
  return order.indexOf(split(series.name).role);
}
