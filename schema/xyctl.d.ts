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
    /** File that contains the value; one final line break is removed. */
    readonly file: string;
  } | {
    /** Shell command line whose output is the value. */
    readonly command: string;
  };
}

/** One server. */
export interface Server {
  /** The program, not a shell line. A bare name is looked up in the folders of the service PATH; with a slash it is a path, relative to the file that it is written in. */
  readonly command: string;
  /** Arguments. `{port}`, `{name}`, `{project}`, `{home}` and `{env.NAME}` are filled in; `{{port}}` gives `{port}`; any other brace is left as it is. Default: []. */
  readonly args?: readonly string[] | undefined;
  /** Port it listens on. `auto`: derived from project and name (or the one in `prefer`); the next free one if that is taken; then kept. `none`: no port. */
  readonly port: number | "auto" | "none" | {
    /** A port is chosen and kept, as with `port: auto`. */
    readonly auto: true;
    /** The port to choose, or else the next free one above it. Defaults to a port derived from project and name. */
    readonly prefer?: number | undefined;
  };
  /** Flag to append to the arguments, followed by the port, such as `--port`. */
  readonly portFlag?: string | undefined;
  /** Address on which the port is expected to listen. Default: "127.0.0.1". */
  readonly host?: string | undefined;
  /** Marks an MCP server: its URL is `http://host:port/path`. */
  readonly mcp?: true | {
    /** Path of the endpoint. Default: "/mcp". */
    readonly path?: string | undefined;
    /** How the program speaks MCP. `stdio`: over its stdin and stdout; xy serves it over HTTP, on the server's port. Default: "http". */
    readonly transport?: "http" | "stdio" | undefined;
    /** With stdio: a process for each client (`session`, the default), or one for all of them. */
    readonly share?: "session" | "all" | undefined;
    /** With stdio: whether a process runs before a client needs it (`eager`, the default), or not (`on-demand`). */
    readonly start?: "eager" | "on-demand" | undefined;
    /** With stdio: stop a process that was idle for this long; the next request starts it again. */
    readonly idleStop?: string | undefined;
    /** With stdio: most clients at a time; 100 by default. */
    readonly maxSessions?: number | undefined;
    /** With stdio: most processes at a time, 20 by default. The one that was idle longest makes room. */
    readonly maxChildren?: number | undefined;
    /** With stdio and one process for all clients: what that is told that clients can do, such as `sampling`. Nothing by default, and never `roots`. */
    readonly capabilities?: readonly string[] | undefined;
    /** With stdio: further names by which clients may reach this machine. */
    readonly allowHosts?: readonly string[] | undefined;
    /** With stdio: web pages that may use the server, such as `https://app.example`. */
    readonly allowOrigins?: readonly string[] | undefined;
    /** With stdio: a reference to a secret that clients must send as a bearer token. */
    readonly token?: Secret | undefined;
  } | undefined;
  /** Environment variables, added to those that every server gets. A value is text, or a reference to a secret. */
  readonly env?: Readonly<Record<string, string | Secret>> | undefined;
  /** Files in dotenv syntax; their values are secret. Later files override earlier ones; `env` overrides all. Default: []. */
  readonly envFile?: string | readonly string[] | undefined;
  /** Folder it runs in. A relative path starts at the folder of the file that it is written in. Default: "~". */
  readonly workingDir?: string | undefined;
  /** Permissions that new files do not get, in octal. Default: "022". */
  readonly umask?: string | undefined;
  /** Resource limits. */
  readonly limits?: {
    /** Limit of open files per process; defaults to 1024 on Linux, 256 on macOS. */
    readonly openFiles?: number | undefined;
  } | undefined;
  /** What runs it; defaults to the root's `backend`. */
  readonly backend?: "agent" | "systemd" | "launchd" | "supervisord" | undefined;
  /** `system`: under the machine's systemd or launchd instead of your account's, from boot on. Applying needs root; the server runs as the account that applies. */
  readonly class?: "user" | "system" | undefined;
  /** Longest time from the start of its process until it is ready; defaults to 5m. A process that is not ready by then is stopped, and its start has failed. */
  readonly startTimeout?: string | undefined;
  /** What happens when the process exits by itself. */
  readonly restart?: {
    /** When a process that exited is restarted. A signal, or any exit code not in `success-exit-codes`, is a failure. Default: "on-failure". */
    readonly policy?: "on-failure" | "always" | "never" | undefined;
    /** Delay before the first restart; doubled for each further one. Default: "1s". */
    readonly backoffInitial?: string | undefined;
    /** Longest delay before a restart. Default: "30s". */
    readonly backoffMax?: string | undefined;
    /** After this many restarts in the last 60 seconds the server is not restarted again: it has failed. The same holds after ten restarts for failure in a row (or this many, if that is more) without being ready for a minute. Default: 5. */
    readonly maxRetriesPerMinute?: number | undefined;
    /** Once a process has been ready for this long, the delay starts from the beginning again. Default: "10s". */
    readonly resetAfter?: string | undefined;
    /** Exit codes that count as success. Default: [0]. */
    readonly successExitCodes?: readonly number[] | undefined;
  } | undefined;
  /** How the server's processes are stopped. */
  readonly stop?: {
    /** Time until its remaining processes are killed. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that asks its processes to exit. Default: "SIGTERM". */
    readonly signal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Which processes are stopped: its `own`, or `all`, including daemons that detached from the server and hold none of its ports. Default: "own". */
    readonly descendants?: "own" | "all" | undefined;
  } | undefined;
  /** When it counts as ready, for `apply` and for servers that depend on it. Defaults to `tcp` if it has a port, else `none`. */
  readonly readiness?: "mcp" | "tcp" | "none" | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the default kind of check. */
    readonly type?: "default" | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. */
    readonly type: "tcp";
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "http";
    /** Path to request. Default: "/". */
    readonly path?: string | undefined;
    /** Status codes that count as success; defaults to any from 200 to 299. Redirects are not followed. */
    readonly status?: number | readonly number[] | undefined;
    /** Requested instead of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. If it is not the server's own address, any program may listen there. */
    readonly url?: string | undefined;
    /** Whether `url` may lead to another machine. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "mcp";
    /** Path of the MCP endpoint; defaults to the path in `mcp`, or `/mcp`. */
    readonly path?: string | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Defaults to 10s for an MCP exchange, 2s for any other check. If the server keeps no session, each request of an exchange has this time. Default: "10s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "command";
    /** Program that exits with 0 on success. It is looked up like the server's own, and runs in the server's environment and folder. */
    readonly command: string;
    /** Its arguments; templates such as `{port}` are filled in. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "none";
  } | {
    readonly type: "log";
    /** Regular expression that a line of output matches. Required for `log`, which only readiness can use. */
    readonly pattern: string;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | undefined;
  /** When it counts as healthy; a failure restarts it. Defaults to `tcp` if it has a port, else `none`. */
  readonly liveness?: "mcp" | "tcp" | "none" | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. Left out, or `default`: the default kind of check. */
    readonly type?: "default" | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    /** Kind of check; `mcp`, `tcp` and `none` may be written as a bare word. */
    readonly type: "tcp";
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "http";
    /** Path to request. Default: "/". */
    readonly path?: string | undefined;
    /** Status codes that count as success; defaults to any from 200 to 299. Redirects are not followed. */
    readonly status?: number | readonly number[] | undefined;
    /** Requested instead of `path` and `port`, such as `http://127.0.0.1:8765/health`; `{port}` is filled in. If it is not the server's own address, any program may listen there. */
    readonly url?: string | undefined;
    /** Whether `url` may lead to another machine. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "mcp";
    /** Path of the MCP endpoint; defaults to the path in `mcp`, or `/mcp`. */
    readonly path?: string | undefined;
    /** Port to check; defaults to the server's own. */
    readonly port?: number | undefined;
    /** Whose listener counts: `own`, only one of this server's processes; `any`, also another program that listens in its place, as with `docker run -p` and `ssh -L`. Defaults to what its other check says, else `own`. */
    readonly owner?: "own" | "any" | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Defaults to 10s for an MCP exchange, 2s for any other check. If the server keeps no session, each request of an exchange has this time. Default: "10s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "command";
    /** Program that exits with 0 on success. It is looked up like the server's own, and runs in the server's environment and folder. */
    readonly command: string;
    /** Its arguments; templates such as `{port}` are filled in. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Time between two checks. Default: "5s". */
    readonly interval?: string | undefined;
    /** A check that takes longer fails. Default: "2s". */
    readonly timeout?: string | undefined;
    /** Time after the start in which a failed check does not count. Liveness checks begin after it if there is no readiness check, otherwise once the server has been ready. Default: "30s". */
    readonly startPeriod?: string | undefined;
    /** Failed checks in a row until the probe fails. Default: 3. */
    readonly failureThreshold?: number | undefined;
    /** Successful checks in a row until the probe succeeds. Default: 1. */
    readonly successThreshold?: number | undefined;
  } | {
    readonly type: "none";
  } | undefined;
  /** Servers that it depends on. Default: []. */
  readonly dependsOn?: readonly (string | {
    /** Name of the other server. */
    readonly server: string;
    /** What to wait for: that the other server is `ready`, has `started`, or has `completed` successfully. Default: "ready". */
    readonly condition?: "ready" | "started" | "completed" | undefined;
  })[] | undefined;
  /** Log files. */
  readonly logs?: {
    /** Size at which a log file is rotated. Default: "10MiB". */
    readonly maxSize?: string | undefined;
    /** Number of rotated files to keep. Default: 5. */
    readonly keep?: number | undefined;
  } | undefined;
  /** Actions of this server by name: `xy run server:action`. */
  readonly actions?: Readonly<Record<string, {
    /** The program, looked up like a server's. Either this or `script` is required. */
    readonly command?: string | undefined;
    /** Text of a script. Templates are not filled in: use environment variables instead. */
    readonly script?: string | undefined;
    /** Program that runs the script, with its arguments; defaults to what the script's first line (`#!…`) names. */
    readonly interpreter?: string | readonly string[] | undefined;
    /** Arguments of the command or the script; templates are filled in as for a server. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Environment variables, added to its server's, or to those that everything gets. */
    readonly env?: Readonly<Record<string, string | Secret>> | undefined;
    /** Folder it runs in; defaults to its server's, or the home folder. */
    readonly workingDir?: string | undefined;
    /** Permissions that new files do not get, in octal; defaults to its server's, or `022`. */
    readonly umask?: string | undefined;
    /** Longest run; after that it is stopped and counts as failed. `none`: no limit. Default: "1h". */
    readonly timeout?: string | "none" | undefined;
    /** When it is stopped early: time between its stop signal and SIGKILL for the rest of its process group. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that stops it early, sent to its whole process group. Default: "SIGTERM". */
    readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Actions to run before this one, which must succeed: NAME, or SERVER:NAME. Within a server, a bare name is one of its own actions, or else one that belongs to no server. */
    readonly after?: string | readonly string[] | undefined;
    /** How often it is retried after a failure. Default: 0. */
    readonly retries?: number | {
      /** How often it is retried after a failure. */
      readonly max: number;
      /** Delay before the second attempt; doubled for each further one. Default: "1s". */
      readonly backoffInitial?: string | undefined;
      /** Longest delay before an attempt. Default: "30s". */
      readonly backoffMax?: string | undefined;
    } | undefined;
    /** When it runs automatically; a cron expression alone is enough. */
    readonly schedule?: string | {
      /** Cron expression: minute, hour, day of month, month, day of week (with seconds before them, if there are six parts), or `@daily` and its like. */
      readonly cron: string;
      /** IANA time zone; defaults to that of the machine that applies. */
      readonly timeZone?: string | undefined;
      /** When the machine slept or no agent ran at one or more of its times: run it `once` afterwards, or `skip` them. Default: "once". */
      readonly missed?: "once" | "skip" | undefined;
    } | undefined;
    /** What happens to a second run while it runs: refused (`forbid`), `allow`ed beside it, or takes its place (`replace`). Default: "forbid". */
    readonly concurrency?: "allow" | "forbid" | "replace" | undefined;
    /** One-line description. Default: "". */
    readonly description?: string | undefined;
    /** Words that select its jobs. Default: []. */
    readonly tags?: readonly string[] | undefined;
  }>> | undefined;
  /** Whether it should run, unless the operator started or stopped it. `ignore`: declared, but never touched. Default: "start". */
  readonly wanted?: "start" | "stop" | "ignore" | undefined;
  /** One-line description. Default: "". */
  readonly description?: string | undefined;
  /** Words that select it. Default: []. */
  readonly tags?: readonly string[] | undefined;
  /** Machines on which it exists at all; every given key must match. */
  readonly when?: When | undefined;
  /** Settings for some machines: blocks that are merged into the server, in order, on machines that their `when` matches. */
  readonly on?: readonly ServerOn[] | undefined;
}

