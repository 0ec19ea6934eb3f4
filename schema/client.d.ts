// Written by "npm run generate" from the schemas that check every call.
/// <reference lib="esnext.disposable" />

/** One server as it was applied, with all defaults filled in. Durations are milliseconds, sizes bytes. */
export interface ServerSpec {
  readonly name: string;
  readonly project: string;
  readonly command: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly port: number | null;
  readonly host: string;
  readonly mcp: {
    readonly path: string;
    readonly transport?: "stdio" | undefined;
    readonly share?: "all" | undefined;
    readonly start?: "on-demand" | undefined;
    readonly idleStop?: number | undefined;
    readonly maxSessions?: number | undefined;
    readonly maxChildren?: number | undefined;
    readonly capabilities?: readonly string[] | undefined;
    readonly allowHosts?: readonly string[] | undefined;
    readonly allowOrigins?: readonly string[] | undefined;
    readonly [more: string]: unknown;
  } | null;
  readonly env: Readonly<Record<string, string | {
    readonly secret: {
      readonly env: string;
    } | {
      readonly file: string;
    } | {
      readonly command: string;
    } | {
      readonly envFile: string;
      readonly name: string;
    };
    readonly hmac: string;
  }>>;
  readonly workingDir: string;
  readonly umask: number;
  readonly limits: {
    readonly openFiles: number;
    readonly [more: string]: unknown;
  };
  readonly backend: "agent" | "systemd" | "launchd" | "supervisord";
  readonly class?: "system" | undefined;
  readonly startTimeout?: number | undefined;
  readonly restart: {
    readonly policy: "on-failure" | "always" | "never";
    readonly backoffInitial: number;
    readonly backoffMax: number;
    readonly maxRetriesPerMinute: number;
    readonly resetAfter: number;
    readonly successExitCodes: readonly number[];
    readonly [more: string]: unknown;
  };
  readonly stop: {
    readonly grace: number;
    readonly signal: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2";
    readonly descendants: "own" | "all";
    readonly [more: string]: unknown;
  };
  readonly readiness: {
    readonly type: "none";
    readonly [more: string]: unknown;
  } | {
    readonly type: "tcp";
    readonly port: number;
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "http";
    readonly port: number;
    readonly host?: string | undefined;
    readonly path: string;
    readonly status: readonly number[];
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "mcp";
    readonly port: number;
    readonly path: string;
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "command";
    readonly command: string;
    readonly program: string;
    readonly args: readonly string[];
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "log";
    readonly pattern: string;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  };
  readonly liveness: {
    readonly type: "none";
    readonly [more: string]: unknown;
  } | {
    readonly type: "tcp";
    readonly port: number;
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "http";
    readonly port: number;
    readonly host?: string | undefined;
    readonly path: string;
    readonly status: readonly number[];
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "mcp";
    readonly port: number;
    readonly path: string;
    readonly owner?: "own" | "any" | undefined;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "command";
    readonly command: string;
    readonly program: string;
    readonly args: readonly string[];
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  } | {
    readonly type: "log";
    readonly pattern: string;
    readonly interval: number;
    readonly timeout: number;
    readonly startPeriod: number;
    readonly failureThreshold: number;
    readonly successThreshold: number;
    readonly [more: string]: unknown;
  };
  readonly dependsOn: readonly ({
    readonly server: string;
    readonly condition: "ready" | "started" | "completed";
    readonly [more: string]: unknown;
  })[];
  readonly logs: {
    readonly maxSize: number;
    readonly keep: number;
    readonly [more: string]: unknown;
  };
  readonly wanted: "start" | "stop" | "ignore";
  readonly description: string;
  readonly tags: readonly string[];
  readonly [more: string]: unknown;
}

