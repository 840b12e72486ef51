import { Dialog, showDialog } from '@jupyterlab/apputils';

/** Ask before something is destroyed; true when the user says so. */
export async function confirmed(
  title: string,
  body: string,
  action: string
): Promise<boolean> {
  const result = await showDialog({
    title,
    body,
    buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: action })],
    defaultButton: 0
  });
  return result.button.accept;
}
