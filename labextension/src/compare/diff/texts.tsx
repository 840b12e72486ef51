import React from 'react';

import { useStudio } from '../../components/hooks';
import type { studio } from '../../wire';
import { LineDiff } from './lineview';
import { textsOf } from './model';
import type { IDiffProps } from './table';

/** Texts of two components line by line: the cell, what was not committed, packages, the note. */
export function DiffTexts(props: IDiffProps): React.JSX.Element {
  const { trans } = useStudio();
  const { details, settings, set } = props;
  const [base, other] = pairOf(details, settings.other);
  const left = textsOf(base, trans);
  const right = other ? textsOf(other, trans) : left;
  const shown = left.findIndex(each => each.id === settings.text);
  const filled = left.findIndex((each, at) => each.text || right[at].text);
  const at = shown >= 0 ? shown : Math.max(0, filled);
  return (
    <div className="jp-StudioDiff-part">
      <div className="jp-StudioDiff-bar">
        {props.lead}
        <Pair {...props} />
        <select
          aria-label={trans.__('Text')}
          value={left[at].id}
          onChange={event => set({ text: event.target.value })}
        >
          {left.map((each, i) => (
            <option key={each.id} value={each.id}>
              {each.label}
              {each.text || right[i].text ? '' : ` (${trans.__('none')})`}
            </option>
          ))}
        </select>
      </div>
      {left[at].text || right[at].text ? (
        <LineDiff
          left={left[at].text}
          right={right[at].text}
          label={left[at].label}
        />
      ) : (
        <p className="jp-StudioDiff-none" role="status">
          {trans.__('Neither has recorded this.')}
        </p>
      )}
    </div>
  );
}

/** The base, and the component it is compared with: the one that is asked for, or the next. */
export function pairOf(
  details: studio.TrialComponentDetail[],
  other: string | undefined
): [studio.TrialComponentDetail, studio.TrialComponentDetail | undefined] {
  const [base, ...rest] = details;
  return [base, rest.find(each => each.Name === other) ?? rest[0]];
}

/** Says which two are compared, and lets choose the second. */
export function Pair(props: IDiffProps): React.JSX.Element {
  const { trans } = useStudio();
  const { details, settings, set } = props;
  const [base, other] = pairOf(details, settings.other);
  return (
    <span className="jp-StudioDiff-pair">
      <span title={base.Name}>− {base.DisplayName || base.Name}</span>
      {other && (
        <label>
          +{' '}
          <select
            aria-label={trans.__('Compared with the base')}
            value={other.Name}
            onChange={event => set({ other: event.target.value })}
          >
            {details.slice(1).map(each => (
              <option key={each.Name} value={each.Name}>
                {each.DisplayName || each.Name}
              </option>
            ))}
          </select>
        </label>
      )}
    </span>
  );
}