/** The same as a client may send it: the agent fills in a default for what is left out. */
export interface ShortServerSpec {
  /** Left out: the `server` of the call. Anything else is refused. */
  readonly name?: string | undefined;
  /** Left out: the `project` of the call. Anything else is refused. */
  readonly project?: string | undefined;
  /** Left out: `program`. One of the two is needed. */
  readonly command?: string | undefined;
  /** Absolute path of the program. Left out: where `command` is found, which is an absolute path or a name in a folder of PATH. */
  readonly program?: string | undefined;
  readonly args?: readonly string[] | undefined;
  readonly port?: number | null | undefined;
  readonly host?: string | undefined;
  readonly mcp?: {
    readonly path: string;
    readonly transport?: "stdio" | undefined;
    readonly share?: "all" | undefined;
    readonly start?: "on-demand" | undefined;
    readonly idleStop?: number | undefined;
    readonly maxSessions?: number | undefined;
    readonly maxChildren?: number | undefined;
    readonly capabilities?: readonly string[] | undefined;
    readonly allowHosts?: readonly string[] | undefined;
    readonly allowOrigins?: readonly string[] | undefined;
    readonly [more: string]: unknown;
  } | null | undefined;
  /** The whole environment. Left out: what every server gets (HOME, USER, LANG, PATH and so on). */
  readonly env?: Readonly<Record<string, string | {
    readonly secret: {
      readonly env: string;
    } | {
      readonly file: string;
    } | {
      readonly command: string;
    } | {
      readonly envFile: string;
      readonly name: string;
    };
    readonly hmac: string;
  }>> | undefined;
  /** Absolute. Left out: the home folder. */
  readonly workingDir?: string | undefined;
  readonly umask?: number | undefined;
  readonly limits?: {
    readonly openFiles?: number | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly backend?: "agent" | "systemd" | "launchd" | "supervisord" | undefined;
  readonly class?: "system" | undefined;
  readonly startTimeout?: number | undefined;
  readonly restart?: {
    readonly policy?: "on-failure" | "always" | "never" | undefined;
    readonly backoffInitial?: number | undefined;
    readonly backoffMax?: number | undefined;
    readonly maxRetriesPerMinute?: number | undefined;
    readonly resetAfter?: number | undefined;
    readonly successExitCodes?: readonly number[] | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly stop?: {
    readonly grace?: number | undefined;
    readonly signal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    readonly descendants?: "own" | "all" | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly readiness?: {
    readonly type: "none";
    readonly [more: string]: unknown;
  } | {
    readonly type: "tcp";
    readonly port: number;
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "http";
    readonly port: number;
    readonly host?: string | undefined;
    readonly path: string;
    readonly status: readonly number[];
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "mcp";
    readonly port: number;
    readonly path: string;
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "command";
    readonly command: string;
    readonly program: string;
    readonly args: readonly string[];
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "log";
    readonly pattern: string;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly liveness?: {
    readonly type: "none";
    readonly [more: string]: unknown;
  } | {
    readonly type: "tcp";
    readonly port: number;
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "http";
    readonly port: number;
    readonly host?: string | undefined;
    readonly path: string;
    readonly status: readonly number[];
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "mcp";
    readonly port: number;
    readonly path: string;
    readonly owner?: "own" | "any" | undefined;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "command";
    readonly command: string;
    readonly program: string;
    readonly args: readonly string[];
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | {
    readonly type: "log";
    readonly pattern: string;
    readonly interval?: number | undefined;
    readonly timeout?: number | undefined;
    readonly startPeriod?: number | undefined;
    readonly failureThreshold?: number | undefined;
    readonly successThreshold?: number | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly dependsOn?: readonly ({
    readonly server: string;
    readonly condition: "ready" | "started" | "completed";
    readonly [more: string]: unknown;
  })[] | undefined;
  readonly logs?: {
    readonly maxSize?: number | undefined;
    readonly keep?: number | undefined;
    readonly [more: string]: unknown;
  } | undefined;
  readonly wanted?: "start" | "stop" | "ignore" | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly [more: string]: unknown;
}

/** A command that no action declares, as a client may send it. */
export interface ShortActionSpec {
  /** What its job is called. */
  readonly name: string;
  readonly command: string;
  /** Absolute path of the program. Left out: where `command` is found, which is an absolute path or a name in a folder of PATH. */
  readonly program?: string | undefined;
  readonly args?: readonly string[] | undefined;
  /** The whole environment. Left out: what every server gets (HOME, USER, LANG, PATH and so on). */
  readonly env?: Readonly<Record<string, string | {
    readonly secret: {
      readonly env: string;
    } | {
      readonly file: string;
    } | {
      readonly command: string;
    } | {
      readonly envFile: string;
      readonly name: string;
    };
    readonly hmac: string;
  }>> | undefined;
  /** Absolute. Left out: the home folder. */
  readonly workingDir?: string | undefined;
  readonly umask?: number | undefined;
  /** Left out: 1024, or 256 on macOS. */
  readonly openFiles?: number | undefined;
  readonly timeout?: number | null | undefined;
  readonly grace?: number | undefined;
  readonly retries?: {
    readonly max: number;
    readonly backoffInitial: number;
    readonly backoffMax: number;
  } | undefined;
  readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
  readonly description?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly [more: string]: unknown;
}

/** One action as it was applied, with all defaults filled in. Durations are milliseconds. */
export interface ActionSpec {
  readonly name: string;
  readonly project: string;
  readonly server: string | null;
  readonly command: string | null;
  readonly program: string;
  readonly interpreterArgs: readonly string[];
  readonly script: string | null;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | {
    readonly secret: {
      readonly env: string;
    } | {
      readonly file: string;
    } | {
      readonly command: string;
    } | {
      readonly envFile: string;
      readonly name: string;
    };
    readonly hmac: string;
  }>>;
  readonly workingDir: string;
  readonly umask: number;
  readonly openFiles: number;
  readonly timeout: number | null;
  readonly grace: number;
  readonly retries: {
    readonly max: number;
    readonly backoffInitial: number;
    readonly backoffMax: number;
  };
  readonly schedule: {
    readonly cron: string;
    readonly timeZone: string;
    readonly missed: "once" | "skip";
  } | null;
  readonly concurrency: "allow" | "forbid" | "replace";
  readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
  readonly after?: readonly string[] | undefined;
  readonly description: string;
  readonly tags: readonly string[];
  readonly [more: string]: unknown;
}

/** One recorded run of a server's own program, an action, or a typed command. */
export interface Job {
  readonly id: number;
  readonly project: string;
  readonly service_id: string | null;
  readonly action_id: string;
  readonly inline?: true | undefined;
  readonly trigger: "person" | "schedule" | "missed" | "retry" | "apply" | "session" | "policy";
  readonly retry_of: number | null;
  readonly awaits?: readonly number[] | undefined;
  readonly attempt: number;
  readonly phase: "pending" | "running" | "succeeded" | "failed" | "cancelled";
  readonly pid: number | null;
  readonly exit_code: number | null;
  readonly signal: string | null;
  /** Unix milliseconds. */
  readonly created_at: number;
  /** Unix milliseconds; of the newest attempt. */
  readonly started_at: number | null;
  /** Unix milliseconds. */
  readonly ended_at: number | null;
  readonly error: string | null;
  readonly tags: readonly string[];
}

/** Each method's params and result. */
export interface Methods {
  /** Every server, in name order. */
  readonly list: {
    readonly params: {
      readonly project?: string | undefined;
    };
    readonly result: readonly ({
      readonly name: string;
      readonly project: string;
      readonly backend: "agent" | "systemd" | "launchd" | "supervisord";
      readonly state: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
      readonly is_running: boolean;
      readonly pid?: number | undefined;
      readonly port: number | null;
      readonly url?: string | null | undefined;
      readonly held: boolean;
      readonly paused?: {
        readonly at_unix_ms: number;
        readonly until_unix_ms?: number | undefined;
      } | undefined;
      readonly unwatched?: {
        readonly reason: string;
      } | undefined;
      readonly uptime_secs?: number | undefined;
      readonly restart_count: number | null;
      readonly last_exit?: number | undefined;
      readonly last_end?: {
        readonly code?: number | undefined;
        readonly signal?: string | undefined;
        readonly unknown_because?: string | undefined;
        readonly at_unix_ms: number;
        readonly requested?: true | undefined;
      } | undefined;
      readonly ready: boolean | null;
      readonly healthy: boolean | null;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
      readonly kept?: true | undefined;
      readonly troubles?: readonly string[] | undefined;
      readonly sleeping?: true | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
      readonly root_gone?: string | undefined;
    })[];
  };
  /** Everything about one server. */
  readonly status: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly name: string;
      readonly project: string;
      readonly backend: "agent" | "systemd" | "launchd" | "supervisord";
      readonly state: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
      readonly is_running: boolean;
      readonly pid?: number | undefined;
      readonly port: number | null;
      readonly url?: string | null | undefined;
      readonly held: boolean;
      readonly paused?: {
        readonly at_unix_ms: number;
        readonly until_unix_ms?: number | undefined;
      } | undefined;
      readonly unwatched?: {
        readonly reason: string;
      } | undefined;
      readonly uptime_secs?: number | undefined;
      readonly restart_count: number | null;
      readonly last_exit?: number | undefined;
      readonly last_end?: {
        readonly code?: number | undefined;
        readonly signal?: string | undefined;
        readonly unknown_because?: string | undefined;
        readonly at_unix_ms: number;
        readonly requested?: true | undefined;
      } | undefined;
      readonly ready: boolean | null;
      readonly healthy: boolean | null;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
      readonly kept?: true | undefined;
      readonly troubles?: readonly string[] | undefined;
      readonly sleeping?: true | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
      readonly root_gone?: string | undefined;
      readonly since_unix_ms: number;
      readonly started_at_unix_ms?: number | undefined;
      readonly reason?: string | undefined;
      readonly operator: "start" | "stop" | null;
      readonly started_by?: {
        readonly by: "apply";
      } | {
        readonly by: "operator";
      } | {
        readonly by: "session";
        readonly session: {
          readonly pid: number;
          readonly start: string;
          readonly boot: string;
        };
      } | undefined;
      readonly drift?: string | undefined;
      readonly recent_transitions: readonly ({
        readonly from: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
        readonly to: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
        readonly reason?: string | undefined;
        readonly at_unix_ms: number;
      })[];
      readonly probes: {
        readonly readiness: {
          readonly status: "ok" | "failing" | "unknown";
          readonly evidence: string;
          readonly at: number;
        };
        readonly liveness: {
          readonly status: "ok" | "failing" | "unknown";
          readonly evidence: string;
          readonly at: number;
        };
      };
      readonly mcp?: {
        readonly era?: "legacy" | "modern" | undefined;
        readonly protocolVersion?: string | undefined;
        readonly transport?: string | undefined;
        readonly path?: string | undefined;
        readonly serverName?: string | undefined;
        readonly serverVersion?: string | undefined;
        readonly tools?: readonly string[] | undefined;
        readonly authorization: "none" | "required";
      } | undefined;
      readonly spec: ServerSpec;
      readonly log_path: string;
      readonly last_lines?: readonly string[] | undefined;
    };
  };
  /** One paragraph of text: why a server is in its state, and what would change that. */
  readonly why: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly project: string;
      readonly name: string;
      readonly why: string;
    };
  };
  /** Every server with what it depends on, in name order. */
  readonly tree: {
    readonly params: {
      readonly project?: string | undefined;
    };
    readonly result: readonly ({
      readonly name: string;
      readonly project: string;
      readonly backend: "agent" | "systemd" | "launchd" | "supervisord";
      readonly state: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
      readonly is_running: boolean;
      readonly pid?: number | undefined;
      readonly port: number | null;
      readonly url?: string | null | undefined;
      readonly held: boolean;
      readonly paused?: {
        readonly at_unix_ms: number;
        readonly until_unix_ms?: number | undefined;
      } | undefined;
      readonly unwatched?: {
        readonly reason: string;
      } | undefined;
      readonly uptime_secs?: number | undefined;
      readonly restart_count: number | null;
      readonly last_exit?: number | undefined;
      readonly last_end?: {
        readonly code?: number | undefined;
        readonly signal?: string | undefined;
        readonly unknown_because?: string | undefined;
        readonly at_unix_ms: number;
        readonly requested?: true | undefined;
      } | undefined;
      readonly ready: boolean | null;
      readonly healthy: boolean | null;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
      readonly kept?: true | undefined;
      readonly troubles?: readonly string[] | undefined;
      readonly sleeping?: true | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
      readonly root_gone?: string | undefined;
      readonly depends_on: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
      })[];
    })[];
  };
  /** Start, and end a hold; a running server is left alone. Its dependencies are started first. If one is held, or wanted stopped, the server waits for it. */
  readonly start: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    };
    readonly result: {
      readonly started: readonly string[];
      readonly already_running: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** Stop the server's processes, and hold it stopped. */
  readonly stop: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly remove_jobs?: boolean | undefined;
      readonly wait?: boolean | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
      readonly remove_jobs?: boolean | undefined;
      readonly wait?: boolean | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
      readonly remove_jobs?: boolean | undefined;
      readonly wait?: boolean | undefined;
    };
    readonly result: {
      readonly stopped: readonly string[];
      readonly not_running: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
      readonly left?: readonly {
        readonly name: string;
        readonly project: string;
        readonly pid: number;
        readonly program: string;
      }[] | undefined;
      readonly unrecorded?: readonly {
        readonly name: string;
        readonly project: string;
        readonly message: string;
      }[] | undefined;
    };
  };
  /** Stop and start again, or start a server that is not running. */
  readonly restart: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
      readonly replace_existing_jobs?: boolean | undefined;
      readonly no_deps?: boolean | undefined;
    };
    readonly result: {
      readonly restarted: readonly string[];
      readonly started: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** Stop immediately (SIGKILL), and hold. */
  readonly kill: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly wait?: boolean | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
      readonly wait?: boolean | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
      readonly wait?: boolean | undefined;
    };
    readonly result: {
      readonly killed: readonly string[];
      readonly not_running: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
      readonly left?: readonly {
        readonly name: string;
        readonly project: string;
        readonly pid: number;
        readonly program: string;
      }[] | undefined;
      readonly unrecorded?: readonly {
        readonly name: string;
        readonly project: string;
        readonly message: string;
      }[] | undefined;
    };
  };
  /** Suspend restarts and the consequences of probes, for `for_ms` or until `resume`. A server that is already paused gets the new end. */
  readonly pause: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly for_ms?: number | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
      readonly for_ms?: number | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
      readonly for_ms?: number | undefined;
    };
    readonly result: {
      readonly paused: readonly string[];
      readonly already_paused: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** End a pause: a server that should run and does not is started. */
  readonly resume: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
    } | {
      readonly names: readonly string[];
      readonly project?: string | undefined;
    } | {
      readonly all: true;
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly resumed: readonly string[];
      readonly not_paused: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** Evaluate the project's configuration again and apply it. An error means that nothing was done; servers that failed are in `failed`, and in no other list. */
  readonly reload: {
    readonly params: {
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
      readonly unchanged: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** Last lines, then new ones as `log` notifications, then `log_end`. */
  readonly logs: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly tail?: number | undefined;
      readonly follow?: boolean | undefined;
      readonly since_unix_ms?: number | undefined;
      readonly stream?: "stdout" | "stderr" | undefined;
      readonly transitions?: boolean | undefined;
      readonly raw?: boolean | undefined;
      readonly until_unix_ms?: number | undefined;
      readonly grep?: string | undefined;
    };
    readonly result: {
      readonly subscription_id: number;
    };
  };
  /** End a log subscription of this connection. */
  readonly logs_cancel: {
    readonly params: {
      readonly subscription_id: number;
    };
    readonly result: {
      readonly cancelled: boolean;
    };
  };
  /** Every recorded server of a project, as it is now: what a plan is compared with. */
  readonly observe: {
    readonly params: {
      readonly project?: string | undefined;
      readonly name?: string | undefined;
    };
    readonly result: readonly ({
      readonly name: string;
      readonly project: string;
      readonly backend: "agent";
      readonly spec?: ServerSpec | undefined;
      readonly runningHash?: string | undefined;
      readonly state: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
      readonly operator: "start" | "stop" | null;
      readonly drift?: string | undefined;
      readonly pid?: number | undefined;
      /** Old name of `started_at_unix_ms`; it goes with 1.0. */
      readonly startedAt?: number | undefined;
      readonly restartCount: number;
      readonly lastExit?: {
        readonly exit: {
          readonly kind: "code";
          readonly code: number;
        } | {
          readonly kind: "signal";
          readonly signal: string;
        } | {
          readonly kind: "unknown";
          readonly because?: string | undefined;
        };
        readonly at: number;
        readonly requested?: boolean | undefined;
      } | undefined;
      /** Old name of `next_start_at_unix_ms`; it goes with 1.0. */
      readonly nextStartAt?: number | undefined;
      readonly paused?: {
        /** Old name of `at_unix_ms`; it goes with 1.0. */
        readonly at: number;
        /** Old name of `until_unix_ms`; it goes with 1.0. */
        readonly until?: number | undefined;
        readonly at_unix_ms?: number | undefined;
        readonly until_unix_ms?: number | undefined;
      } | undefined;
      readonly unwatched?: {
        readonly reason: string;
      } | undefined;
      readonly startedBy?: {
        readonly by: "apply";
      } | {
        readonly by: "operator";
      } | {
        readonly by: "session";
        readonly session: {
          readonly pid: number;
          readonly start: string;
          readonly boot: string;
        };
      } | undefined;
      readonly reason?: string | undefined;
      readonly restored?: {
        readonly at: number;
        readonly because: string;
      } | undefined;
      readonly since: number;
      readonly lastLines?: readonly string[] | undefined;
      readonly ready: {
        readonly status: "ok" | "failing" | "unknown";
        readonly evidence: string;
        readonly at: number;
      };
      readonly healthy: {
        readonly status: "ok" | "failing" | "unknown";
        readonly evidence: string;
        readonly at: number;
      };
      readonly mcp?: {
        readonly era?: "legacy" | "modern" | undefined;
        readonly protocolVersion?: string | undefined;
        readonly transport?: string | undefined;
        readonly path?: string | undefined;
        readonly serverName?: string | undefined;
        readonly serverVersion?: string | undefined;
        readonly tools?: readonly string[] | undefined;
        readonly authorization: "none" | "required";
      } | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sleeping: boolean;
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
      readonly waitsFor?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
      readonly kept?: true | undefined;
      readonly troubles?: readonly string[] | undefined;
      readonly started_at_unix_ms?: number | undefined;
      readonly next_start_at_unix_ms?: number | undefined;
    })[];
  };
  /** Carry out one change of a plan, and wait until the server is ready. */
  readonly apply: {
    readonly params: {
      readonly project: string;
      readonly server: string;
      readonly action: "add" | "update" | "restart" | "start" | "stop" | "remove";
      readonly spec?: ShortServerSpec | undefined;
      readonly secrets?: Readonly<Record<string, string>> | undefined;
      readonly wait_ms?: number | undefined;
      readonly while_progress?: boolean | undefined;
      readonly progress?: boolean | undefined;
      readonly until?: "ready" | "started" | "completed" | undefined;
      readonly rollback?: boolean | undefined;
      readonly renamed?: boolean | undefined;
      readonly held?: boolean | undefined;
      readonly session?: {
        readonly pid: number;
        readonly start: string;
        readonly boot: string;
      } | undefined;
    };
    readonly result: {
      readonly ok: true;
      readonly detail: string;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
    } | {
      readonly ok: false;
      readonly message: string;
      readonly last_lines: readonly string[];
      readonly help?: readonly string[] | undefined;
      readonly port_conflict?: true | undefined;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
    };
  };
  /** Add a server that no configuration declares, and wait until it is ready. It is `kept`: no plan removes it until a configuration declares a server with its name. If it is already kept with the same `spec`, it is only started. */
  readonly keep: {
    readonly params: {
      readonly project: string;
      readonly server: string;
      readonly spec: ShortServerSpec;
      readonly secrets?: Readonly<Record<string, string>> | undefined;
      readonly wait_ms?: number | undefined;
      readonly while_progress?: boolean | undefined;
      readonly progress?: boolean | undefined;
      readonly held?: boolean | undefined;
    };
    readonly result: {
      readonly ok: true;
      readonly detail: string;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
    } | {
      readonly ok: false;
      readonly message: string;
      readonly last_lines: readonly string[];
      readonly help?: readonly string[] | undefined;
      readonly port_conflict?: true | undefined;
      readonly waits_for?: readonly ({
        readonly server: string;
        readonly condition: "ready" | "started" | "completed";
        readonly state: string;
        readonly resting: boolean;
      })[] | undefined;
    };
  };
  /** Stop a server that is `kept`, and remove it with its logs and jobs. */
  readonly forget: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly name: string;
      readonly project: string;
      readonly detail: string;
    };
  };
  /** Probe once now, and report each step; supervision is not affected. */
  readonly probe: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
      readonly which?: "readiness" | "liveness" | undefined;
    };
    readonly result: {
      readonly ok: boolean;
      readonly evidence: string;
      readonly steps: readonly {
        readonly step: string;
        readonly ok: boolean;
        readonly detail: string;
        readonly ms: number;
      }[];
      readonly mcp?: {
        readonly era?: "legacy" | "modern" | undefined;
        readonly protocolVersion?: string | undefined;
        readonly transport?: string | undefined;
        readonly path?: string | undefined;
        readonly serverName?: string | undefined;
        readonly serverVersion?: string | undefined;
        readonly tools?: readonly string[] | undefined;
        readonly authorization: "none" | "required";
      } | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sleeping: boolean;
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
      readonly name: string;
      readonly project: string;
      readonly which: "readiness" | "liveness";
      readonly type: string;
    };
  };
  /** Stop the servers that a session started, without holding them. */
  readonly session_end: {
    readonly params: {
      readonly session: {
        readonly pid: number;
        readonly start: string;
        readonly boot: string;
      };
    };
    readonly result: {
      readonly stopped: readonly string[];
      readonly failed: readonly {
        readonly name: string;
        readonly code: number;
        readonly message: string;
      }[];
    };
  };
  /** The processes of a server, parents before children, with what they use. */
  readonly children: {
    readonly params: {
      readonly name: string;
      readonly project?: string | undefined;
    };
    readonly result: {
      readonly name: string;
      readonly project: string;
      readonly processes: readonly ({
        readonly pid: number;
        readonly ppid: number;
        readonly program: string;
        readonly command: string;
        readonly cpu_percent: number;
        readonly cpu_secs: number;
        readonly memory_bytes: number;
        readonly started_at_unix_ms?: number | undefined;
        readonly threads?: number | undefined;
        readonly left?: true | undefined;
      })[];
      readonly cpu_percent: number;
      readonly memory_bytes: number;
      readonly sleeping?: true | undefined;
      readonly bridge?: {
        readonly share: "session" | "all";
        readonly start: "eager" | "on-demand";
        readonly sessions: readonly ({
          readonly id: string;
          readonly client?: string | undefined;
          readonly opened_at_unix_ms: number;
          readonly used_at_unix_ms: number;
          readonly streams: number;
          readonly calls: number;
        })[];
        readonly session_count: number;
        readonly children: readonly ({
          readonly pid: number;
          readonly started_at_unix_ms: number;
          readonly session?: string | undefined;
          readonly busy: boolean;
        })[];
        readonly child_count: number;
      } | undefined;
    };
  };
  /** How servers have done so far, and what they use now. */
  readonly stats: {
    readonly params: {
      readonly project?: string | undefined;
      readonly names?: readonly string[] | undefined;
    };
    readonly result: readonly ({
      readonly name: string;
      readonly project: string;
      readonly backend: "agent" | "systemd" | "launchd" | "supervisord";
      readonly state: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
      readonly uptime_secs?: number | undefined;
      readonly cpu_percent: number;
      readonly memory_bytes: number;
      readonly counted: {
        readonly since_unix_ms: number;
        readonly availability: number | null;
        readonly up_secs: number;
        readonly down_secs: number;
        readonly starts: number;
        readonly restarts: number;
        readonly failures: number;
        readonly runs: {
          readonly count: number;
          readonly shortest_secs: number;
          readonly mean_secs: number;
          readonly longest_secs: number;
        } | null;
      } | null;
    })[];
  };
  /** Every applied action, in name order, with its next scheduled run. */
  readonly action_list: {
    readonly params: {
      readonly project?: string | undefined;
    };
    readonly result: readonly ({
      readonly spec: ActionSpec;
      readonly next_run_unix_ms: number | null;
    })[];
  };
  /** Add or replace actions, with the values of their secrets, and remove others: all of it, or nothing. The running jobs of a removed action are cancelled, and its jobs are deleted. */
  readonly action_apply: {
    readonly params: {
      readonly project: string;
      readonly set: readonly ActionSpec[];
      readonly secrets?: Readonly<Record<string, Readonly<Record<string, string>>>> | undefined;
      readonly remove?: readonly string[] | undefined;
    };
    readonly result: {
      readonly actions: number;
    };
  };
  /** Run an action now, after the actions in its `after`. Answers with its job at once, without waiting for it. If another job of the action is running, its `concurrency` decides. */
  readonly action_run: {
    readonly params: {
      readonly action: string;
      readonly server?: string | null | undefined;
      readonly project?: string | undefined;
      readonly args?: readonly string[] | undefined;
    };
    readonly result: {
      readonly id: number;
      readonly project: string;
      readonly service_id: string | null;
      readonly action_id: string;
      readonly inline?: true | undefined;
      readonly trigger: "person" | "schedule" | "missed" | "retry" | "apply" | "session" | "policy";
      readonly retry_of: number | null;
      readonly awaits?: readonly number[] | undefined;
      readonly attempt: number;
      readonly phase: "pending" | "running" | "succeeded" | "failed" | "cancelled";
      readonly pid: number | null;
      readonly exit_code: number | null;
      readonly signal: string | null;
      /** Unix milliseconds. */
      readonly created_at: number;
      /** Unix milliseconds; of the newest attempt. */
      readonly started_at: number | null;
      /** Unix milliseconds. */
      readonly ended_at: number | null;
      readonly error: string | null;
      readonly tags: readonly string[];
    };
  };
  /** Run a command now, as a job that no action declares. Answers with its job at once, without waiting for it. The job has `inline`, and belongs to no server. */
  readonly job_run: {
    readonly params: {
      readonly project: string;
      readonly spec: ShortActionSpec;
    };
    readonly result: {
      readonly id: number;
      readonly project: string;
      readonly service_id: string | null;
      readonly action_id: string;
      readonly inline?: true | undefined;
      readonly trigger: "person" | "schedule" | "missed" | "retry" | "apply" | "session" | "policy";
      readonly retry_of: number | null;
      readonly awaits?: readonly number[] | undefined;
      readonly attempt: number;
      readonly phase: "pending" | "running" | "succeeded" | "failed" | "cancelled";
      readonly pid: number | null;
      readonly exit_code: number | null;
      readonly signal: string | null;
      /** Unix milliseconds. */
      readonly created_at: number;
      /** Unix milliseconds; of the newest attempt. */
      readonly started_at: number | null;
      /** Unix milliseconds. */
      readonly ended_at: number | null;
      readonly error: string | null;
      readonly tags: readonly string[];
    };
  };
  /** Jobs, newest first. */
  readonly job_list: {
    readonly params: {
      readonly project?: string | undefined;
      readonly server?: string | undefined;
      readonly action?: string | undefined;
      readonly service_id?: string | undefined;
      readonly action_id?: string | undefined;
      readonly standalone?: true | undefined;
      readonly phase?: "pending" | "running" | "succeeded" | "failed" | "cancelled" | undefined;
      readonly tag?: string | undefined;
      readonly since_unix_ms?: number | undefined;
      readonly limit?: number | undefined;
      readonly cursor?: number | undefined;
    };
    readonly result: {
      readonly jobs: readonly Job[];
      readonly next_cursor: number | null;
    };
  };
  /** One job, with what ran. */
  readonly job_get: {
    readonly params: {
      readonly id: number;
    };
    readonly result: {
      readonly id: number;
      readonly project: string;
      readonly service_id: string | null;
      readonly action_id: string;
      readonly inline?: true | undefined;
      readonly trigger: "person" | "schedule" | "missed" | "retry" | "apply" | "session" | "policy";
      readonly retry_of: number | null;
      readonly awaits?: readonly number[] | undefined;
      readonly attempt: number;
      readonly phase: "pending" | "running" | "succeeded" | "failed" | "cancelled";
      readonly pid: number | null;
      readonly exit_code: number | null;
      readonly signal: string | null;
      /** Unix milliseconds. */
      readonly created_at: number;
      /** Unix milliseconds; of the newest attempt. */
      readonly started_at: number | null;
      /** Unix milliseconds. */
      readonly ended_at: number | null;
      readonly error: string | null;
      readonly tags: readonly string[];
      readonly spec: ActionSpec | ServerSpec | null;
      readonly log_path: string;
    };
  };
  /** Last lines of a job's output, then new ones as `log` notifications, then `log_end`; for a server's own program, the lines of its log from this run. */
  readonly job_logs: {
    readonly params: {
      readonly id: number;
      readonly tail?: number | undefined;
      readonly follow?: boolean | undefined;
      readonly stream?: "stdout" | "stderr" | undefined;
      readonly raw?: boolean | undefined;
      readonly grep?: string | undefined;
    };
    readonly result: {
      readonly subscription_id: number;
    };
  };
  /** Stop a job of an action: its process group gets its stop signal, and SIGKILL after its grace. Jobs that come after it in the same run are cancelled, and so are jobs that only it was waiting for. */
  readonly job_cancel: {
    readonly params: {
      readonly id: number;
    };
    readonly result: {
      readonly cancelled: boolean;
    };
  };
  /** Run again what a job ran, without the actions before it, as a new job of the same server and action. */
  readonly job_retry: {
    readonly params: {
      readonly id: number;
    };
    readonly result: {
      readonly id: number;
      readonly project: string;
      readonly service_id: string | null;
      readonly action_id: string;
      readonly inline?: true | undefined;
      readonly trigger: "person" | "schedule" | "missed" | "retry" | "apply" | "session" | "policy";
      readonly retry_of: number | null;
      readonly awaits?: readonly number[] | undefined;
      readonly attempt: number;
      readonly phase: "pending" | "running" | "succeeded" | "failed" | "cancelled";
      readonly pid: number | null;
      readonly exit_code: number | null;
      readonly signal: string | null;
      /** Unix milliseconds. */
      readonly created_at: number;
      /** Unix milliseconds; of the newest attempt. */
      readonly started_at: number | null;
      /** Unix milliseconds. */
      readonly ended_at: number | null;
      readonly error: string | null;
      readonly tags: readonly string[];
    };
  };
  /** Delete a finished job, or all finished jobs of a server, with their logs. */
  readonly job_delete: {
    readonly params: {
      readonly id: number;
    } | {
      readonly server: string;
      readonly project?: string | undefined;
      readonly cancel?: boolean | undefined;
    };
    readonly result: {
      readonly deleted: number;
    };
  };
  /** Delete all jobs of a project that no action declares, with their logs; running ones are cancelled first. */
  readonly job_clear: {
    readonly params: {
      readonly project: string;
    };
    readonly result: {
      readonly deleted: number;
    };
  };
  /** This protocol as an OpenRPC document, made from the schemas that check every call. */
  readonly "rpc.discover": {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly openrpc: string;
      readonly info: {
        readonly title: string;
        readonly version: string;
        readonly [more: string]: unknown;
      };
      readonly methods: readonly {
        readonly name: string;
        readonly [more: string]: unknown;
      }[];
      readonly [more: string]: unknown;
    };
  };
  /** The agent itself. */
  readonly agent_info: {
    readonly params: Readonly<Record<string, never>>;
    readonly result: {
      readonly pid: number;
      readonly version: string;
      readonly socket: string;
      readonly state_dir: string;
      readonly started_at_unix_ms: number;
      readonly servers: number;
      readonly bridges?: true | undefined;
      readonly troubles?: readonly {
        readonly project: string;
        readonly name: string;
        readonly trouble: string;
      }[] | undefined;
    };
  };
  /** Hand over to another program, which is tried first; the servers keep running. The agent exits after its answer. */
  readonly agent_upgrade: {
    readonly params: {
      readonly node: string;
      readonly entry: string;
      readonly bound_secs?: number | undefined;
    };
    readonly result: {
      readonly version: string;
    };
  };
  /** Stop the agent; without `keep_servers` all servers are stopped first, but not held. */
  readonly agent_shutdown: {
    readonly params: {
      readonly keep_servers?: boolean | undefined;
      readonly replaced?: boolean | undefined;
    };
    readonly result: {
      readonly stopped: readonly string[];
      readonly left: readonly string[];
    };
  };
}

