import type { Manager } from "../../model/backends.ts";
import { serverInput } from "../../model/server.ts";
import type { ServerSpec } from "../../model/spec.ts";
import { parseSize } from "../../model/units.ts";
import { absent, approximate, type CapabilityRow, exact } from "./capability.ts";

/**
 * What each manager can express of a server, as data: the reported losses and the table in docs/backends.md are made
 * from it.
 */

const restarts = ({ restart }: ServerSpec) => restart.policy !== "never";
const grows = (spec: ServerSpec) => restarts(spec) && spec.restart.backoffInitial !== spec.restart.backoffMax;
const inSeconds = (ms: number, least: number) => ms % 1000 === 0 && ms >= least * 1000;

/** Default limits are not missed, as long as there are any limits. */
const keepsNoLogs = ({ logs }: ServerSpec, manager: Manager) =>
  manager === "launchd" || logs.maxSize !== parseSize(LOGS.maxSize) || logs.keep !== LOGS.keep;
const LOGS = serverInput.shape.logs.parse({});

const SAME_WAIT = absent("every wait has the same length");
const BEHIND_SHELL = exact(
  "a shell reads them from a file that only the account can read, then executes the program",
);
const ASKED = approximate(
  "xy",
  "checked when xy starts it; otherwise it counts as started once its program runs",
);
const NO_BOUND = absent("a start may take any time");
const WHILE_ASKED = approximate(
  "xy",
  "applies while xy waits for the server; otherwise a start may take any time",
);
const IN_ORDER = "xy starts it after the others";
const IN_JOURNAL = absent("the journal has its own limits; without a journal, its files grow without limit");
const UNBOUNDED = absent("its files in the state folder grow without limit");
const TRIES = absent("it is restarted without limit");

