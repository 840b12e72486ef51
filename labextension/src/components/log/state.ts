/** What is kept of a log view over a reload: plain JSON, all of it may be absent. */
export interface ILogState {
  stream?: string;
  /** The line that was asked for: a match, the first error. */
  line?: number;
  /** The first line on the screen, where the end is not followed. */
  top?: number;
  follow?: boolean;
  wrap?: boolean;
  times?: boolean;
  query?: string;
  regex?: boolean;
  matchCase?: boolean;
  /** First and last line of the selection. */
  chosen?: [number, number] | null;
}