/** Notifications of a subscription. */
export interface Notifications {
  /** One line of a server's output. */
  readonly log: {
    /** As `logs` answered. */
    readonly subscription_id: number;
    readonly name: string;
    readonly stream: "stdout" | "stderr";
    /** Without its line break; bytes that are not UTF-8 are replaced. */
    readonly line: string;
    readonly ts_unix_ms: number;
    /** Number of lines before this one that are not sent: they were read too slowly and are too many or no longer kept, or they could not be written to the log. */
    readonly missed?: number | undefined;
    /** The line is longer than 64 KiB and goes on in the next one. */
    readonly split?: true | undefined;
  };
  /** A change of a server's state, if `transitions` was set. */
  readonly transition: {
    /** As `logs` answered. */
    readonly subscription_id: number;
    readonly name: string;
    readonly from: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
    readonly to: "stopped" | "starting" | "running" | "restarting" | "failed" | "stopping";
    readonly reason?: string | undefined;
    readonly at_unix_ms: number;
  };
  /** Progress of a start that an `apply` with `progress` waits for: when something changes, and every 5 s. */
  readonly apply_progress: {
    readonly project: string;
    readonly name: string;
    readonly waited_ms: number;
    /** The longest wait. */
    readonly bound_ms: number;
    /** What was last seen of what is waited for. */
    readonly evidence: string;
    /** Since the wait began. */
    readonly restarts: number;
    /** How its last failed run ended, since the wait began. */
    readonly last_failure?: string | undefined;
    /** What it printed last. */
    readonly last_line?: string | undefined;
  };
  /** The last notification of a subscription. */
  readonly log_end: {
    /** As `logs` answered. */
    readonly subscription_id: number;
    /** Number of lines before this one that are not sent: they were read too slowly and are too many or no longer kept, or they could not be written to the log. */
    readonly missed?: number | undefined;
  };
}

