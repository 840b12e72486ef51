import React from 'react';

import { useStudio } from '../components/hooks';
import { usePage } from './context';
import { Popover } from '../components/popover';
import type { IDataArgs } from './state';

type Read = NonNullable<IDataArgs['read']>;

/** How the file is read, to be set right where the guess is wrong. */
export function Reading(): React.JSX.Element {
  const { trans } = useStudio();
  const { args, set, profile } = usePage();
  const read = args.read ?? {};
  const { data } = profile;
  const id = React.useId();
  const change = (changes: Read) => {
    const next = Object.entries({ ...read, ...changes }).filter(
      ([, value]) => value !== undefined && value !== null && value !== ''
    );
    set({ read: next.length ? Object.fromEntries(next) : undefined });
  };
  const text = (read.format ?? data?.format) !== 'parquet';
  const csv = (read.format ?? data?.format ?? 'csv') === 'csv';
  return (
    <Popover
      button={trans.__('How it is read')}
      label={trans.__('How it is read')}
    >
      <label htmlFor={`${id}-format`}>{trans.__('Format')}</label>
      <select
        id={`${id}-format`}
        value={read.format ?? ''}
        onChange={event =>
          change({
            format: (event.target.value || undefined) as Read['format']
          })
        }
      >
        <option value="">{trans.__('By its name')}</option>
        <option value="csv">{trans.__('CSV')}</option>
        <option value="parquet">{trans.__('Parquet')}</option>
        <option value="jsonl">{trans.__('JSON lines')}</option>
      </select>
      {csv && (
        <>
          <label htmlFor={`${id}-header`}>{trans.__('First line')}</label>
          <select
            id={`${id}-header`}
            value={read.header === undefined ? '' : String(read.header)}
            onChange={event =>
              change({
                header:
                  event.target.value === ''
                    ? undefined
                    : event.target.value === 'true'
              })
            }
          >
            <option value="">{trans.__('Guessed')}</option>
            <option value="true">{trans.__('Names of columns')}</option>
            <option value="false">{trans.__('Data already')}</option>
          </select>
          <label htmlFor={`${id}-delimiter`}>{trans.__('Delimiter')}</label>
          <select
            id={`${id}-delimiter`}
            value={read.delimiter ?? ''}
            onChange={event =>
              change({ delimiter: event.target.value || undefined })
            }
          >
            <option value="">{trans.__('Guessed')}</option>
            <option value=",">{trans.__('Comma')}</option>
            <option value=";">{trans.__('Semicolon')}</option>
            <option value={'\t'}>{trans.__('Tab')}</option>
            <option value="|">{trans.__('Vertical bar')}</option>
            <option value=" ">{trans.__('Space')}</option>
          </select>
        </>
      )}
      {text && (
        <>
          <label htmlFor={`${id}-encoding`}>{trans.__('Encoding')}</label>
          <select
            id={`${id}-encoding`}
            value={read.encoding ?? ''}
            onChange={event =>
              change({ encoding: event.target.value || undefined })
            }
          >
            <option value="">{trans.__('Guessed')}</option>
            {[
              'utf-8',
              'latin-1',
              'cp1252',
              'utf-16',
              'shift_jis',
              'gb18030'
            ].map(name => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </>
      )}
    </Popover>
  );
}
