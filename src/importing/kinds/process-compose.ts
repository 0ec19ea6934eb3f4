import { isAbsolute, join } from "node:path";
import { fitName } from "../../model/name.ts";
import { isObject } from "../../model/object.ts";
import type { Draft } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { type Kind, NO_SETTING, type Origin, seconds } from "./kind.ts";

export const processCompose: Kind = {
  id: "process-compose",
  what: "a process-compose file",
  format: "yaml",
  fits: (_name, value) =>
    isObject(value) && isObject(value.processes) && Object.values(value.processes).some(isObject),
  read: (top, origin) => {
    top.at("version")?.take();
    const shell = top.at("shell")?.at("shell_command")?.text();
    const common = top.at("environment")?.pairs() ?? new Map();
    const envFiles = top.at("env_file")?.texts() ?? [];
    const processes = top.at("processes")?.parts ?? [];
    return {
      others: [],
      drafts: processes.map((piece) => readProcess(piece, origin, shell, common, envFiles)),
    };
  },
  reason: (path) => REASONS[String(path.at(-1))] ?? NO_SETTING,
};

const REASONS: Readonly<Record<string, string>> = {
  log_location: "xy keeps its own logs (xy logs)",
  log_level: "it is about process-compose itself",
  replicas: "a server is one process; declare a server for each",
  is_tty: "a server of xy has no terminal",
  is_foreground: "a server of xy has no terminal",
  is_daemon: "xy supervises the process that it starts, so the program has to stay in the foreground",
  success_threshold: "xy counts one success as ready in the start of a server",
  initial_delay_seconds: "xy asks from the start on, and waits until start-timeout",
  vars: "xy has no variables of its own",
};
const CONDITIONS: Readonly<Record<string, string>> = {
  process_healthy: "ready",
  process_log_ready: "ready",
  process_started: "started",
  process_completed_successfully: "completed",
  process_completed: "completed",
};
const POLICIES: Readonly<Record<string, string>> = {
  always: "always",
  on_failure: "on-failure",
  exit_on_failure: "never",
  no: "never",
  false: "never",
};
const SIGNALS: Readonly<Record<number, string>> = {
  1: "SIGHUP",
  2: "SIGINT",
  3: "SIGQUIT",
  10: "SIGUSR1",
  12: "SIGUSR2",
  15: "SIGTERM",
};

