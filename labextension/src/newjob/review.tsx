import React from 'react';

import type { ICall } from '../codegen';
import { CodeTabs } from '../codegen/copyas';
import { useArgs, useStudio } from '../components/hooks';
import { Section } from '../components/parts';
import type { StudioView } from '../core/documents';
import { TextField } from './form';

/** The last part of a form: the name of the job, and the request as code. */
export function Review(props: {
  view: StudioView;
  /** The member that is the name. */
  name: string;
  call: ICall;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [{ code }, setArgs] = useArgs<{ code?: string }>(props.view);
  return (
    <Section title={trans.__('Review')}>
      <div className="jp-StudioNewJob-fields">
        <TextField
          path={[props.name]}
          label={trans.__('Name')}
          required
          help={trans.__('Letters, digits and hyphens, 63 at most.')}
        />
      </div>
      <CodeTabs
        calls={[props.call]}
        selected={code}
        onSelect={id => setArgs({ code: id })}
      />
    </Section>
  );
}
