/** On which machines something holds: every key that is given must match. */
export interface When {
  /** Operating system. */
  readonly os?: "linux" | "macos" | readonly ("linux" | "macos")[] | undefined;
  /** Processor architecture as Node names it, such as `x64` or `arm64`. */
  readonly arch?: string | readonly string[] | undefined;
  /** Short host name in lower case, without the domain. */
  readonly host?: string | readonly string[] | undefined;
  /** Login name. */
  readonly user?: string | readonly string[] | undefined;
}

/** A value that is read when the configuration is applied. */
export interface Secret {
  readonly secret: {
    /** Variable in the environment of the command that applies. */
    readonly env: string;
  } | {
    /** File whose content is the value, one final line break left out. */
    readonly file: string;
  } | {
    /** Shell command line whose output is the value. */
    readonly command: string;
  };
}

/** One server. */
export interface Server {
  /** The program, not a shell line. A bare name is looked for in the folders of the service PATH; with a slash it is a path, relative to the file that says so. */
  readonly command: string;
  /** Arguments. `{port}`, `{name}`, `{project}`, `{home}` and `{env.NAME}` are filled in; `{{port}}` gives `{port}`; every other brace stays. Default: []. */
  readonly args?: readonly string[] | undefined;
  /** Port it listens on. `auto`: derived from project and name (or the one that it is to `prefer`), moved on when taken, then kept. `none`: no port. */
  readonly port: number | "auto" | "none" | {
    /** One is chosen and kept, as by `port: auto`. */
    readonly auto: true;
    /** The port to choose, or the next one above it that is free. Without it, one is derived. */
    readonly prefer?: number | undefined;
  };
  /** Flag that is appended to the arguments together with the port, such as `--port`. */
  readonly portFlag?: string | undefined;
  /** Where the port is expected to listen. Default: "127.0.0.1". */
  readonly host?: string | undefined;
  /** Marks an HTTP MCP server: its URL is `http://host:port/path`. */
  readonly mcp?: true | {
    /** Path of the endpoint. Default: "/mcp". */
    readonly path?: string | undefined;
  } | undefined;
  /** Environment, on top of the one every server gets. A value is a text, or a reference to a secret. */
  readonly env?: Readonly<Record<string, string | Secret>> | undefined;
  /** Files in dotenv syntax; their values are secret. A later file wins over an earlier one, `env` over all. Default: []. */
  readonly envFile?: string | readonly string[] | undefined;
  /** Folder it runs in. A relative path starts at the file that says so. Default: "~". */
  readonly workingDir?: string | undefined;
  /** Permissions taken from new files, in octal. Default: "022". */
  readonly umask?: string | undefined;
  /** Resource limits. */
  readonly limits?: {
    /** Open files of a process: 1024 on Linux, 256 on macOS. */
    readonly openFiles?: number | undefined;
  } | undefined;
  /** What runs it; the root's `backend` when left out. */
  readonly backend?: "agent" | "systemd" | "launchd" | "supervisord" | undefined;
  /** `system`: under the machine's systemd or launchd instead of the account's, from boot on. It takes root to apply, and runs as the account that applies. */
  readonly class?: "user" | "system" | undefined;
  /** Longest time from the start of its process until it is ready, 5m when left out. A process that is not ready by then is stopped, and its start has failed. */
  readonly startTimeout?: string | undefined;
  /** What happens when the process ends by itself. */
  readonly restart?: {
    /** When a process that ended is started again. A signal, and any code that is not a success, is a failure. Default: "on-failure". */
    readonly policy?: "on-failure" | "always" | "never" | undefined;
    /** Wait before the first restart; doubled for each one after it. Default: "1s". */
    readonly backoffInitial?: string | undefined;
    /** Longest wait before a restart. Default: "30s". */
    readonly backoffMax?: string | undefined;
    /** With this many restarts in the last 60 seconds the next one is not made: the server has failed. So it has after ten restarts for failure in a row (or this many, where that is more) without a minute of being ready. Default: 5. */
    readonly maxRetriesPerMinute?: number | undefined;
    /** A process that was ready for this long starts over with the first wait. Default: "10s". */
    readonly resetAfter?: string | undefined;
    /** Exit codes that are not a failure. Default: [0]. */
    readonly successExitCodes?: readonly number[] | undefined;
  } | undefined;
  /** How the server's processes are stopped. */
  readonly stop?: {
    /** Time until those of its processes that are left are killed. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that asks its processes to end. Default: "SIGTERM". */
    readonly signal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Which processes are stopped: `own`, or `all`, with daemons that left the server and hold no port of it. Default: "own". */
    readonly descendants?: "own" | "all" | undefined;
  } | undefined;
  /** When it counts as ready, for `apply` and for servers that depend on it. `tcp` when it has a port, else `none`. */
  readonly readiness?: "mcp" | "tcp" | "none" | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the kind that it has when nothing is said. */
    readonly type?: "default" | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. */
    readonly type: "tcp";
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "http";
    /** Path that is asked for. Default: "/". */
    readonly path?: string | undefined;
    /** Status codes that are good; any from 200 to 299 when left out. No redirect is followed. */
    readonly status?: number | readonly number[] | undefined;
    /** Asked for in place of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. Where it is not the server's own address, whoever listens there counts. */
    readonly url?: string | undefined;
    /** Whether `url` may lead to another machine. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "mcp";
    /** Path of the MCP endpoint; that of `mcp`, or `/mcp`, when left out. */
    readonly path?: string | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. An MCP exchange gets 10s, every other check 2s. Where the server keeps no session, each request of an exchange has this time. Default: "10s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "command";
    /** Program whose exit code 0 is good. It is found as the server's own is, and gets its environment and folder. */
    readonly command: string;
    /** Its arguments; `{port}` and its like are filled in. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "none";
  } | {
    readonly type: "log";
    /** Regular expression that a line of output matches. Required for `log`, which only readiness can use. */
    readonly pattern: string;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | undefined;
  /** When it counts as healthy; a failure restarts it. `tcp` when it has a port, else `none`. */
  readonly liveness?: "mcp" | "tcp" | "none" | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the kind that it has when nothing is said. */
    readonly type?: "default" | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. */
    readonly type: "tcp";
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "http";
    /** Path that is asked for. Default: "/". */
    readonly path?: string | undefined;
    /** Status codes that are good; any from 200 to 299 when left out. No redirect is followed. */
    readonly status?: number | readonly number[] | undefined;
    /** Asked for in place of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. Where it is not the server's own address, whoever listens there counts. */
    readonly url?: string | undefined;
    /** Whether `url` may lead to another machine. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "mcp";
    /** Path of the MCP endpoint; that of `mcp`, or `/mcp`, when left out. */
    readonly path?: string | undefined;
    /** Port to look at; the server's own when left out. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, that of one of this server's processes, or `any`, where another program rightly listens in its place, as with `docker run -p` and `ssh -L`. Left out: what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. An MCP exchange gets 10s, every other check 2s. Where the server keeps no session, each request of an exchange has this time. Default: "10s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "command";
    /** Program whose exit code 0 is good. It is found as the server's own is, and gets its environment and folder. */
    readonly command: string;
    /** Its arguments; `{port}` and its like are filled in. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer has failed. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness begins after it where there is no readiness check, else when the server was ready once. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe says no. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Good checks in a row until the probe says yes. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "none";
  } | undefined;
  /** Servers that come before it. Default: []. */
  readonly dependsOn?: readonly (string | {
    /** Name of the other server. */
    readonly server: string;
    /** What is waited for: that it is `ready`, that it has `started`, or that it has `completed` well. Default: "ready". */
    readonly condition?: "ready" | "started" | "completed" | undefined;
  })[] | undefined;
  /** Log files. */
  readonly logs?: {
    /** Size at which a log file is rotated. Default: "10MiB". */
    readonly maxSize?: string | undefined;
    /** Number of rotated files that are kept. Default: 5. */
    readonly keep?: number | undefined;
  } | undefined;
  /** Actions of this server by name: `xy run server:action`. */
  readonly actions?: Readonly<Record<string, {
    /** The program, found as that of a server is. Either this or `script` is required. */
    readonly command?: string | undefined;
    /** Text of a script. Nothing is filled in: it finds what it needs in its environment. */
    readonly script?: string | undefined;
    /** Program that runs the script, with its arguments; what its first line (`#!…`) names when left out. */
    readonly interpreter?: string | readonly string[] | undefined;
    /** Arguments of the command or the script; templates are filled in as in those of a server. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Environment, on top of that of its server, or of the one everything gets. */
    readonly env?: Readonly<Record<string, string | Secret>> | undefined;
    /** Folder it runs in: that of its server, or the home folder, when left out. */
    readonly workingDir?: string | undefined;
    /** Permissions taken from new files, in octal; `022`, or that of its server. */
    readonly umask?: string | undefined;
    /** Longest run; then it is stopped, and has failed. `none`: as long as it takes. Default: "1h". */
    readonly timeout?: string | "none" | undefined;
    /** When it is to end before its time: from its stop signal to SIGKILL for what is left of its process group. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that asks it to end before its time, sent to its whole process group. Default: "SIGTERM". */
    readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Actions that a run of this one runs first, and that have to succeed: NAME, or SERVER:NAME. In a server a bare name is one of its own, or else one that stands alone. */
    readonly after?: string | readonly string[] | undefined;
    /** How often it is tried again after it failed. Default: 0. */
    readonly retries?: number | {
      /** How often it is tried again after it failed. */
      readonly max: number;
      /** Wait before the second attempt; doubled for each one after it. Default: "1s". */
      readonly backoffInitial?: string | undefined;
      /** Longest wait before an attempt. Default: "30s". */
      readonly backoffMax?: string | undefined;
    } | undefined;
    /** When it runs by itself; a cron expression alone will do. */
    readonly schedule?: string | {
      /** Cron expression: minute, hour, day of month, month, day of week (with seconds before them, if there are six parts), or `@daily` and its like. */
      readonly cron: string;
      /** Time zone by its IANA name; that of the machine that applies when left out. */
      readonly timeZone?: string | undefined;
      /** When the machine slept, or no agent ran, at one time or several: run it `once` afterwards, or `skip` them. Default: "once". */
      readonly missed?: "once" | "skip" | undefined;
    } | undefined;
    /** While it runs: a second run is refused, `allow`ed beside it, or takes its place (`replace`). Default: "forbid". */
    readonly concurrency?: "allow" | "forbid" | "replace" | undefined;
    /** One line for people. Default: "". */
    readonly description?: string | undefined;
    /** Words to find its jobs by. Default: []. */
    readonly tags?: readonly string[] | undefined;
  }>> | undefined;
  /** Whether it should run, unless the operator said otherwise. `ignore`: declared, never touched. Default: "start". */
  readonly wanted?: "start" | "stop" | "ignore" | undefined;
  /** One line for people. Default: "". */
  readonly description?: string | undefined;
  /** Words to find it by. Default: []. */
  readonly tags?: readonly string[] | undefined;
  /** Machines on which it is declared at all; every key that is given must match. */
  readonly when?: When | undefined;
  /** Settings for some machines: blocks that are merged into the server, in their order, where their `when` holds. */
  readonly on?: readonly ServerOn[] | undefined;
}

