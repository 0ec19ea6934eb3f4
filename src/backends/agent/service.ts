/** What the account's service manager does for the agent. */
export interface AgentService {
  readonly kind: "systemd" | "launchd";
  /** Where the manager looks for the agent's unit. */
  readonly file: string;
  /** Why the manager cannot be reached, and what to do; undefined if it can. */
  unreachable(): Promise<string | undefined>;
  /** The unit's text. */
  text(facts: ServiceFacts): Promise<string>;
  /** The state folder that a unit's text is for; undefined if xy did not write it. */
  stateIn(text: string): string | undefined;
  /** Pid of the loop that the manager is running. */
  pid(): Promise<number | undefined>;
  /** Loads the file as it is now, to be started at login. It must not be running. */
  register(): Promise<void>;
  start(): Promise<void>;
  /** Stops starting it at login. It must not be running. */
  unregister(): Promise<void>;
  /** Called after the file was removed. */
  forget(): Promise<void>;
  /** Whether it starts at boot, before the account logs in; undefined if the manager cannot do that. */
  startsAtBoot(): boolean | undefined;
}

export interface ServiceFacts {
  readonly state: string;
  /** The shell script that keeps the agent alive. */
  readonly loop: string;
  readonly log: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}
