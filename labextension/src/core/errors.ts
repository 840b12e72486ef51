import { Notification } from '@jupyterlab/apputils';
import { ServerConnection } from '@jupyterlab/services';

/** An error that the control plane, S3 or the router answered, as AWS spells it. */
export class ApiError extends Error {
  constructor(
    readonly code: string,
    message: string,
    readonly status: number
  ) {
    super(message);
    this.name = code;
  }
}

/** The error in an answer of AWS's JSON protocol. */
export function apiError(status: number, text: string): ApiError {
  let code = `HTTP ${status}`;
  let message = text || code;
  try {
    const document = JSON.parse(text) as Record<string, string>;
    code = (document['__type'] ?? document['Code'] ?? code).replace(/^.*#/, '');
    message = document['message'] ?? document['Message'] ?? message;
  } catch {
    // Not JSON: a proxy's page, say. Its text is shown as it is.
  }
  return new ApiError(code, message, status);
}

/** The error in an answer of S3. */
export function s3Error(status: number, text: string): ApiError {
  const root = new DOMParser().parseFromString(text, 'application/xml');
  const code = root.querySelector('Error > Code')?.textContent;
  const message = root.querySelector('Error > Message')?.textContent;
  return code
    ? new ApiError(code, message ?? code, status)
    : apiError(status, text);
}

/** Whether nobody answered, which Retry may mend. */
export function isOffline(error: unknown): boolean {
  return (
    error instanceof ServerConnection.NetworkError ||
    (error instanceof ApiError &&
      (error.status === 502 || error.status === 503 || error.status === 504))
  );
}

/** The sentence to show for an error. */
export function told(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Say that an action failed. */
export function notifyError(what: string, error: unknown): void {
  Notification.error(`${what}: ${told(error)}`, { autoClose: false });
}
