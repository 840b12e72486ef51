import { Dialog, showDialog } from '@jupyterlab/apputils';
import React from 'react';

const MOST_NAMED = 10;

/** Ask before something is destroyed; true when the user says so. `names` is what goes. */
export async function confirmed(
  title: string,
  body: string,
  action: string,
  names: string[] = []
): Promise<boolean> {
  const rest = names.length - MOST_NAMED;
  const result = await showDialog({
    title,
    body: names.length ? (
      <div className="jp-StudioConfirm">
        <ul>
          {names.slice(0, MOST_NAMED).map(name => (
            <li key={name}>{name}</li>
          ))}
          {rest > 0 && <li>… +{rest.toLocaleString()}</li>}
        </ul>
        <p>{body}</p>
      </div>
    ) : (
      body
    ),
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: action })],
    defaultButton: 0
  });
  return result.button.accept;
}
