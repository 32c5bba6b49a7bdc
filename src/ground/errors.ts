/** One issue that a schema found. */
export interface InvalidIssue {
  /** Where: `data.items[3].price`. */
  readonly path: string;
  readonly message: string;
}

/** Whether something that failed may still have been written. */
export type WriteOutcome = 'not_written' | 'unknown';

/** How far behind a view is. */
export interface StaleDetails {
  readonly view: string;
  /** Up to which all events are in it. */
  readonly position: number;
  /** Of the store. */
  readonly head: number;
  /** Age of the oldest event that is not in it, in ms; 0 if all are. */
  readonly lagMs: number;
  /** What was demanded. */
  readonly atLeast?: number | undefined;
  readonly maxLagMs?: number | undefined;
  /** Whether it is being built, and has never been up to date. */
  readonly isBuilding: boolean;
  readonly waitedMs: number;
  /** Why it gets no further: the event at which its projection stands still. */
  readonly fault?: { readonly position: number; readonly reason: string } | undefined;
  /** Whether it shows a past moment, and so gets no further. */
  readonly isPast?: boolean | undefined;
}

/** Details that each error carries, by code. To add an error, add its row here and its text below. */
export interface ErrorDetails {
  append_aborted: { readonly outcome: WriteOutcome };
  append_queue_full: { readonly pendingMax: number };
  cast_failed: {
    readonly stream: string;
    readonly version: number;
    readonly position: number;
    readonly type: string;
    /** As which version it was recorded. */
    readonly schemaVersion: number;
    readonly reason: string;
  };
  checkpoint_taken: { readonly checkpoint: string; readonly position: number };
  collection_unknown: { readonly collection: string };
  command_aborted: { readonly outcome: WriteOutcome };
  command_queue_full: { readonly pendingMax: number };
  command_timeout: { readonly timeoutMs: number; readonly outcome: WriteOutcome };
  command_unknown: { readonly command: string; readonly known: readonly string[] };
  connection_failed: { readonly store: string; readonly reason: string; readonly outcome: WriteOutcome };
  connections_exhausted: {
    readonly store: string;
    readonly max: number;
    readonly waiting: number;
    readonly waitedMs: number;
  };
  consumer_faulted: { readonly consumer: string; readonly position: number; readonly reason: string };
  consumer_never_run: { readonly consumer: string; readonly version: number };
  consumer_refused: { readonly consumer: string; readonly reason: string };
  consumer_unknown: { readonly consumer: string; readonly known: readonly string[] };
  copy_refused: { readonly reason: string };
  data_unfaithful: { readonly path: string; readonly found: string };
  decide_failed: { readonly command: string; readonly reason: string };
  definition_changed: { readonly consumer: string; readonly version: number; readonly changed: string };
  definition_invalid: { readonly name: string; readonly reason: string };
  driver_missing: { readonly driver: string };
  engine_closed: Record<never, never>;
  event_invalid: { readonly type: string; readonly issues: readonly InvalidIssue[] };
  event_newer: {
    readonly stream: string;
    readonly version: number;
    readonly type: string;
    readonly schemaVersion: number;
    readonly known: number;
  };
  event_type_unknown: { readonly type: string; readonly known: readonly string[] };
  event_undeclared: { readonly stream: string; readonly version: number; readonly type: string };
  event_unhandled: { readonly stream: string; readonly version: number; readonly type: string };
  evolve_failed: { readonly stream: string; readonly version: number; readonly type: string; readonly reason: string };
  file_exists: { readonly file: string };
  fold_failed: {
    readonly fold: string;
    readonly position: number;
    readonly stream: string;
    readonly type: string;
    readonly reason: string;
  };
  idempotency_key_reused: { readonly key: string };
  import_refused: { readonly stream: string; readonly version: number; readonly reason: string };
  inline_conflict: { readonly result: 'fenced' | 'checkpoint_moved' | 'revision_moved' };
  limit_exceeded: { readonly limit: string; readonly value: number; readonly max: number; readonly subject: string };
  migration_failed: ErrorDetails['cast_failed'];
  name_invalid: { readonly what: string; readonly name: string; readonly reason: string };
  option_invalid: { readonly option: string; readonly value: unknown; readonly expected: string };
  query_invalid: { readonly path: string; readonly reason: string };
  projection_failed: {
    readonly projection: string;
    readonly stream: string;
    readonly type: string;
    readonly reason: string;
  };
  request_invalid: { readonly reason: string };
  sqlite_too_old: { readonly found: string; readonly required: string };
  stale: StaleDetails;
  saga_exists: { readonly saga: string; readonly id: string };
  saga_not_found: { readonly saga: string; readonly id: string };
  saga_refused: { readonly saga: string; readonly id: string; readonly reason: string };
  saga_running: { readonly saga: string; readonly id: string; readonly status: string; readonly waitedMs: number };
  saga_unknown: { readonly saga: string; readonly known: readonly string[] };
  saga_version_absent: {
    readonly saga: string;
    readonly versions: readonly { readonly version: number; readonly instances: number }[];
  };
  schema_changed: {
    readonly type: string;
    readonly schemaVersion: number;
    readonly changes: readonly { readonly path: string; readonly text: string }[];
  };
  schema_incompatible: {
    readonly type: string;
    readonly schemaVersion: number;
    readonly compatibility: string;
    readonly problems: readonly { readonly path: string; readonly reason: string; readonly against: number }[];
  };
  statement_failed: { readonly statement: string; readonly reason: string };
  store_closed: Record<never, never>;
  store_corrupt: { readonly file: string; readonly where: string };
  store_drifted: { readonly store: string; readonly found: string };
  store_failed: { readonly file: string; readonly reason: string; readonly outcome: WriteOutcome };
  store_forbidden: { readonly store: string; readonly reason: string };
  store_foreign: { readonly file: string; readonly found: string };
  store_full: { readonly file: string };
  store_locked: { readonly file: string; readonly waitedMs: number };
  store_newer: { readonly file: string; readonly found: number; readonly supported: number };
  store_outdated: { readonly store: string; readonly found: number; readonly required: number };
  store_read_only: { readonly file: string };
  store_unsupported: { readonly store: string; readonly found: string; readonly required: string };
  store_unavailable: { readonly file: string; readonly reason: string };
  thread_unstartable: { readonly thread: string; readonly reason: string };
}
export type ErrorCode = keyof ErrorDetails;