/** Error codes, by meaning. */
export declare const RPC_ERRORS: {
  readonly parseError: -32700;
  readonly invalidRequest: -32600;
  readonly methodNotFound: -32601;
  readonly invalidParams: -32602;
  readonly internalError: -32603;
  readonly serverNotFound: -32001;
  readonly portConflict: -32002;
  readonly configurationInvalid: -32003;
  readonly alreadyRunning: -32004;
  readonly notRunning: -32005;
  readonly spawnFailed: -32006;
  readonly locked: -32007;
  readonly jobNotFound: -32008;
  readonly actionNotFound: -32009;
};

export type Method = keyof Methods;
export type Params<M extends Method> = Methods[M]["params"];
export type Result<M extends Method> = Methods[M]["result"];

/** Methods whose answer is followed by lines. */
export type Subscribing = {
  [M in Method]: Result<M> extends { readonly subscription_id: number } ? M : never;
}[Method];

/**
 * Ends when there are no more; leaving the loop ends the subscription. Each line says how many were missed before it, and
 * the return value how many after the last.
 */
export type Lines = AsyncGenerator<Notifications["log"], { missed: number }, void>;

/** An error from the agent; the message says what to do. */
export declare class RpcError extends Error {
  /** One of {@link RPC_ERRORS}. */
  readonly code: number;
  readonly data: unknown;
  constructor(code: number, message: string, data?: unknown);
}

