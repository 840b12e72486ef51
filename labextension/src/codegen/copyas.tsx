import { Dialog } from '@jupyterlab/apputils';
import { ReactWidget } from '@jupyterlab/ui-components';
import React from 'react';

import { StudioContext, useStudio } from '../components/hooks';
import { Code, Tabs } from '../components/parts';
import type { IStudio } from '../tokens';
import { type ICall, LANGUAGES } from './index';

/** The same calls in every form that has words for them, a tab each. */
export function CodeTabs(props: {
  calls: ICall[];
  selected?: string;
  onSelect?: (id: string) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const [own, setOwn] = React.useState('boto3');
  const texts = LANGUAGES.map(language => ({
    ...language,
    code: language.text(props.calls)
  }));
  return (
    <Tabs
      label={trans.__('Copy as')}
      selected={props.selected ?? own}
      onSelect={props.onSelect ?? setOwn}
      tabs={texts
        .filter(each => each.code !== null)
        .map(({ id, name, code }) => ({
          id,
          label: name,
          content: () => <Code code={code!} label={name} />
        }))}
    />
  );
}

/** Show the calls as code, to read and to copy. */
export async function copyAs(
  studio: IStudio,
  title: string,
  calls: ICall[]
): Promise<void> {
  const body = ReactWidget.create(
    <StudioContext.Provider value={studio}>
      <CodeTabs calls={calls} />
    </StudioContext.Provider>
  );
  body.addClass('jp-StudioView');
  const dialog = new Dialog({
    title,
    body,
    buttons: [Dialog.okButton({ label: studio.trans.__('Close') })],
    hasClose: true
  });
  dialog.addClass('jp-StudioCopyAs');
  await dialog.launch();
}