const repeatWithKey = 'If the outcome is unknown, repeat it with the same idempotency key, or look at its stream.';

function consequence(outcome: WriteOutcome): string {
  return outcome === 'not_written' ? ': nothing was written.' : ' while it was being committed: it may have been done.';
}

interface Explanation<Details> {
  readonly says: (details: Details) => string;
  readonly remedy: string;
}

const explanations: { readonly [Code in ErrorCode]: Explanation<ErrorDetails[Code]> } = {
  append_aborted: {
    says: ({ outcome }) =>
      outcome === 'not_written'
        ? 'The append was cancelled before it was sent: nothing was written.'
        : 'The append was cancelled while it was being committed: it may have been written.',
    remedy: 'If the outcome is unknown, repeat it with the same receipt key, or read the stream.',
  },
  append_queue_full: {
    says: ({ pendingMax }) => `${pendingMax} appends are already waiting.`,
    remedy: 'Await earlier appends before sending more, or raise limits.pendingAppends.',
  },
  cast_failed: {
    says: ({ stream, version, type, schemaVersion, reason }) =>
      `${stream} holds at version ${version} a ${type} of schema version ${schemaVersion}, which could not be cast: ${reason}.`,
    remedy: 'Correct the cast of that version (eventsrc schema check --log finds all such events).',
  },
  checkpoint_taken: {
    says: ({ checkpoint, position }) =>
      `Somebody else follows the log under the checkpoint ${checkpoint}, and has moved it from position ${position}.`,
    remedy: 'Let one process follow it at a time, or give each a checkpoint of its own.',
  },
  collection_unknown: {
    says: ({ collection }) => `There is no collection ${collection}.`,
    remedy: 'Define it first, or check its name.',
  },
  command_aborted: {
    says: ({ outcome }) => `The command was cancelled${consequence(outcome)}`,
    remedy: repeatWithKey,
  },
  command_queue_full: {
    says: ({ pendingMax }) => `${pendingMax} commands are already waiting.`,
    remedy: 'Await earlier commands before sending more, or raise limits.pendingCommands.',
  },
  command_timeout: {
    says: ({ timeoutMs, outcome }) => `The command took longer than ${timeoutMs} ms${consequence(outcome)}`,
    remedy: `${repeatWithKey} Raise timeoutMs if it needs longer.`,
  },
  command_unknown: {
    says: ({ command, known }) => `${command} is not known to this engine; known: ${known.join(', ')}.`,
    remedy: 'Name its aggregate or decision when opening the engine.',
  },
  connection_failed: {
    says: ({ store, reason, outcome }) =>
      `${store} could not be reached (${reason})${outcome === 'unknown' ? ' after it was asked to write: it may have been written' : ': nothing was written'}.`,
    remedy: 'Check the server and the network; the store goes on by itself as soon as it answers.',
  },
  connections_exhausted: {
    says: ({ store, max, waiting, waitedMs }) =>
      `All ${max} connections to ${store} were in use for ${waitedMs} ms, ${waiting} calls were waiting.`,
    remedy: 'Raise max among the connection options, or do less at once.',
  },
  consumer_faulted: {
    says: ({ consumer, position, reason }) => `${consumer} stands still at position ${position}: ${reason}.`,
    remedy: 'Correct it, then let it retry that event, or skip it.',
  },
  consumer_never_run: {
    says: ({ consumer, version }) => `Nobody has ever run ${consumer} (version ${version}) on this store.`,
    remedy: 'Open an engine that runs it, in whatever process.',
  },
  consumer_refused: {
    says: ({ consumer, reason }) => `This cannot be done with ${consumer}: ${reason}.`,
    remedy: 'Look at how it stands: eventsrc projections.',
  },
  consumer_unknown: {
    says: ({ consumer, known }) => `${consumer} is not known to this engine; known: ${known.join(', ') || 'none'}.`,
    remedy: 'Name it among the projections, tables or reactors when opening the engine.',
  },
  copy_refused: {
    says: ({ reason }) => `The target is not what comes of the source: ${reason}.`,
    remedy: 'Name an empty store, or one that an interrupted run left unfinished and nobody has written to since.',
  },
  data_unfaithful: {
    says: ({ path, found }) => `JSON cannot carry ${found} at ${shorten(path)} unchanged.`,
    remedy: 'Convert the value to plain JSON before appending, for example a Date to its ISO string.',
  },
  decide_failed: {
    says: ({ command, reason }) => `decide of ${command} failed: ${reason}. Nothing was written.`,
    remedy:
      'Correct it: it must return a list of events or a rejection, without a promise and without changing the state.',
  },
  definition_changed: {
    says: ({ consumer, version, changed }) =>
      `The definition of ${consumer} is another one than before, under the same version ${version}: ${changed}.`,
    remedy: 'Raise its version: the view is then built anew beside the old one. Or undo the change.',
  },
  definition_invalid: {
    says: ({ name, reason }) => `The definition of ${name} is not valid: ${reason}.`,
    remedy: 'Correct the definition.',
  },
  driver_missing: {
    says: ({ driver }) => `The package ${driver} is not installed.`,
    remedy: 'Install it beside eventsrc: npm install pg.',
  },
  engine_closed: { says: () => 'The engine is closed.', remedy: 'Open it again.' },
  event_invalid: {
    says: ({ type, issues }) =>
      `${type} does not match its schema: ${issues.map(({ path, message }) => `${path}: ${message}`).join('; ')}`,
    remedy: 'Correct the event, or the schema that was declared for its type.',
  },
  event_newer: {
    says: ({ stream, version, type, schemaVersion, known }) =>
      `${stream} holds at version ${version} a ${type} of schema version ${schemaVersion}, and this code knows it up to ${known}.`,
    remedy:
      'It was appended by newer code: deploy that here too, or say what is to be done about such events (docs/schemas.md).',
  },
  event_type_unknown: {
    says: ({ type, known }) =>
      `No schema was declared for the event type ${JSON.stringify(type)}; known: ${known.join(', ')}.`,
    remedy: 'Declare the type in `events`.',
  },
  event_undeclared: {
    says: ({ stream, version, type }) =>
      `${stream} holds at version ${version} a ${type}, which this code does not know.`,
    remedy: 'Declare the type in its aggregate, or say what is to be done about such events (docs/schemas.md).',
  },
  event_unhandled: {
    says: ({ stream, version, type }) =>
      `${stream} holds a ${type} at version ${version}, which its aggregate does not declare.`,
    remedy: 'Add the type to the events and to evolve of the aggregate: what has happened stays.',
  },
  evolve_failed: {
    says: ({ stream, version, type, reason }) =>
      `evolve of ${type} failed on ${stream} at version ${version}: ${reason}.`,
    remedy: 'Correct it: a fold returns the next state for every event, and never changes the one it is given.',
  },
  file_exists: {
    says: ({ file }) => `${file} exists: it was left as it is.`,
    remedy:
      'Choose another name, or move the file away. (One that ends in .partial is being written, or was left by work that was killed.)',
  },
  fold_failed: {
    says: ({ fold, position, stream, type, reason }) =>
      `${fold} cannot take in the ${type} of ${stream} at position ${position}: ${reason}.`,
    remedy: 'Correct the fold, or replay only events that it can take in.',
  },
  idempotency_key_reused: {
    says: ({ key }) => `The idempotency key ${JSON.stringify(shorten(key))} was used for another command or input.`,
    remedy: 'Use a new key for each command; repeat a command only with the same input.',
  },
  import_refused: {
    says: ({ stream, version, reason }) => `Version ${version} of ${stream} cannot be imported: ${reason}.`,
    remedy: 'Import whole streams in position order, unaltered, into a store that has no other history of them.',
  },
  inline_conflict: {
    says: ({ result }) =>
      `The change that belongs to the append did not find what it builds on (${result}): nothing was written.`,
    remedy: 'Repeat the append. If it recurs, somebody else moves the same checkpoint or documents: leave them to one.',
  },
  limit_exceeded: {
    says: ({ limit, value, max, subject }) => `${subject}: ${value} exceeds ${limit} = ${max}.`,
    remedy: 'Keep below the limit, or raise it (also to Infinity) in `limits` when opening the store.',
  },
  migration_failed: {
    says: ({ stream, version, position, type, reason }) =>
      `The ${type} at position ${position} (version ${version} of ${stream}) could not be migrated: ${reason}.`,
    remedy: 'Correct the function and begin again: into an empty store, unless what came before stays the same.',
  },
  name_invalid: {
    says: ({ what, name, reason }) => `${JSON.stringify(shorten(name))} is not a valid ${what}: ${reason}.`,
    remedy: 'Choose another name.',
  },
  option_invalid: {
    says: ({ option, value, expected }) => `${option} is ${display(value)}, expected ${expected}.`,
    remedy: 'Correct the named option.',
  },
  query_invalid: {
    says: ({ path, reason }) => `${shorten(path)}: ${reason}.`,
    remedy: 'Correct the query at the place that is named.',
  },
  projection_failed: {
    says: ({ projection, stream, type, reason }) =>
      `The inline projection ${projection} cannot take in a ${type} of ${stream}: ${reason}. Nothing was written.`,
    remedy: 'Correct its fold, or make the projection asynchronous.',
  },
  request_invalid: { says: ({ reason }) => `${reason}.`, remedy: 'Correct the call.' },
  sqlite_too_old: {
    says: ({ found, required }) =>
      `SQLite ${found} can corrupt a file that several connections write (before ${required}).`,
    remedy: 'Use Node 24.15 or later.',
  },
  stale: {
    says: ({ view, position, head, lagMs, atLeast, maxLagMs, isBuilding, waitedMs, fault, isPast }) => {
      const demanded = [
        ...(atLeast === undefined ? [] : [`position ${atLeast}`]),
        ...(maxLagMs === undefined ? [] : [`a lag of at most ${maxLagMs} ms`]),
      ];
      const state = `at position ${position} of ${head}, ${lagMs} ms behind`;
      if (fault !== undefined)
        return `The view ${view} stands still at position ${fault.position} (${fault.reason}): ${state}.`;
      if (isPast === true)
        return `This is the view ${view} as of position ${position}, and stays so; demanded: ${demanded.join(' and ')}.`;
      return isBuilding
        ? `The view ${view} is still being built: ${state}.`
        : `The view ${view} is ${state}; demanded: ${demanded.join(' and ')}; waited ${waitedMs} ms.`;
    },
    remedy: 'Repeat it later, demand less, wait longer (timeoutMs), or see why its projection is behind.',
  },
  saga_exists: {
    says: ({ saga, id }) => `There is an instance ${id} of ${saga} already, which was started with something else.`,
    remedy: 'Use another id, or start it with the same input: then it is the same one.',
  },
  saga_not_found: {
    says: ({ saga, id }) => `There is no instance ${id} of ${saga}.`,
    remedy: 'Check the id; eventsrc sagas lists those that are running.',
  },
  saga_refused: {
    says: ({ saga, id, reason }) => `This cannot be done to ${saga} ${id}: ${reason}.`,
    remedy: 'Look at how it stands (eventsrc saga show), and do what fits.',
  },
  saga_running: {
    says: ({ saga, id, status, waitedMs }) => `${saga} ${id} is still ${status} after ${waitedMs} ms.`,
    remedy: 'Wait longer (timeoutMs), or see what it waits for.',
  },
  saga_unknown: {
    says: ({ saga, known }) => `No saga is called ${saga}; known are: ${known.join(', ') || 'none'}.`,
    remedy: 'Give it to openEngine in `sagas`, or correct the name.',
  },
  saga_version_absent: {
    says: ({ saga, versions }) =>
      `Instances of ${saga} run on versions that are not given: ${versions.map(({ version, instances }) => `version ${version} (${instances})`).join(', ')}.`,
    remedy: 'Give the definitions of these versions in `previous`, until their instances have ended or are migrated.',
  },
  schema_changed: {
    says: ({ type, schemaVersion, changes }) =>
      `Version ${schemaVersion} of ${type} was appended with another schema: ${changes.map(({ text }) => text).join('; ')}.`,
    remedy:
      'Restore the schema of that version, and declare the change as the next one: versions(…).next(schema, { up }).',
  },
  schema_incompatible: {
    says: ({ type, schemaVersion, compatibility, problems }) =>
      `Version ${schemaVersion} of ${type} is not ${compatibility}: ${problems
        .map(({ path, reason, against }) => `${path}: ${reason} (version ${against})`)
        .join('; ')}.`,
    remedy: 'Change the new version so that it is, or ask for another compatibility of this type.',
  },
  statement_failed: {
    says: ({ statement, reason }) => `The statement ${shorten(statement)} failed: ${reason}. Nothing was changed.`,
    remedy: 'Correct the statement, or the table that it works on.',
  },
  store_closed: { says: () => 'The store is closed.', remedy: 'Open it again.' },
  store_corrupt: {
    says: ({ file, where }) => `${file} is damaged: ${where}.`,
    remedy: 'Stop writing, keep a copy of the file and its -wal, and restore from a backup.',
  },
  store_drifted: {
    says: ({ store, found }) => `The schema of ${store} is not what its migrations made: ${found}.`,
    remedy: 'Undo the change that was made by hand, or restore the schema from a backup.',
  },
  store_failed: {
    says: ({ file, reason, outcome }) =>
      `The work on ${file} failed (${reason}); ${outcome === 'unknown' ? 'what was being written may or may not be there' : 'nothing was written'}.`,
    remedy: 'Check the disk, then close the store and open it again: opening verifies it.',
  },
  store_forbidden: {
    says: ({ store, reason }) => `The user may not do that in ${store}: ${reason}.`,
    remedy: 'Grant the rights that docs/postgres.md lists: eventsrc migrate --grant ROLE does it.',
  },
  store_foreign: {
    says: ({ file, found }) => `${file} is not an eventsrc store: ${found}.`,
    remedy: 'Name another file; this one was left as it is.',
  },
  store_full: {
    says: ({ file }) => `The disk that holds ${file} is full: nothing was written.`,
    remedy: 'Free some space and repeat; the store stays usable.',
  },
  store_locked: {
    says: ({ file, waitedMs }) => `${file} was locked by another program for ${waitedMs} ms: nothing was written.`,
    remedy: 'Find the program that holds a transaction open on the file, then repeat.',
  },
  store_newer: {
    says: ({ file, found, supported }) => `${file} has format ${found}; this version reads up to ${supported}.`,
    remedy: 'Update eventsrc; the file was left as it is.',
  },
  store_outdated: {
    says: ({ store, found, required }) =>
      found === 0 ? `There is no ${store}.` : `${store} has format ${found}; this version needs ${required}.`,
    remedy: 'Check the name, or run eventsrc migrate as a user who may make and change the schema.',
  },
  store_read_only: {
    says: ({ file }) => `${file} cannot be written.`,
    remedy: 'Give this user the right to write the file and its folder; of a server, name the primary.',
  },
  store_unsupported: {
    says: ({ store, found, required }) => `${store} has ${found}, expected ${required}.`,
    remedy: 'Use a server and a database that fit.',
  },
  store_unavailable: {
    says: ({ file, reason }) => `${file} cannot be opened: ${reason}.`,
    remedy: 'Check the name, that its folder exists, and that this user may read and write it.',
  },
  thread_unstartable: {
    says: ({ thread, reason }) => `The ${thread} could not be started: ${reason}.`,
    remedy: 'Allow the program to start threads; if it is bundled, leave eventsrc out of the bundle.',
  },
};

