import type { Manager } from "../../model/backends.ts";
import type { Observed, StateName } from "../../model/observed.ts";
import type { ServerSpec } from "../../model/spec.ts";
import type { SecretValues } from "../../model/spec-parts.ts";
import type { LogFiles, LogLine, LogRequest } from "../log-lines.ts";
import type { UnitFormat } from "../render/unit.ts";

/** Where a unit is loaded, as its manager names that: a domain of launchd, an address of supervisord. */
export type Site = Readonly<Record<string, string | undefined>>;

/** A unit that xy has installed, and what is to be known of its file and of its process. */
export interface Unit {
  readonly spec: ServerSpec;
  /** Absolute path of its file. */
  readonly file: string;
  /** It is to start with its manager. */
  readonly enabled: boolean;
  /** Where it was loaded last. */
  readonly site?: Site | undefined;
  /** Its file is not what xy wrote. */
  readonly isEdited: boolean;
  /** Somebody else than xy has changed its file since xy wrote it, whatever it is now. */
  readonly isTouched: boolean;
  /** Unix ms at which xy wrote its file. */
  readonly writtenAt?: number;
  /** Pid of the process that xy itself started, from what it had just written; while that lives. */
  readonly launched?: number;
}

/** How a unit is with its manager, now. */
export interface Live
  extends Pick<Observed, "pid" | "startedAt" | "restartCount" | "lastExit" | "nextStartAt" | "reason"> {
  readonly state: StateName;
  /** Unix ms at which it came into this state; absent where nobody knows. */
  readonly since?: number;
  /** What somebody else than xy has changed with the manager, a clause each. */
  readonly drift: readonly string[];
  /** The process may have been started from another text than the one that xy wrote. */
  readonly stale: boolean;
  /** It is loaded elsewhere than it would be now. */
  readonly isElsewhere?: boolean;
}

/** What the managers of units do, each in its way. What is common to them is in the files beside this one. */
export interface UnitManager {
  readonly kind: Manager;
  readonly format: UnitFormat;
  /** How it reads secrets from a file; absent: a shell does, before it becomes the program. */
  readonly secrets?: {
    readonly text: (values: SecretValues) => string;
    /** Why it cannot carry a value, as a clause; undefined: it can. */
    readonly fault: (value: string) => string | undefined;
  };
  /** Its units are loaded for an account without a graphical session. */
  readonly isBackground?: boolean;
  /** Throws a `BackendUnreachable` when whoever runs these does not answer. */
  reach(specs: readonly ServerSpec[]): Promise<void>;
  /** Where such a server is loaded from now on; undefined where there is only one place. */
  siteOf(spec: ServerSpec): Site | undefined;
  /** Absolute path of the unit's file. */
  fileOf(spec: ServerSpec): string;
  /**
   * Absolute paths of the files that get its output; undefined: the manager keeps that itself. `file` is where its unit
   * is; when not given, where it belongs.
   */
  logFiles(spec: ServerSpec, file?: string): LogFiles | undefined;
  /** What is to be known by whoever adds such a server; undefined: nothing. */
  hint?(spec: ServerSpec): string | undefined;
  /** How they are, by server. Of one that it does not know too. */
  look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>>;
  /** Undoes what others have laid over the unit. */
  takeBack?(unit: Unit): Promise<void>;
  /** Takes in what was written, enabled or not; starts and ends nothing that is as it is to be. */
  load(unit: Unit): Promise<void>;
  /** Starts it from what was written last; one that runs is left alone. */
  start(unit: Unit): Promise<void>;
  /** Tells it to end, by its stop signal and grace, or by SIGKILL, and does not wait until it has ended. */
  begin(unit: Unit, how: "stop" | "kill"): Promise<void>;
  /** Ends it by its stop signal and grace. It is down when this settles. */
  stop(unit: Unit): Promise<void>;
  /** Ends it without grace. */
  kill(unit: Unit): Promise<void>;
  /** Takes away the files of a unit that it does not have; absent where it has every one that is written. */
  discard?(unit: Unit): void;
  /** Removes its file, and what the manager knows of it. It is down. */
  forget(unit: Unit): Promise<void>;
  /** What it printed. Ends at the end, or with `follow` when aborted. */
  logs(unit: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine>;
}