export const CAPABILITIES: readonly CapabilityRow[] = [
  {
    field: "command",
    of: { systemd: exact("ExecStart"), launchd: exact("ProgramArguments"), supervisord: exact("command") },
  },
  {
    field: "args",
    of: { systemd: exact("ExecStart"), launchd: exact("ProgramArguments"), supervisord: exact("command") },
  },
  {
    field: "env",
    of: {
      systemd: exact("Environment"),
      launchd: exact("EnvironmentVariables"),
      supervisord: exact("environment, and /usr/bin/env for values with quotes or backslashes"),
    },
  },
  {
    // Never reported as a loss: a server with a secret is refused if the format has no reference.
    field: "env, a reference to a secret",
    of: {
      systemd: exact("EnvironmentFile, a file that you fill"),
      launchd: absent("an error"),
      supervisord: absent("an error"),
    },
    installed: {
      systemd: exact("EnvironmentFile, a file that only the account can read"),
      launchd: BEHIND_SHELL,
      supervisord: BEHIND_SHELL,
    },
    matters: () => false,
  },
  {
    field: "working-dir",
    of: {
      systemd: exact("WorkingDirectory"),
      launchd: exact("WorkingDirectory"),
      supervisord: exact("directory"),
    },
  },
  { field: "umask", of: { systemd: exact("UMask"), launchd: exact("Umask"), supervisord: exact("umask") } },
  {
    field: "limits.open-files",
    of: {
      systemd: exact("LimitNOFILE"),
      launchd: exact("SoftResourceLimits"),
      supervisord: absent("it inherits supervisord's own limit (minfds)"),
    },
    matters: ({ limits }) => limits.openFiles !== 1024,
  },
  {
    field: "restart.policy",
    of: {
      systemd: exact("Restart, RestartForceExitStatus"),
      launchd: exact("KeepAlive"),
      supervisord: approximate("autorestart", "an exit in the first second is a failure, whatever the code"),
    },
    matters: restarts,
  },
  {
    field: "restart.backoff-initial",
    of: {
      systemd: exact("RestartSec"),
      launchd: approximate(
        "ThrottleInterval",
        "in whole seconds, at least one, and counted from its last start, not from its exit",
      ),
      supervisord: absent(
        "it is restarted at once; after exits in the first second it waits 1s, 2s, 3s, and so on",
      ),
    },
    matters: restarts,
  },
  {
    field: "restart.backoff-max",
    of: {
      systemd: SAME_WAIT,
      launchd: SAME_WAIT,
      supervisord: absent("only attempts to start wait longer each time"),
    },
    matters: grows,
  },
  {
    field: "restart.reset-after",
    of: { systemd: SAME_WAIT, launchd: SAME_WAIT, supervisord: absent("a second is enough") },
    matters: grows,
  },
  {
    field: "restart.max-retries-per-minute",
    of: {
      systemd: approximate("StartLimitBurst, StartLimitIntervalSec", "a manual start counts too"),
      launchd: TRIES,
      supervisord: approximate("startretries", "only exits in the first second count, one after the other"),
    },
    matters: restarts,
  },
  {
    field: "restart.success-exit-codes",
    of: {
      systemd: exact("SuccessExitStatus, RestartForceExitStatus"),
      launchd: approximate("SuccessfulExit", "only 0 is a success"),
      supervisord: exact("exitcodes"),
    },
    matters: ({ restart }) => restart.policy === "on-failure" && String(restart.successExitCodes) !== "0",
  },
  {
    field: "stop.signal",
    of: {
      systemd: exact("KillSignal"),
      launchd: absent("it gets SIGTERM"),
      supervisord: exact("stopsignal"),
    },
    matters: ({ stop }) => stop.signal !== "SIGTERM",
  },
  {
    field: "stop.grace",
    of: {
      systemd: exact("TimeoutStopSec"),
      launchd: approximate("ExitTimeOut", "in whole seconds, rounded up, at least one"),
      supervisord: approximate("stopwaitsecs", "in whole seconds, rounded up"),
    },
    matters: ({ stop }, manager) => !inSeconds(stop.grace, manager === "launchd" ? 1 : 0),
  },
  {
    field: "stop.descendants",
    of: {
      systemd: approximate(
        "KillMode",
        "always `all`: descendants that left its process group stop too, with its control group",
      ),
      launchd: approximate("AbandonProcessGroup", "`own`, but only its process group"),
      supervisord: approximate("stopasgroup, killasgroup", "`own`, but only its process group"),
    },
    installed: {
      launchd: approximate("xy", "`own` when xy stops it; otherwise only its process group"),
      supervisord: approximate("xy", "`own` when xy stops it; otherwise only its process group"),
    },
    // The default is not reported: what is lost of it is in the table.
    matters: ({ stop }, manager) => stop.descendants === "all" && manager !== "systemd",
  },
  {
    field: "start-timeout",
    of: { systemd: NO_BOUND, launchd: NO_BOUND, supervisord: NO_BOUND },
    installed: { systemd: WHILE_ASKED, launchd: WHILE_ASKED, supervisord: WHILE_ASKED },
    matters: ({ startTimeout }) => startTimeout !== undefined,
  },
  {
    field: "readiness",
    of: {
      systemd: absent("it counts as started once its program runs"),
      launchd: absent("it counts as started once its program runs"),
      supervisord: absent("it counts as started once its program has run for a second"),
    },
    installed: { systemd: ASKED, launchd: ASKED, supervisord: ASKED },
    matters: ({ readiness }) => readiness.type !== "none",
  },
  {
    field: "liveness",
    of: {
      systemd: absent("only its exit is noticed"),
      launchd: absent("only its exit is noticed"),
      supervisord: absent("only its exit is noticed"),
    },
    matters: ({ liveness }) => liveness.type !== "none",
  },
  {
    field: "depends-on",
    of: {
      systemd: approximate("Wants, After", "it waits only until the other's program runs"),
      launchd: absent("all start at once"),
      supervisord: absent("all start at once"),
    },
    installed: {
      systemd: approximate(
        "After",
        `${IN_ORDER}, once they meet its conditions; otherwise it waits only until those that start with it run`,
      ),
      launchd: approximate("xy", `${IN_ORDER}, once they meet its conditions; otherwise all start at once`),
      supervisord: approximate(
        "xy",
        `${IN_ORDER}, once they meet its conditions; otherwise all start at once`,
      ),
    },
    matters: ({ dependsOn }, manager) =>
      dependsOn.some(({ condition }) => manager !== "systemd" || condition !== "started"),
  },
  {
    field: "logs.max-size",
    of: {
      systemd: absent("the journal has its own limits"),
      launchd: absent("its file in ~/Library/Logs grows without limit"),
      supervisord: exact("stdout_logfile_maxbytes, stderr_logfile_maxbytes"),
    },
    installed: { systemd: IN_JOURNAL, launchd: UNBOUNDED },
    matters: keepsNoLogs,
  },
  {
    field: "logs.keep",
    of: {
      systemd: absent("the journal has its own limits"),
      launchd: absent("its file in ~/Library/Logs is never rotated"),
      supervisord: exact("stdout_logfile_backups, stderr_logfile_backups"),
    },
    installed: { systemd: IN_JOURNAL, launchd: UNBOUNDED },
    matters: keepsNoLogs,
  },
  {
    field: "wanted",
    of: {
      systemd: exact("WantedBy"),
      launchd: exact("RunAtLoad, Disabled"),
      supervisord: exact("autostart"),
    },
    installed: {
      systemd: exact("enabled, or not"),
      launchd: exact("enabled and loaded, or not"),
    },
  },
  {
    field: "class",
    of: {
      systemd: exact("a unit of the machine, with User and WantedBy"),
      launchd: exact("UserName"),
      supervisord: absent("that supervisord runs it, as the account that started supervisord"),
    },
    matters: (spec) => spec.class === "system",
  },
];

/** Fields of a spec that do not concern a manager: they show up in other fields, or are for people and for xy. */
export const FOR_XY: readonly (keyof ServerSpec)[] = [
  "name",
  "project",
  "backend",
  "program",
  "port",
  "host",
  "mcp",
  "description",
  "tags",
];

/**
 * Variables that a manager adds to the environment of what it starts, in order. A process also gets what is declared,
 * which takes precedence, and the manager's own environment.
 */
export const ADDED: Readonly<Record<Manager, readonly string[]>> = {
  systemd: ["INVOCATION_ID", "JOURNAL_STREAM", "MANAGERPID", "SYSTEMD_EXEC_PID"],
  // Not tested on macOS.
  launchd: ["XPC_FLAGS", "XPC_SERVICE_NAME"],
  supervisord: [
    "SUPERVISOR_ENABLED",
    "SUPERVISOR_GROUP_NAME",
    "SUPERVISOR_PROCESS_NAME",
    "SUPERVISOR_SERVER_URL",
  ],
};