/** No agent is running there, or it does not answer. */
export declare class AgentUnreachable extends Error {}

/** The connection to the agent was lost, or the client was closed. */
export declare class ConnectionLost extends Error {}

export interface Where {
  /** Path of the agent's socket. */
  readonly socket?: string | undefined;
  /** The state folder, whose `agent.json` names the socket. Default: the account's own. */
  readonly stateDir?: string | undefined;
  /** Start the agent if none runs; cannot be combined with `socket`. Default false. */
  readonly start?: boolean | undefined;
  /** Called for each param that the agent does not know and ignores. Without it, Node prints a warning. */
  readonly onWarning?: ((warning: string, method: Method) => void) | undefined;
}

/** This process, for the `session` of a call to `apply`: the servers it starts stop when this process is gone. */
export declare function ownSession(): NonNullable<Params<"apply">["session"]>;

/** A connection to the agent. Close it after use: until then it keeps the process alive. */
export interface Client extends AsyncDisposable {
  /** Params may be omitted if all of them are optional. Throws `RpcError` or `ConnectionLost`. */
  call<M extends Method>(
    method: M,
    ...given: Record<never, never> extends Params<M> ? [params?: Params<M>] : [params: Params<M>]
  ): Promise<Result<M>>;
  /** The last lines of a server's log, and with `follow` every new one. */
  logs(query: Omit<Params<"logs">, "transitions">): Lines;
  /** The same for any method that lines follow. */
  lines<M extends Subscribing>(method: M, params: Params<M>): Lines;
  /** Also ends loops over logs. */
  close(): void;
}

/** Connects to the running agent, or with `start` starts one. Throws `AgentUnreachable`. */
export declare function connect(where?: Where): Promise<Client>;