/** Whatever was given: not everything can be made a string. */
function display(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  return typeof value === 'object' && value !== null ? 'an object' : shorten(String(value));
}

function shorten(text: string): string {
  return text.length <= 200 ? text : `${text.slice(0, 150)}…${text.slice(-40)}`;
}

/**
 * Anything that is not an expected outcome. Compare `code`, not the class; `details` is typed by code;
 * `remedy` says what to do.
 */
export class EngineError<Code extends ErrorCode = ErrorCode> extends Error {
  override readonly name = 'EngineError';
  readonly code: Code;
  readonly details: ErrorDetails[Code];
  /** What happened, in a sentence. */
  readonly summary: string;
  /** What to do about it, in a sentence. */
  readonly remedy: string;

  constructor(code: Code, details: ErrorDetails[Code], options?: ErrorOptions) {
    const explanation: Explanation<ErrorDetails[Code]> = explanations[code];
    const summary = explanation.says(details);
    super(`${code}: ${summary} ${explanation.remedy}`, options);
    this.code = code;
    this.details = details;
    this.summary = summary;
    this.remedy = explanation.remedy;
  }
}

/** Whether `error` is an EngineError with this code, also one from another copy of this package. */
export function hasCode<Code extends ErrorCode>(error: unknown, code: Code): error is EngineError<Code> {
  return error instanceof Error && error.name === 'EngineError' && (error as { code?: unknown }).code === code;
}

/** What somebody else's code threw, in a few words. */
export function describe(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error);
  } catch {
    return 'something that cannot be shown';
  }
}
