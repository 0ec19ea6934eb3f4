import { z } from "zod";
import { ACTION_SHAPE } from "../model/action.ts";
import { MCP_TIMEOUT, PROBE_TIMING } from "../model/probe-of.ts";
import { type ServerSpec, serverSpec } from "../model/spec.ts";
import { type Probe, probe } from "../model/spec-parts.ts";

/**
 * Specs as a client may send them: what is left out is filled in. `agent/operations/whole-spec.ts` fills in what depends on the
 * machine.
 */

const { shape } = serverSpec;

const program = z
  .string()
  .min(1)
  .optional()
  .describe(
    "Absolute path of the program. Left out: where `command` is found, which is an absolute path or a name in a folder of PATH.",
  );
const env = shape.env
  .optional()
  .describe("The whole environment. Left out: what every server gets (HOME, USER, LANG, PATH and so on).");
const workingDir = shape.workingDir.optional().describe("Absolute. Left out: the home folder.");

/** The settings of a probe of this type, if none are given. */
function withTiming(option: (typeof probe.options)[number]) {
  if (!("interval" in option.shape)) return option;
  const { interval, timeout, startPeriod, failureThreshold, successThreshold } = option.shape;
  const isMcp = option.shape.type.safeParse("mcp").success;
  return option.extend({
    interval: interval.default(PROBE_TIMING.interval),
    timeout: timeout.default(isMcp ? MCP_TIMEOUT : PROBE_TIMING.timeout),
    startPeriod: startPeriod.default(PROBE_TIMING.startPeriod),
    failureThreshold: failureThreshold.default(PROBE_TIMING.failureThreshold),
    successThreshold: successThreshold.default(PROBE_TIMING.successThreshold),
  });
}
const [none, ...looks] = probe.options;
const shortProbe = z
  .discriminatedUnion("type", [none, ...looks.map(withTiming)] as unknown as typeof probe.options)
  .default({ type: "none" });

type Timing = keyof typeof PROBE_TIMING;
type ShortProbe<P extends Probe = Probe> = P extends { readonly type: "none" }
  ? P
  : Omit<P, Timing> & { [Key in Timing]?: number | undefined };
type Block = "limits" | "restart" | "stop" | "logs";
/** What a client may leave out, also inside a block: everything that has a default in a server's record. */
type Written = {
  [Key in keyof ServerSpec]?:
    | (Key extends Block
        ? { [Inner in keyof ServerSpec[Key]]?: ServerSpec[Key][Inner] | undefined }
        : Key extends "readiness" | "liveness"
          ? ShortProbe
          : ServerSpec[Key])
    | undefined;
};
/** What depends on the call, or on the machine. */
type Here = "name" | "project" | "command" | "program" | "env" | "workingDir";
export type ShortServer = Omit<ServerSpec, Here> & {
  [Key in Here]?: ServerSpec[Key] | undefined;
};

/** A server's. */
export const shortServer = serverSpec.extend({
  name: shape.name.optional().describe("Left out: the `server` of the call. Anything else is refused."),
  project: shape.project
    .optional()
    .describe("Left out: the `project` of the call. Anything else is refused."),
  command: z.string().min(1).optional().describe("Left out: `program`. One of the two is needed."),
  program,
  args: shape.args.default([]),
  port: shape.port.default(null),
  env,
  workingDir,
  backend: shape.backend.default("agent"),
  readiness: shortProbe,
  liveness: shortProbe,
}) as unknown as z.ZodType<ShortServer, Written>;

/** For an action that runs what somebody typed: by hand, once, and after no other action. */
export const shortAction = z.looseObject({
  name: ACTION_SHAPE.name.describe("What its job is called."),
  command: z.string().min(1),
  program,
  args: ACTION_SHAPE.args.default([]),
  env,
  workingDir,
  umask: ACTION_SHAPE.umask.default(0o022),
  openFiles: ACTION_SHAPE.openFiles.optional().describe("Left out: 1024, or 256 on macOS."),
  timeout: ACTION_SHAPE.timeout.default(null),
  grace: ACTION_SHAPE.grace.default(10_000),
  retries: ACTION_SHAPE.retries.default({ max: 0, backoffInitial: 1000, backoffMax: 30_000 }),
  stopSignal: ACTION_SHAPE.stopSignal,
  description: ACTION_SHAPE.description.default(""),
  tags: ACTION_SHAPE.tags.default([]),
});
export type ShortAction = z.output<typeof shortAction>;
