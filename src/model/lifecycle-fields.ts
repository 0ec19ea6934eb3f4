import { z } from "zod";
import { block } from "./field.ts";
import { duration, oneOf, serverName, whole } from "./input-parts.ts";
import { livenessInput, readinessInput } from "./probe-input.ts";
import { isUsualOfProbe, probeOf, shownOfProbe, usualProbe } from "./probe-of.ts";
import { field, length } from "./server-row.ts";
import { CONDITIONS, name, probe, RESTART_POLICIES, STOP_SIGNALS } from "./spec-parts.ts";
import { formatDuration, milliseconds, wholeSeconds } from "./units.ts";

/** The settings of a server's life cycle: start, restart, stop, probes and dependencies. */

const restart = block(
  {
    policy: field({
      written: oneOf(RESTART_POLICIES)
        .default("on-failure")
        .describe(
          "When a process that exited is restarted. A signal, or any exit code not in `success-exit-codes`, is a failure.",
        ),
      kept: z.enum(RESTART_POLICIES),
      becomes: (written) => written,
      absent: "on-failure",
    }),
    backoffInitial: length(
      duration.default("1s").describe("Delay before the first restart; doubled for each further one."),
    ),
    backoffMax: length(duration.default("30s").describe("Longest delay before a restart.")),
    maxRetriesPerMinute: field({
      written: whole(0, 1000)
        .default(5)
        .describe(
          "After this many restarts in the last 60 seconds the server is not restarted again: it has failed. The same holds after ten restarts for failure in a row (or this many, if that is more) without being ready for a minute.",
        ),
      kept: z.int(),
      becomes: (written) => written,
      absent: 5,
    }),
    resetAfter: length(
      duration
        .default("10s")
        .describe("Once a process has been ready for this long, the delay starts from the beginning again."),
    ),
    successExitCodes: field({
      written: z
        .array(whole(0, 255), { error: "write a list of exit codes" })
        .default([0])
        .describe("Exit codes that count as success."),
      kept: z.array(z.int()),
      becomes: (written) => written,
      absent: [0],
    }),
  },
  {
    error: "write a block of restart settings",
    describe: "What happens when the process exits by itself.",
    start: {
      launchd: ({ policy, backoffInitial }) => [
        policy,
        policy === "never" ? null : wholeSeconds(backoffInitial, 1),
      ],
      supervisord: ({ policy, maxRetriesPerMinute, successExitCodes }) => [
        policy,
        policy === "never" ? null : maxRetriesPerMinute,
        successExitCodes,
      ],
    },
  },
);

const STOPPED = ["own", "all"] as const;

const stop = block(
  {
    grace: length(duration.default("10s").describe("Time until its remaining processes are killed.")),
    signal: field({
      written: oneOf(STOP_SIGNALS).default("SIGTERM").describe("Signal that asks its processes to exit."),
      kept: z.enum(STOP_SIGNALS),
      becomes: (written) => written,
      absent: "SIGTERM",
    }),
    descendants: field({
      written: oneOf(STOPPED)
        .default("own")
        .describe(
          "Which processes are stopped: its `own`, or `all`, including daemons that detached from the server and hold none of its ports.",
        ),
      kept: z.enum(STOPPED),
      becomes: (written) => written,
      absent: "own",
    }),
  },
  {
    error: "write a block with descendants, grace and signal",
    describe: "How the server's processes are stopped.",
    start: {
      launchd: ({ grace }) => [wholeSeconds(grace, 1)],
      supervisord: ({ grace, signal }) => [signal, wholeSeconds(grace)],
    },
  },
);

const dependencyInput = z.union(
  [
    serverName,
    z.strictObject({
      server: serverName.describe("Name of the other server."),
      condition: oneOf(CONDITIONS)
        .default("ready")
        .describe(
          "What to wait for: that the other server is `ready`, has `started`, or has `completed` successfully.",
        ),
    }),
  ],
  { error: "write the name of a server, or a block with server and condition" },
);

const probed = <W extends z.ZodOptional<typeof readinessInput | typeof livenessInput>>(
  which: "readiness" | "liveness",
  written: W,
) =>
  field({
    written,
    kept: probe,
    becomes: (said, facts) => probeOf(said, usualProbe(which, facts), facts, facts.probes[which]),
    absent: { type: "none" },
    isUsual: isUsualOfProbe(which),
    shown: shownOfProbe,
  });

export const LIFECYCLE_FIELDS = {
  startTimeout: field({
    written: duration
      .refine((value) => milliseconds(value) > 0, { error: 'write a duration of more than 0, such as "5m"' })
      .optional()
      .describe(
        "Longest time from the start of its process until it is ready; defaults to 5m. A process that is not ready by then is stopped, and its start has failed.",
      ),
    // Absent: readers use `startTimeoutOf`, and can tell that nobody has set it.
    kept: z.number().optional(),
    becomes: (written) => (written === undefined ? undefined : milliseconds(written)),
    shown: formatDuration,
  }),
  restart,
  stop,
  readiness: probed(
    "readiness",
    readinessInput
      .optional()
      .describe(
        "When it counts as ready, for `apply` and for servers that depend on it. Defaults to `tcp` if it has a port, else `none`.",
      ),
  ),
  liveness: probed(
    "liveness",
    livenessInput
      .optional()
      .describe(
        "When it counts as healthy; a failure restarts it. Defaults to `tcp` if it has a port, else `none`.",
      ),
  ),
  dependsOn: field({
    written: z
      .array(dependencyInput, { error: "write a list of servers" })
      .default([])
      .describe("Servers that it depends on."),
    kept: z.array(z.looseObject({ server: name, condition: z.enum(CONDITIONS) })),
    becomes: (written) =>
      written.map((other) =>
        typeof other === "string" ? { server: other, condition: "ready" as const } : other,
      ),
    absent: [],
  }),
};
