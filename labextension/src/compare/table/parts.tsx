import React from 'react';

import { Empty } from '../../components/empty';
import { number } from '../../components/format';
import { useStudio } from '../../components/hooks';
import { Code } from '../../components/parts';
import { useView, useViewStore } from '../hooks';
import { asked } from '../state';
import { GroupTree } from './groups';
import type { IDifference, ILines } from './pages';

const FIRST = `from studio import tracking

tracking.start("first-experiment", parameters={"rate": 0.1})
for step in range(100):
    tracking.log_metric("loss", 1 / (step + 1), step)`;

/** That there is something new which would move what is looked at; a press shows it. */
export function News(props: {
  news: IDifference;
  show: () => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { fresh } = props.news;
  const text =
    fresh > 0
      ? trans._n('%2 new', '%2 new', fresh, number(fresh))
      : fresh < 0
        ? trans.__('%1 fewer', number(-fresh))
        : trans.__('The order has changed');
  return (
    <button
      className="jp-StudioButton jp-mod-accept"
      title={trans.__('Bring the table up to date; lines may move')}
      onClick={props.show}
    >
      {text} ↻
    </button>
  );
}

/** How many lines there are, and how many are selected. */
export function Summary(props: { lines: ILines }): React.JSX.Element {
  const { trans } = useStudio();
  const selected = useView(state => state.selection.length);
  const { lines } = props;
  const texts: string[] = [];
  if (lines instanceof GroupTree) {
    const { here, total } = lines.outermost;
    texts.push(
      here < total
        ? trans.__('%1 of %2 groups', number(here), number(total))
        : trans._n('%2 group', '%2 groups', total, number(total))
    );
  } else if (lines.count !== undefined) {
    const { count } = lines;
    texts.push(trans._n('%2 component', '%2 components', count, number(count)));
  }
  if (selected) {
    texts.push(trans.__('%1 selected', number(selected)));
  }
  return (
    <div className="jp-StudioTable-summary" role="status">
      {texts.join(' · ')}
    </div>
  );
}

/** Why there are no lines, and what to do. */
export function Nothing(): React.JSX.Element {
  const { trans } = useStudio();
  const store = useViewStore();
  const query = useView(state => state.query);
  const names = useView(state => state.names);
  if (query || names) {
    return (
      <Empty title={trans.__('No trial component is like that.')}>
        <button
          className="jp-StudioButton"
          onClick={() =>
            store.change(state => ({ ...asked('')(state), names: null }))
          }
        >
          {trans.__('Show all')}
        </button>
      </Empty>
    );
  }
  return (
    <Empty
      title={trans.__('Nothing is tracked yet')}
      hint={trans.__(
        'Whatever a job, a Run of the SageMaker SDK or this code logs appears here at once.'
      )}
    >
      <Code code={FIRST} label={trans.__('Code that tracks a first run')} />
    </Empty>
  );
}
