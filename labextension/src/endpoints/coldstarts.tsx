import React from 'react';

import { duration } from '../components/format';
import { useStudio } from '../components/hooks';
import { Section, When } from '../components/parts';
import { Scroll } from '../components/scroll';
import { PhaseBar } from '../job/phasebar';
import type { studio } from '../wire';

const SHOWN = 5;

/** How variants that slept came to answer: the last start as a bar, and those before it. */
export function ColdStarts(props: {
  starts: studio.ColdStart[];
}): React.JSX.Element | null {
  const { trans } = useStudio();
  const names = usePhaseNames();
  const [last] = props.starts;
  if (!last) {
    return null;
  }
  return (
    <Section title={trans.__('Cold starts')}>
      <PhaseBar
        said={brief}
        phases={last.Phases.map(phase => ({
          name: names[phase.Name]?.[0] ?? phase.Name,
          seconds: took(phase),
          current: phase.EndTime === undefined,
          message: names[phase.Name]?.[1] ?? ''
        }))}
      />
      <Scroll label={trans.__('Table of cold starts')}>
        <table>
          <thead>
            <tr>
              <th scope="col">{trans.__('Asked')}</th>
              <th scope="col">{trans.__('Variant')}</th>
              <th scope="col">{trans.__('Until the answer')}</th>
              {Object.entries(names).map(([id, [name, about]]) => (
                <th key={id} scope="col" title={about}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {props.starts.slice(0, SHOWN).map(start => (
              <tr key={`${start.VariantName} ${start.StartTime}`}>
                <td>
                  <When at={1000 * start.StartTime} />
                </td>
                <td>{start.VariantName}</td>
                <td>{said(took(start))}</td>
                {Object.keys(names).map(id => (
                  <td key={id}>
                    {said(took(start.Phases.find(each => each.Name === id)))}
                  </td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </Scroll>
    </Section>
  );
}

/** By phase: what people call it, and what it is. */
function usePhaseNames(): Record<string, [string, string]> {
  const { trans } = useStudio();
  return {
    Notice: [
      trans.__('Noticed'),
      trans.__('Until a server was wanted for the request')
    ],
    Begin: [trans.__('Begun'), trans.__('Until the server had a process')],
    Model: [
      trans.__('Model'),
      trans.__('Until the model was there and unpacked')
    ],
    Program: [
      trans.__('Program'),
      trans.__('Until the server had loaded the model and answered /ping')
    ],
    Route: [
      trans.__('Routed'),
      trans.__('Until the router knew of the server')
    ],
    Answer: [
      trans.__('Answer'),
      trans.__('Until the model had answered the first request')
    ]
  };
}

/** 0.0123 -> "12 ms". */
export function brief(seconds: number): string {
  return seconds < 1 ? `${Math.round(1000 * seconds)} ms` : duration(seconds);
}

function said(seconds: number | undefined): string {
  return seconds === undefined ? '–' : brief(seconds);
}

function took(
  of: { StartTime: number; EndTime?: number } | undefined
): number | undefined {
  return of?.EndTime === undefined ? undefined : of.EndTime - of.StartTime;
}