function readProcess(
  piece: Piece,
  { folder }: Origin,
  shell: string | undefined,
  common: ReturnType<Piece["pairs"]>,
  envFiles: readonly string[],
): Draft {
  const drafting = new Drafting(piece.name, piece.line, "process-compose");
  const { fields } = drafting;
  const entrypoint = piece.at("entrypoint")?.texts() ?? [];
  const command = piece.at("command")?.text();
  if (entrypoint.length > 0) drafting.runs([...entrypoint, ...(command === undefined ? [] : [command])]);
  else drafting.runsLine(command ?? "", shell ?? "bash");
  const own = piece.at("working_dir")?.text();
  fields.workingDir = drafting.path(
    own === undefined ? folder : isAbsolute(own) || /^[~$]/.test(own) ? own : join(folder, own),
  );
  drafting.variables(common);
  const env = piece.at("environment");
  if (env) drafting.variables(env.pairs());
  const files = [...envFiles, ...(piece.at("env_file")?.texts() ?? [])];
  if (files.length > 0)
    fields.envFile = files.map((file) => drafting.path(isAbsolute(file) ? file : join(folder, file)));
  const description = piece.at("description")?.text();
  if (description) fields.description = description;
  const namespace = piece.at("namespace")?.text();
  if (namespace && namespace !== "default") fields.tags = [namespace];
  if (piece.at("disabled")?.take() === true) fields.wanted = "stop";
  const dependencies = piece.at("depends_on")?.parts ?? [];
  if (dependencies.length > 0)
    fields.dependsOn = dependencies.map((one) => {
      const said = one.at("condition")?.text() ?? "process_started";
      const condition = CONDITIONS[said];
      if (said === "process_completed") drafting.remark(`${one.name} has to complete successfully here.`);
      if (condition === undefined) drafting.remark(`${one.name}: the condition ${said} has no meaning here.`);
      if (!one.isMap) one.take();
      return { server: fitName(one.name), condition: condition ?? "started" };
    });
  readAvailability(piece.at("availability"), drafting);
  const shutdown = piece.at("shutdown");
  const grace = seconds(shutdown?.at("timeout_seconds")?.text());
  const signal = shutdown?.at("signal");
  const word = signal && SIGNALS[Number(signal.value)];
  if (word) signal.take();
  if (grace || word) fields.stop = { ...(word && { signal: word }), ...(grace && { grace }) };
  const readiness = piece.at("readiness_probe");
  const liveness = piece.at("liveness_probe");
  const log = piece.at("ready_log_line")?.text();
  if (readiness) fields.readiness = readProbe(readiness, drafting);
  else if (log) fields.readiness = { type: "log", pattern: log.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") };
  if (liveness) fields.liveness = readProbe(liveness, drafting);
  const said = [fields.readiness, fields.liveness].map((probe) => (isObject(probe) ? probe.port : undefined));
  const port = said.find((one) => typeof one === "number");
  if (typeof port === "number") fields.port = port;
  for (const probe of [fields.readiness, fields.liveness])
    if (isObject(probe) && probe.port === port) delete (probe as { port?: unknown }).port;
  drafting.findPort();
  return drafting.end();
}

function readAvailability(piece: Piece | undefined, drafting: Drafting): void {
  const said = piece?.at("restart")?.text() ?? "no";
  const policy = POLICIES[said] ?? "never";
  if (said === "exit_on_failure") drafting.remark("Its failure ended all others; here it ends alone.");
  const backoff = seconds(piece?.at("backoff_seconds")?.text());
  const most = Number(piece?.at("max_restarts")?.text() ?? 0);
  drafting.fields.restart = {
    policy,
    ...(backoff && { backoffInitial: backoff, backoffMax: backoff }),
    ...(most > 0 && { maxRetriesPerMinute: Math.min(1000, most) }),
  };
}

function readProbe(piece: Piece, drafting: Drafting): object {
  const timing = {
    ...time("interval", piece.at("period_seconds")),
    ...time("timeout", piece.at("timeout_seconds")),
    ...count("failureThreshold", piece.at("failure_threshold")),
  };
  const http = piece.at("http_get");
  if (http) {
    const path = http.at("path")?.text() ?? "/";
    const host = http.at("host")?.text();
    const scheme = http.at("scheme")?.text();
    const port = Number(http.at("port")?.text());
    const isHere = host === undefined || /^(?:127\.\d+\.\d+\.\d+|localhost|0\.0\.0\.0)$/.test(host);
    if (!isHere || scheme?.toLowerCase() === "https")
      return {
        type: "http",
        url: `${scheme?.toLowerCase() ?? "http"}://${host ?? "127.0.0.1"}:${port || 80}${path}`,
        ...(!isHere && { allowRemote: true }),
        ...timing,
      };
    return { type: "http", path, ...(port > 0 && { port }), ...timing };
  }
  const line = piece.at("exec")?.at("command")?.text();
  if (line === undefined) {
    drafting.remark("It has a probe without a check.");
    return { type: "none" };
  }
  return { type: "command", command: "sh", args: ["-c", drafting.say(line)], ...timing };
}

const time = (key: string, piece: Piece | undefined) => {
  const value = seconds(piece?.text());
  return value && value !== "0s" ? { [key]: value } : {};
};
const count = (key: string, piece: Piece | undefined) => {
  const value = Number(piece?.text() ?? 0);
  return value > 0 ? { [key]: value } : {};
};
