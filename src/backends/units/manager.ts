import type { Observed, StateName } from "../../model/observed.ts";
import type { SecretValues, ServerSpec } from "../../model/spec.ts";
import type { LogLine, LogRequest } from "../log-lines.ts";
import type { Manager, UnitFormat } from "../render/unit.ts";

/** A unit that xy has installed, and what is to be known of its file. */
export interface Unit {
  readonly spec: ServerSpec;
  /** Absolute path of its file. */
  readonly file: string;
  /** It is to start with its manager. */
  readonly enabled: boolean;
  /** Unix ms at which its file was last changed by somebody else than xy; absent: it is as xy wrote it. */
  readonly editedAt?: number;
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
}

/** What the managers of units do, each in its way. What is common to them is in `unit-backend.ts`. */
export interface UnitManager {
  readonly kind: Manager;
  readonly format: UnitFormat;
  /** It keeps what servers print; otherwise that goes into files of xy. */
  readonly keepsOutput: boolean;
  /** Throws a `BackendUnreachable` when whoever runs these does not answer. */
  reach(specs: readonly ServerSpec[]): Promise<void>;
  /** Absolute path of the unit's file. */
  fileOf(spec: ServerSpec): string;
  /** How it reads secrets from a file; absent: a shell does, before it becomes the program. */
  readonly secrets?: {
    readonly text: (values: SecretValues) => string;
    /** Why it cannot carry a value, as a clause; undefined: it can. */
    readonly fault: (value: string) => string | undefined;
  };
  /** How they are, by server. Of one that it does not know too. */
  look(units: readonly Unit[]): Promise<ReadonlyMap<string, Live>>;
  /** What is to be known by whoever adds such a server; undefined: nothing. */
  hint?(spec: ServerSpec): string | undefined;
  /** Undoes what others have laid over the unit, where that can be. */
  takeBack?(unit: Unit): Promise<void>;
  /** Takes in what was written, enabled or not; starts and ends nothing. */
  load(unit: Unit): Promise<void>;
  /** Starts it; one that runs is left alone. */
  start(unit: Unit): Promise<void>;
  /** Ends it by its stop signal and grace, and starts what is loaded now. */
  restart(unit: Unit): Promise<void>;
  /** Ends it by its stop signal and grace. It is down when this settles. */
  stop(unit: Unit): Promise<void>;
  /** Ends it without grace. */
  kill(unit: Unit): Promise<void>;
  /** Removes its file, and what the manager knows of it. It is down. */
  forget(unit: Unit): Promise<void>;
  /** What it printed, where the manager keeps that itself. Ends at the end, or with `follow` when aborted. */
  logs(unit: Unit, request: LogRequest, signal: AbortSignal): AsyncIterable<LogLine>;
}
