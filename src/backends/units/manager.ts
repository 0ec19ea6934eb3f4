import type { Manager } from "../../model/backends.ts";
import type { Observed, StateName } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import type { LogFiles, LogLine, LogRequest } from "../log-lines.ts";
import type { UnitFormat } from "../render/unit.ts";

/** Where a unit is loaded, in its manager's terms: a launchd domain, a supervisord address. */
export type Site = Readonly<Record<string, string | undefined>>;

/** A unit that xy installed, with what is known about its file and process. */
export interface Unit {
  readonly spec: ServerSpec;
  /** Absolute path of its file. */
  readonly file: string;
  /** It starts with its manager. */
  readonly enabled: boolean;
  /** Where it was loaded last. */
  readonly site?: Site | undefined;
  /** Its file is not what xy wrote. */
  readonly isEdited: boolean;
  /** Its file was changed after xy wrote it, whatever it contains now. */
  readonly isTouched: boolean;
  /** Unix ms at which xy wrote its file. */
  readonly writtenAt?: number;
  /** Pid of the process that xy itself started from what it had just written, while that runs. */
  readonly launched?: number;
}

/** A unit's current state in its manager. */
export interface Live
  extends Pick<Observed, "pid" | "startedAt" | "restartCount" | "lastExit" | "nextStartAt" | "reason"> {
  readonly state: StateName;
  /** Unix ms at which it entered this state; absent if unknown. */
  readonly since?: number;
  /** What was changed in the manager outside xy, a clause each. */
  readonly drift: readonly string[];
  /** The process may have been started from something other than what xy wrote. */
  readonly stale: boolean;
  /** It is loaded in another place than it would be now. */
  readonly isElsewhere?: boolean;
}

/** What each service manager does in its own way. What they share is in the files beside this one. */
export interface UnitManager {
  readonly kind: Manager;
  readonly format: UnitFormat;
  /** How it reads secrets from a file; absent: a shell reads them, then executes the program. */
  readonly secrets?: {
    readonly text: (values: SecretValues) => string;
    /** Why it cannot carry a value, as a clause; undefined if it can. */
    readonly fault: (value: string) => string | undefined;
  };
  /** Its units are loaded for an account without a graphical session. */
  readonly isBackground?: boolean;
  /** Throws a `BackendUnreachable` if the manager of these servers does not answer. */
  reach(specs: readonly ServerSpec[]): Promise<void>;
  /** Where such a server is loaded from now on; undefined if there is only one place. */
  siteOf(spec: ServerSpec): Site | undefined;
  /** Absolute path of the unit's file. */
  fileOf(spec: ServerSpec): string;
  /**
   * The files that get its output; undefined if the manager stores that itself. `file`: where its unit is, if that is not
   * where it belongs.
   */
  logFiles(spec: ServerSpec, file?: string): LogFiles | undefined;
  /** What someone who adds such a server should know; undefined: nothing. */
  hint?(spec: ServerSpec): string | undefined;
  /** Their states, by server, including those that it does not know. */
  look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>>;
  /** Removes overrides that others added to the unit. */
  takeBack?(unit: Unit): Promise<void>;
  /** Loads what was written, and enables or disables it; does not restart what is up to date. */
  load(unit: Unit): Promise<void>;
  /** Starts it from what was written last; a running unit is left alone. */
  start(unit: Unit): Promise<void>;
  /** Tells it to stop, with its stop signal and grace period or with SIGKILL, and does not wait for the end. */
  begin(unit: Unit, how: "stop" | "kill"): Promise<void>;
  /** Stops it with its stop signal and grace period. It has stopped when this settles. */
  stop(unit: Unit): Promise<void>;
  /** Kills it without a grace period. */
  kill(unit: Unit): Promise<void>;
  /** Removes the files of a unit that the manager does not read; absent if it reads every file. */
  discard?(unit: Unit): void;
  /** Removes its file, and what the manager knows about it. It has stopped before. */
  forget(unit: Unit): Promise<void>;
  /** Its output, to the end, or with `follow` until aborted. */
  logs(unit: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine>;
}
