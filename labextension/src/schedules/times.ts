/** When something is to be started again and again, as people choose it. */
export interface IRepeat {
  preset: 'hourly' | 'daily' | 'weekdays' | 'weekly' | 'monthly' | 'own';
  /** `08:30`, by the clock of the time zone. */
  time: string;
  weekday: string;
  /** Day of the month; "L" is the last one. */
  day: string;
  /** What is written by hand. */
  expression: string;
}

export const WEEKDAYS = ['MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT', 'SUN'];

export const DAILY: IRepeat = {
  preset: 'daily',
  time: '08:00',
  weekday: 'MON',
  day: '1',
  expression: 'cron(0 8 * * ? *)'
};

/** The expression of EventBridge's scheduler. */
export function expressionOf(repeat: IRepeat): string {
  const [hour, minute] = repeat.time.split(':').map(Number);
  const clock = `${minute || 0} ${hour || 0}`;
  switch (repeat.preset) {
    case 'hourly':
      return `cron(${minute || 0} * * * ? *)`;
    case 'daily':
      return `cron(${clock} * * ? *)`;
    case 'weekdays':
      return `cron(${clock} ? * MON-FRI *)`;
    case 'weekly':
      return `cron(${clock} ? * ${repeat.weekday} *)`;
    case 'monthly':
      return `cron(${clock} ${repeat.day} * ? *)`;
    case 'own':
      return repeat.expression;
  }
}

/** The choice that an expression is, or one that was written by hand. */
export function repeatOf(expression: string): IRepeat {
  const own: IRepeat = { ...DAILY, preset: 'own', expression };
  const match = /^cron\((\d+) (\d+|\*) (\S+) \* (\S+) \*\)$/.exec(expression);
  if (!match) {
    return own;
  }
  const [, minute, hour, day, weekday] = match;
  const time = `${hour === '*' ? '00' : hour.padStart(2, '0')}:${minute.padStart(2, '0')}`;
  const guesses: IRepeat[] = (
    ['hourly', 'daily', 'weekdays', 'weekly', 'monthly'] as const
  ).map(preset => ({
    ...own,
    preset,
    time,
    day: /^(\d+|L)$/.test(day) ? day : '1',
    weekday: WEEKDAYS.includes(weekday) ? weekday : 'MON'
  }));
  return guesses.find(each => expressionOf(each) === expression) ?? own;
}

/** Time zones by name, that of the browser first. */
export function zones(): string[] {
  const own = ownZone();
  const all = Intl.supportedValuesOf('timeZone');
  return [...new Set([own, 'UTC', ...all])];
}

export function ownZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** `2030-01-31T18:30` for now and so many minutes, by the clock of the browser. */
export function localMinute(at: Date): string {
  const shifted = new Date(at.getTime() - at.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
