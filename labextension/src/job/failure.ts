import type { TranslationBundle } from '@jupyterlab/translation';

import { duration } from '../components/format';

/** Why a job did not come to its end, for people. */
export interface IFailure {
  /** The cause in a sentence. */
  cause: string;
  /** What may be done about it. */
  hint: string;
  /** What the program or the platform said; "" for nothing more. */
  said: string;
  /** It holds the traceback. */
  traced?: boolean;
}

/** How a job ended. */
export interface IEnd {
  failed: boolean;
  /** Its time was up. */
  late: boolean;
  /** `FailureReason`. */
  reason: string;
  /** Seconds that it might run. */
  limit: number;
}

/** The failure of a job; null for one that has none. */
export function failureOf(
  end: IEnd,
  trans: TranslationBundle
): IFailure | null {
  if (end.late) {
    return {
      cause: trans.__(
        'The job was ended when its time was up: it may run for %1.',
        duration(end.limit)
      ),
      hint: trans.__(
        'What it had in /opt/ml/model by then was stored. Clone it with a longer maximum runtime, or with checkpoints.'
      ),
      said: ''
    };
  }
  if (!end.failed) {
    return null;
  }
  const { kind, reason, said, code } = parsed(end.reason);
  const cell = /^(Cell \d+ of \d+ failed: .*)(?:\n\s*)?/.exec(said);
  if (cell) {
    return {
      cause: cell[1],
      hint: trans.__(
        'What there is of the notebook was kept: open the output. Mend the notebook, and run it again.'
      ),
      said: said.slice(cell[0].length).trim(),
      traced: true
    };
  }
  if (/^\d+( or more)? records? of \d+ files? could not be/.test(said)) {
    return {
      cause: trans.__('The model has no answer to some records.'),
      hint: trans.__(
        'Their files have no output, all others have theirs. The log names each record: mend them, and transform these files again.'
      ),
      said
    };
  }
  const [cause, hint] = explained(kind, reason, code, trans);
  return { cause, hint, said };
}

interface IParsed {
  kind: string;
  reason: string;
  said: string;
  code: number | undefined;
}

/** `ClientError: OutOfMemory: words, exit code: 137` in its parts. */
function parsed(text: string): IParsed {
  const exit = /, exit code: (\d+)$/.exec(text);
  const rest = exit ? text.slice(0, exit.index) : text;
  const kind = /^(AlgorithmError|ClientError|InternalServerError): /.exec(rest);
  const words = kind ? rest.slice(kind[0].length) : rest;
  const reason =
    /^(OutOfMemory|NoSpace|DownloadFailed|UnsafeArchive|UploadFailed): /.exec(
      words
    );
  return {
    kind: kind?.[1] ?? '',
    reason: reason?.[1] ?? '',
    said: reason ? words.slice(reason[0].length) : words,
    code: exit ? Number(exit[1]) : undefined
  };
}

function explained(
  kind: string,
  reason: string,
  code: number | undefined,
  trans: TranslationBundle
): [string, string] {
  switch (reason) {
    case 'OutOfMemory':
      return [
        trans.__('The job ran out of memory.'),
        trans.__(
          'Clone it with smaller batches or less data at once, or give it more memory.'
        )
      ];
    case 'NoSpace':
      return [
        trans.__('The disk was full.'),
        trans.__('Free space, or let the job write less; then clone it.')
      ];
    case 'DownloadFailed':
    case 'UnsafeArchive':
      return [
        trans.__('The input data could not be brought to the job.'),
        trans.__('Look at the inputs, then clone the job.')
      ];
    case 'UploadFailed':
      return [
        trans.__('The results could not be stored.'),
        trans.__('Look at the output location, then clone the job.')
      ];
  }
  if (kind === 'InternalServerError') {
    return [
      trans.__('The job was lost with the process or the machine it ran on.'),
      trans.__('It may simply be run again: clone it.')
    ];
  }
  const signal = code !== undefined && SIGNALS[code];
  if (signal) {
    return [
      trans.__('The program was ended by the signal %1.', signal),
      code === 137
        ? trans.__('Somebody killed it, or the machine ran out of memory.')
        : trans.__('The end of the log tells more.')
    ];
  }
  return [
    code === undefined
      ? trans.__('The job could not be run.')
      : trans.__('The program ended with the exit code %1.', code),
    kind === 'ClientError'
      ? trans.__('It says that its input or its parameters are wrong.')
      : trans.__(
          'Mend the cause and run it again: a clone keeps all other settings.'
        )
  ];
}

const SIGNALS: Record<number, string> = {
  132: 'SIGILL',
  134: 'SIGABRT',
  135: 'SIGBUS',
  136: 'SIGFPE',
  137: 'SIGKILL',
  139: 'SIGSEGV',
  143: 'SIGTERM'
};