/** Settings of a server for the machines that its `when` names. */
export type ServerOn = { readonly when: When } & Partial<Omit<Server, "on" | "when">>;

/** Settings for every server. */
export type Defaults = Partial<Omit<Server, "on">>;

/** A project: its servers, and what they have in common. */
export interface Root {
  /** Name of the project; defaults to one made from the root folder's name. */
  readonly project?: string | undefined;
  /** Other files with parts of the project: paths or patterns (`work/*.kdl`), relative to this file. This file's `defaults` apply to them too. */
  readonly include?: string | readonly string[] | undefined;
  /** What runs the servers. Default: "agent". */
  readonly backend?: "agent" | "systemd" | "launchd" | "supervisord" | undefined;
  /** Settings for every server. Blocks and `env` are merged key by key, lists are replaced. */
  readonly defaults?: Defaults | undefined;
  /** Folders to look for programs in, before those that every server gets. Default: []. */
  readonly path?: readonly string[] | undefined;
  /** How systemd is used. */
  readonly systemd?: {
    /** The default `class` of servers under systemd. Default: "user". */
    readonly scope?: "user" | "system" | undefined;
  } | undefined;
  /** The supervisord that runs servers. */
  readonly supervisord?: {
    /** Address of its API: `http://host:port/RPC2`, or `unix:///path` of its socket. Default: "http://localhost:9001/RPC2". */
    readonly url?: string | undefined;
    /** User name for its HTTP server. */
    readonly user?: string | undefined;
    /** Password for its HTTP server: text, or a reference to a secret. */
    readonly password?: string | Secret | undefined;
    /** Whether `url` may lead to another machine: everything sent there leaves this one, passwords too. Default: false. */
    readonly allowRemote?: boolean | undefined;
    /** Folder named in its `[include]` section, as in `files = DIR/*.conf`: a file for each server is written there. Without it, its programs can be listed and operated, but no server runs there. */
    readonly includeDir?: string | undefined;
  } | undefined;
  /** Editors and assistants whose files are to have the project's MCP servers, by name: see [clients](../clients.md). */
  readonly clients?: Readonly<Partial<Record<"claude-code" | "claude-desktop" | "vscode" | "copilot-cli" | "cursor" | "codex" | "gemini-cli" | "antigravity" | "windsurf" | "zed" | "cline" | "continue" | "goose" | "opencode" | "junie" | "lm-studio" | "kiro" | "amp" | "crush", boolean | {
    /** Which file of the client: `user`, the account's own, or `project`, the one in the folder of this configuration. Default: `user`. */
    readonly scope?: "user" | "project" | undefined;
    /** Servers by name, by a pattern such as `web-*`, or `tag:x` for those with a tag: no others get an entry. */
    readonly only?: string | readonly string[] | undefined;
    /** Servers by name, pattern or `tag:x` that get no entry. */
    readonly except?: string | readonly string[] | undefined;
    /** Goes before each server's name in the client's file. */
    readonly prefix?: string | undefined;
  }>>> | undefined;
  /** Settings for some machines: blocks that are merged into the root, in order, on machines that their `when` matches. */
  readonly on?: readonly RootOn[] | undefined;
  /** Servers by name. */
  readonly servers?: Readonly<Record<string, Server>> | undefined;
  /** Actions that belong to no server, by name: `xy run action`. */
  readonly actions?: Readonly<Record<string, {
    /** The program, looked up like a server's. Either this or `script` is required. */
    readonly command?: string | undefined;
    /** Text of a script. Templates are not filled in: use environment variables instead. */
    readonly script?: string | undefined;
    /** Program that runs the script, with its arguments; defaults to what the script's first line (`#!…`) names. */
    readonly interpreter?: string | readonly string[] | undefined;
    /** Arguments of the command or the script; templates are filled in as for a server. Default: []. */
    readonly args?: readonly string[] | undefined;
    /** Environment variables, added to its server's, or to those that everything gets. */
    readonly env?: Readonly<Record<string, string | Secret>> | undefined;
    /** Folder it runs in; defaults to its server's, or the home folder. */
    readonly workingDir?: string | undefined;
    /** Permissions that new files do not get, in octal; defaults to its server's, or `022`. */
    readonly umask?: string | undefined;
    /** Longest run; after that it is stopped and counts as failed. `none`: no limit. Default: "1h". */
    readonly timeout?: string | "none" | undefined;
    /** When it is stopped early: time between its stop signal and SIGKILL for the rest of its process group. Default: "10s". */
    readonly grace?: string | undefined;
    /** Signal that stops it early, sent to its whole process group. Default: "SIGTERM". */
    readonly stopSignal?: "SIGTERM" | "SIGHUP" | "SIGINT" | "SIGQUIT" | "SIGUSR1" | "SIGUSR2" | undefined;
    /** Actions to run before this one, which must succeed: NAME, or SERVER:NAME. Within a server, a bare name is one of its own actions, or else one that belongs to no server. */
    readonly after?: string | readonly string[] | undefined;
    /** How often it is retried after a failure. Default: 0. */
    readonly retries?: number | {
      /** How often it is retried after a failure. */
      readonly max: number;
      /** Delay before the second attempt; doubled for each further one. Default: "1s". */
      readonly backoffInitial?: string | undefined;
      /** Longest delay before an attempt. Default: "30s". */
      readonly backoffMax?: string | undefined;
    } | undefined;
    /** When it runs automatically; a cron expression alone is enough. */
    readonly schedule?: string | {
      /** Cron expression: minute, hour, day of month, month, day of week (with seconds before them, if there are six parts), or `@daily` and its like. */
      readonly cron: string;
      /** IANA time zone; defaults to that of the machine that applies. */
      readonly timeZone?: string | undefined;
      /** When the machine slept or no agent ran at one or more of its times: run it `once` afterwards, or `skip` them. Default: "once". */
      readonly missed?: "once" | "skip" | undefined;
    } | undefined;
    /** What happens to a second run while it runs: refused (`forbid`), `allow`ed beside it, or takes its place (`replace`). Default: "forbid". */
    readonly concurrency?: "allow" | "forbid" | "replace" | undefined;
    /** One-line description. Default: "". */
    readonly description?: string | undefined;
    /** Words that select its jobs. Default: []. */
    readonly tags?: readonly string[] | undefined;
  }>> | undefined;
  /** Machines on which this root declares anything. */
  readonly when?: When | undefined;
}

/** Settings of a project for the machines that its `when` names. */
export type RootOn = { readonly when: When } & Pick<
  Root,
  "backend" | "defaults" | "path" | "systemd" | "supervisord" | "clients"
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
