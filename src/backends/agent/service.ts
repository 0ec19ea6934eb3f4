/** What a service manager of the account does for the agent. */
export interface AgentService {
  readonly kind: "systemd" | "launchd";
  /** Where the manager looks for the agent's unit. */
  readonly file: string;
  /** What is in the way of asking the manager, and what to do; undefined when it can be asked. */
  unreachable(): Promise<string | undefined>;
  /** The unit's text. */
  text(facts: ServiceFacts): Promise<string>;
  /** The state folder that a text of ours is for; undefined for one that is not ours. */
  stateIn(text: string): string | undefined;
  /** Pid of the loop that the manager runs now. */
  pid(): Promise<number | undefined>;
  /** Takes in the file as it is now, and has it started at login. Nothing of it may run. */
  register(): Promise<void>;
  start(): Promise<void>;
  /** Not at login any more. Nothing of it may run. */
  unregister(): Promise<void>;
  /** Called when the file is gone. */
  forget(): Promise<void>;
  /** Whether it starts with the machine, also before the account logs in; undefined when that cannot be had. */
  startsAtBoot(): boolean | undefined;
}

export interface ServiceFacts {
  readonly state: string;
  /** The shell script that keeps the agent alive. */
  readonly loop: string;
  readonly log: string;
  readonly environment: readonly { readonly name: string; readonly value: string }[];
}