/** Settings of a server for the machines that its `when` names. */
export type ServerOn = { readonly when: When } & Partial<Omit<Server, "on" | "when">>;

/** Settings for every server. */
export type Defaults = Partial<Omit<Server, "on">>;

/** A project: its servers, and what they have in common. */
export interface Root {
  /** Name of the project; made from the root folder's name when left out. */
  readonly project?: string | undefined;
  /** Other files with a part of the project: paths or patterns (`work/*.kdl`), relative to the file that says so. `defaults` of this file hold there too. */
  readonly include?: string | readonly string[] | undefined;
  /** What runs the servers. Default: "agent". */
  readonly backend?: "agent" | "systemd" | "launchd" | "supervisord" | undefined;
  /** Settings for every server. Blocks and `env` are merged key by key, lists are replaced. */
  readonly defaults?: Defaults | undefined;
  /** Folders in which programs are found, before those every server gets. Default: []. */
  readonly path?: readonly string[] | undefined;
  /** How systemd is used. */
  readonly systemd?: {
    /** The `class` of servers under systemd that say none. Default: "user". */
    readonly scope?: "user" | "system" | undefined;
  } | undefined;
  /** The supervisord that runs servers. */
  readonly supervisord?: {
    /** Where it answers: `http://host:port/RPC2`, or `unix:///path` of its socket. Default: "http://localhost:9001/RPC2". */
    readonly url?: string | undefined;
    /** Name that its HTTP server asks for. */
    readonly user?: string | undefined;
    /** Password that its HTTP server asks for: a text, or a reference to a secret. */
    readonly password?: string | Secret | undefined;
    /** Whether `url` may lead to another machine: what is sent there, a password too, leaves this one. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Folder that its `[include]` section names, as in `files = DIR/*.conf`: a file for each server is written there. Left out: its programs can be listed and operated, and no server runs there. */
    readonly includeDir?: string | undefined;
  } | undefined;
  /** Settings for some machines: blocks that are merged into the root, in their order, where their `when` holds. */
  readonly on?: readonly RootOn[] | undefined;
  /** Servers by name. */
  readonly servers?: Readonly<Record<string, Server>> | undefined;
  /** Actions that belong to no server, by name: `xy run action`. */
  readonly actions?: Readonly<Record<string, {
    /** The program, found as that of a server is. Either this or `script` is required. */
    readonly command?: string | undefined;
    /** Text of a script. Nothing is filled in: it finds what it needs in its environment. */
    readonly script?: string | undefined;
    /** Program that runs the script, with its arguments; what its first line (`#!…`) names when left out. */
    readonly interpreter?: string | readonly string[] | undefined;
    /** Arguments of the command or the script; templates are filled in as in those of a server. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Environment, on top of that of its server, or of the one everything gets. */
    readonly env?: Readonly<Record<string, string | Secret>> | undefined;
    /** Folder it runs in: that of its server, or the home folder, when left out. */
    readonly workingDir?: string | undefined;
    /** Permissions taken from new files, in octal; `022`, or that of its server. */
    readonly umask?: string | undefined;
    /** Longest run; then it is stopped, and has failed. `none`: as long as it takes. Default: "1h". */
    readonly timeout?: string | "none" | undefined;
    /** When it is to end before its time: from its stop signal to SIGKILL for what is left of its process group. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that asks it to end before its time, sent to its whole process group. Default: "SIGTERM". */
    readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Actions that a run of this one runs first, and that have to succeed: NAME, or SERVER:NAME. In a server a bare name is one of its own, or else one that stands alone. */
    readonly after?: string | readonly string[] | undefined;
    /** How often it is tried again after it failed. Default: 0. */
    readonly retries?: number | {
      /** How often it is tried again after it failed. */
      readonly max: number;
      /** Wait before the second attempt; doubled for each one after it. Default: "1s". */
      readonly backoffInitial?: string | undefined;
      /** Longest wait before an attempt. Default: "30s". */
      readonly backoffMax?: string | undefined;
    } | undefined;
    /** When it runs by itself; a cron expression alone will do. */
    readonly schedule?: string | {
      /** Cron expression: minute, hour, day of month, month, day of week (with seconds before them, if there are six parts), or `@daily` and its like. */
      readonly cron: string;
      /** Time zone by its IANA name; that of the machine that applies when left out. */
      readonly timeZone?: string | undefined;
      /** When the machine slept, or no agent ran, at one time or several: run it `once` afterwards, or `skip` them. Default: "once". */
      readonly missed?: "once" | "skip" | undefined;
    } | undefined;
    /** While it runs: a second run is refused, `allow`ed beside it, or takes its place (`replace`). Default: "forbid". */
    readonly concurrency?: "allow" | "forbid" | "replace" | undefined;
    /** One line for people. Default: "". */
    readonly description?: string | undefined;
    /** Words to find its jobs by. Default: []. */
    readonly tags?: readonly string[] | undefined;
  }>> | undefined;
  /** Machines on which this root declares anything. */
  readonly when?: When | undefined;
}

/** Settings of a project for the machines that its `when` names. */
export type RootOn = { readonly when: When } & Pick<
  Root,
  "backend" | "defaults" | "path" | "systemd" | "supervisord"
>;

/** The machine that a configuration is evaluated on. */
export interface Context {
  readonly os: "linux" | "macos" | "other";
  /** As Node says it: x64, arm64, … */
  readonly arch: string;
  /** Short host name, without the domain. */
  readonly host: string;
  readonly user: string;
  readonly home: string;
  /** Environment of the command that reads the configuration. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

export type Config = Root | ((context: Context) => Root | Promise<Root>);

export function defineConfig(config: Config): Config;

/** References to values that are read when the configuration is applied, and kept out of plans. */
export const secret: {
  /** A variable in the environment of the command that applies. */
  env(name: string): Secret;
  /** The content of a file; one final line break is left out. */
  file(path: string): Secret;
  /** The output of a shell command line; one final line break is left out. */
  command(line: string): Secret;
};
