import type { MainAreaWidget } from '@jupyterlab/apputils';
import type { Terminal } from '@jupyterlab/services';
import type { Widget } from '@lumino/widgets';
import React from 'react';

import { asked } from '../components/ask';
import { Field } from '../components/form';
import { useStudio } from '../components/hooks';
import { notifyError } from '../core/errors';
import type { IStudio } from '../tokens';

/** What JupyterLab's terminals have and we need: what is sent is typed. */
interface ITerminal extends Widget {
  session: Terminal.ITerminalConnection;
}

interface IBase {
  image: string;
  /** It has all packages: nothing is installed. */
  complete: boolean;
}

const USUAL: IBase = { image: 'python:3.11-slim', complete: false };

/** Ask what to build on, then build an image, or all, in a terminal: its log is live, and the build
 * survives the page. */
export async function build(app: IStudio, name?: string): Promise<void> {
  const { client, commands, trans } = app;
  const base = await asked<IBase>(app, {
    title: name
      ? trans.__('Build the image %1', name)
      : trans.__('Build all images'),
    accept: trans.__('Build'),
    first: USUAL,
    fields: Fields
  });
  if (!base) {
    return;
  }
  try {
    const { Command } = await client.call('studio', 'ListStudioImages', {});
    const made = (await commands.execute(
      'terminal:create-new'
    )) as MainAreaWidget<ITerminal>;
    made.content.session.send({
      type: 'stdin',
      content: [`${[Command, ...words(name, base)].join(' ')}\r`]
    });
  } catch (error) {
    notifyError(
      trans.__('No terminal could be opened; run "studio images build" in one'),
      error
    );
  }
}

/** What the command is told, for a shell. */
function words(name: string | undefined, base: IBase): string[] {
  const image = base.image.trim();
  return [
    ...(name ? [name] : []),
    ...(image && image !== USUAL.image
      ? ['--base', `'${image.replace(/'/g, "'\\''")}'`]
      : []),
    ...(base.complete ? ['--offline'] : [])
  ];
}

function Fields(props: {
  value: IBase;
  onChange: (value: IBase) => void;
}): React.JSX.Element {
  const { trans } = useStudio();
  const { value, onChange } = props;
  return (
    <>
      <Field
        label={trans.__('Base image')}
        help={trans.__('It has Python; packages are installed in it.')}
      >
        {ids => (
          <input
            {...ids}
            type="text"
            value={value.image}
            onChange={event =>
              onChange({ ...value, image: event.target.value })
            }
          />
        )}
      </Field>
      <label className="jp-StudioNewJob-row">
        <input
          type="checkbox"
          checked={value.complete}
          onChange={event =>
            onChange({ ...value, complete: event.target.checked })
          }
        />
        {trans.__('It has all packages: install nothing (offline)')}
      </label>
    </>
  );
}
