import React from 'react';

import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { told } from '../core/errors';
import { expressionOf, type IRepeat, repeatOf, WEEKDAYS, zones } from './times';

const PAUSE_MS = 250;
const SUNDAY = 4; // the 4th of January 1970 was one

/** An expression and the time zone that it is read in. */
export interface ITimes {
  expression: string;
  timezone: string;
}

/** Chooses when something is started again and again. */
export function Repeats(props: {
  times: ITimes;
  onChange: (times: ITimes) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { times, onChange } = props;
  const [repeat, setRepeat] = React.useState(() => repeatOf(times.expression));
  const put = (changes: Partial<IRepeat>) => {
    const next = { ...repeat, ...changes };
    if (changes.preset === 'own') {
      next.expression = expressionOf(repeat);
    }
    setRepeat(next);
    onChange({ ...times, expression: expressionOf(next) });
  };
  const { preset } = repeat;
  return (
    <div className="jp-StudioNewJob-fields">
      <Field label={trans.__('Repeats')}>
        {ids => (
          <select
            {...ids}
            value={preset}
            onChange={event =>
              put({ preset: event.target.value as IRepeat['preset'] })
            }
          >
            <option value="hourly">{trans.__('Every hour')}</option>
            <option value="daily">{trans.__('Every day')}</option>
            <option value="weekdays">{trans.__('Monday to Friday')}</option>
            <option value="weekly">{trans.__('Every week')}</option>
            <option value="monthly">{trans.__('Every month')}</option>
            <option value="own">{trans.__('By an expression…')}</option>
          </select>
        )}
      </Field>
      {preset === 'weekly' && (
        <Field label={trans.__('Day of the week')}>
          {ids => (
            <select
              {...ids}
              value={repeat.weekday}
              onChange={event => put({ weekday: event.target.value })}
            >
              {WEEKDAYS.map((each, index) => (
                <option key={each} value={each}>
                  {weekday(index)}
                </option>
              ))}
            </select>
          )}
        </Field>
      )}
      {preset === 'monthly' && (
        <Field label={trans.__('Day of the month')}>
          {ids => (
            <select
              {...ids}
              value={repeat.day}
              onChange={event => put({ day: event.target.value })}
            >
              {Array.from({ length: 31 }, (_, index) => (
                <option key={index} value={index + 1}>
                  {index + 1}
                </option>
              ))}
              <option value="L">{trans.__('the last')}</option>
            </select>
          )}
        </Field>
      )}
      {preset === 'own' ? (
        <Field
          label={trans.__('Expression')}
          help={trans.__(
            'cron(minutes hours day-of-month month day-of-week year), or rate(6 hours)'
          )}
        >
          {ids => (
            <input
              {...ids}
              type="text"
              className="jp-mod-code"
              spellCheck={false}
              value={repeat.expression}
              onChange={event => put({ expression: event.target.value })}
            />
          )}
        </Field>
      ) : (
        <Field
          label={
            preset === 'hourly' ? trans.__('At minute of') : trans.__('At')
          }
        >
          {ids => (
            <input
              {...ids}
              type="time"
              required
              value={repeat.time}
              onChange={event => put({ time: event.target.value })}
            />
          )}
        </Field>
      )}
      <Zone
        value={times.timezone}
        onChange={timezone => onChange({ ...times, timezone })}
      />
    </div>
  );
}

/** Chooses a time zone. */
export function Zone(props: {
  value: string;
  onChange: (zone: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const all = React.useMemo(() => zones(), []);
  const shown = all.includes(props.value) ? all : [props.value, ...all];
  return (
    <Field label={trans.__('Time zone')}>
      {ids => (
        <select
          {...ids}
          value={props.value}
          onChange={event => props.onChange(event.target.value)}
        >
          {shown.map(each => (
            <option key={each}>{each}</option>
          ))}
        </select>
      )}
    </Field>
  );
}

/** The next times of an expression, or what is wrong with it. */
export function Preview(props: { times: ITimes }): React.JSX.Element {
  const { client, trans } = useStudio();
  const { expression, timezone } = props.times;
  const [known, setKnown] = React.useState<number[] | string | null>(null);
  React.useEffect(() => {
    const abort = new AbortController();
    const timer = setTimeout(() => {
      client
        .call(
          'studio',
          'PreviewSchedule',
          {
            ScheduleExpression: expression || ' ',
            ScheduleExpressionTimezone: timezone
          },
          abort.signal
        )
        .then(
          ({ Times }) => setKnown(Times),
          (error: unknown) => !abort.signal.aborted && setKnown(told(error))
        );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [client, expression, timezone]);
  if (typeof known === 'string') {
    return (
      <p className="jp-StudioField-error" role="alert">
        {known}
      </p>
    );
  }
  return (
    <div className="jp-StudioSchedules-preview" aria-live="polite">
      <strong>{trans.__('Next')}</strong>
      <TimesList times={known ?? []} timezone={timezone} />
      {known?.length === 0 && <p>{trans.__('Never: these times are past.')}</p>}
    </div>
  );
}

/** Times as the clock of a time zone shows them. */
export function TimesList(props: {
  times: number[];
  timezone: string;
}): React.JSX.Element {
  return (
    <ol className="jp-StudioSchedules-times">
      {props.times.map(each => (
        <li key={each}>
          <time dateTime={new Date(1000 * each).toISOString()}>
            {zoned(each, props.timezone)}
          </time>
        </li>
      ))}
    </ol>
  );
}

/** `Mon, 23 Nov 2026, 08:00` in a time zone; `at` is in seconds since the epoch. */
export function zoned(at: number, timezone: string): string {
  const options: Intl.DateTimeFormatOptions = {
    weekday: 'short',
    day: 'numeric',
    month: 'short',
    year: 'numeric',
    hour: '2-digit',
    minute: '2-digit'
  };
  try {
    return new Date(1000 * at).toLocaleString(undefined, {
      ...options,
      timeZone: timezone
    });
  } catch {
    return new Date(1000 * at).toLocaleString(undefined, options); // a zone that is unknown here
  }
}

function weekday(index: number): string {
  return new Date(Date.UTC(1970, 0, SUNDAY + 1 + index)).toLocaleString(
    undefined,
    { weekday: 'long', timeZone: 'UTC' }
  );
}
