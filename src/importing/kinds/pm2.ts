import { basename, extname, isAbsolute, join } from "node:path";
import { isObject } from "../../model/object.ts";
import { shellWord } from "../../model/text.ts";
import type { Draft } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { shlexWords } from "../shell-words.ts";
import { type Kind, milliseconds, NO_SETTING, type Origin } from "./kind.ts";

/** What pm2 runs a script with, by its extension. */
const INTERPRETERS: Readonly<Record<string, string>> = {
  ".js": "node",
  ".cjs": "node",
  ".mjs": "node",
  ".ts": "bun",
  ".tsx": "bun",
  ".py": "python3",
  ".rb": "ruby",
  ".pl": "perl",
  ".sh": "bash",
  ".php": "php",
};
const isApp = (value: unknown): boolean =>
  isObject(value) && ("script" in value || "pm_exec_path" in value || "cmd" in value);

export const pm2: Kind = {
  id: "pm2",
  what: "a pm2 file",
  format: "yaml",
  fits: (_name, value) =>
    isApp(value) ||
    (Array.isArray(value) && value.some(isApp)) ||
    (isObject(value) && Array.isArray(value.apps) && value.apps.some(isApp)),
  read: (top, origin) => {
    const apps = top.at("apps") ?? top;
    const list = apps.isList ? apps.parts : [apps];
    return {
      others: [],
      drafts: list.flatMap((app) =>
        app.at("pm_exec_path") ? readDumped(app, origin) : isApp(app.value) ? readApp(app, origin) : [],
      ),
    };
  },
  stops: (names) => [`pm2 delete ${names.map(shellWord).join(" ")}`, "pm2 save"],
  reason: (path) => {
    const key = String(path.at(-1));
    if (/^env_/.test(key))
      return "it is for another environment; write an on block, or a second configuration";
    if (key === "deploy") return "xy deploys nothing";
    return REASONS[key] ?? NO_SETTING;
  },
};

const REASONS: Readonly<Record<string, string>> = {
  watch: "xy does not restart servers when files change",
  ignore_watch: "xy does not restart servers when files change",
  watch_delay: "xy does not restart servers when files change",
  instances: "a server is one process; declare a server for each",
  max_memory_restart: "xy has no limit of memory",
  cron_restart: "xy restarts nothing by the clock; write an action with a schedule",
  cron: "xy restarts nothing by the clock; write an action with a schedule",
  exec_mode: "a server is one process of its own",
  out_file: "xy keeps its own logs (xy logs)",
  error_file: "xy keeps its own logs (xy logs)",
  output: "xy keeps its own logs (xy logs)",
  error: "xy keeps its own logs (xy logs)",
  log_file: "xy keeps its own logs (xy logs)",
  log: "xy keeps its own logs (xy logs)",
  pid_file: "xy knows its processes without such files",
  merge_logs: "xy keeps one log for each server",
  combine_logs: "xy keeps one log for each server",
  log_date_format: "xy logs has its own times",
  time: "xy logs has its own times",
  wait_ready: "xy asks the port, not the process; write a readiness",
  listen_timeout: "xy waits as start-timeout says",
  source_map_support: "give node --enable-source-maps in args",
  treekill: "xy always ends all processes of a server",
  uid: "a server runs as the account that applies it",
  gid: "a server runs as the account that applies it",
};

function readApp(app: Piece, { folder }: Origin): Draft[] {
  const script = app.first("script", "cmd")?.text() ?? "";
  const name = app.at("name")?.text() ?? basename(script, extname(script));
  const drafting = new Drafting(name, app.line, "none");
  const cwd = app.first("cwd")?.text();
  const at = cwd === undefined ? folder : isAbsolute(cwd) ? cwd : join(folder, cwd);
  const args = wordsOf(app.first("args"), drafting);
  const [program = "", ...scriptArgs] = script.includes(" ") ? (shlexWords(script) ?? [script]) : [script];
  const path = isAbsolute(program) || !/[/.]/.test(program) ? program : join(at, program);
  const said = app.first("interpreter", "exec_interpreter")?.text();
  const nodeArgs = wordsOf(app.first("node_args", "interpreter_args", "interpreterArgs"), drafting);
  const interpreter = said === "none" ? undefined : (said ?? INTERPRETERS[extname(program)]);
  drafting.runs([...(interpreter ? [interpreter, ...nodeArgs] : []), path, ...scriptArgs, ...args]);
  drafting.fields.workingDir = drafting.path(at);
  common(app, drafting);
  const env = app.at("env");
  if (env) drafting.variables(env.pairs());
  const mode = app.at("exec_mode");
  if (mode && /^fork/.test(String(mode.value))) mode.take();
  const instances = app.at("instances");
  if (instances && Number(instances.value) === 1) instances.take();
  if (app.at("watch")?.value === false) app.at("watch")?.take();
  drafting.findPort();
  return [drafting.end()];
}

/** An entry of `pm2 dump`: what pm2 knows of a program, with its whole environment in it twice. */
function readDumped(app: Piece, origin: Origin): Draft[] {
  const path = app.at("pm_exec_path")?.text() ?? "";
  const drafting = new Drafting(app.at("name")?.text() ?? basename(path, extname(path)), app.line, "none");
  const interpreter = app.first("exec_interpreter")?.text();
  const nodeArgs = wordsOf(app.first("node_args"), drafting);
  const args = wordsOf(app.at("args"), drafting);
  const program =
    interpreter && /(?:^|\/)(?:node|bun|python3?|ruby|perl|bash|php)$/.test(interpreter)
      ? basename(interpreter)
      : interpreter;
  drafting.runs([...(program && program !== "none" ? [program, ...nodeArgs] : []), path, ...args]);
  drafting.fields.workingDir = drafting.path(app.at("pm_cwd")?.text() ?? origin.folder);
  common(app, drafting);
  const env = app.at("env");
  const inherited = isObject(env?.value) ? env.value : {};
  const own = app.at("current_conf")?.at("env") ?? env;
  for (const [name, { text, piece }] of own?.pairs() ?? []) {
    if (ofPm2(name)) piece.lose("pm2 has set it for itself");
    else if (OF_SHELL.test(name)) piece.lose("it is of the shell in which pm2 was started");
    else drafting.variable(name, text, piece);
  }
  for (const piece of app.parts) {
    const isCopy =
      piece.name in inherited || (typeof piece.value !== "object" && /^[A-Z][A-Z0-9_]*$/.test(piece.name));
    if (isCopy) piece.take();
    else if (OF_PM2.has(piece.name) || /^(?:axm_|pm_|vizion|prev_restart|versioning)/.test(piece.name))
      piece.lose("it is what pm2 knows of itself");
  }
  drafting.findPort();
  return [drafting.end()];
}

const OF_PM2 = new Set([
  "status",
  "restart_time",
  "unstable_restarts",
  "created_at",
  "unique_id",
  "km_link",
  "exit_code",
  "node_version",
  "version",
  "instance_var",
  "filter_env",
  "env",
  "current_conf",
  "windowsHide",
  "automation",
  "treekill",
  "pmx",
  "username",
  "namespace",
  "command",
  "killed",
  "updateEnv",
]);
const ofPm2 = (name: string) =>
  /^(?:PM2_|pm_|NODE_APP_INSTANCE$|axm_|unique_id$|vizion$|windowsHide$|instance_var$)/.test(name) ||
  !/^[A-Z_][A-Z0-9_]*$/.test(name);
/** What every process of a shell has. */
const OF_SHELL =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|PWD|OLDPWD|SHLVL|_|TERM|LANG|LC_\w+|DISPLAY|SSH_\w+|XDG_\w+|DBUS_\w+|COLORTERM|HOSTNAME|MAIL|LS_COLORS|LESS\w*|EDITOR|npm_\w+)$/;

function common(app: Piece, drafting: Drafting): void {
  const { fields } = drafting;
  const number = (...keys: string[]) => {
    const value = Number(app.first(...keys)?.text());
    return Number.isFinite(value) && value >= 0 ? value : undefined;
  };
  const restarts = app.at("autorestart")?.take() !== false;
  const codes = wordsOf(app.at("stop_exit_codes"), drafting)
    .map(Number)
    .filter((code) => Number.isInteger(code) && code >= 0 && code <= 255);
  const delay = number("restart_delay") || number("exp_backoff_restart_delay");
  const most = number("max_restarts");
  const least = number("min_uptime");
  fields.restart = {
    policy: restarts ? (codes.length > 0 ? "on-failure" : "always") : "never",
    ...(codes.length > 0 && { successExitCodes: codes }),
    ...(delay &&
      restarts && { backoffInitial: milliseconds(delay), backoffMax: milliseconds(Math.max(delay, 30_000)) }),
    ...(most !== undefined && restarts && { maxRetriesPerMinute: Math.min(1000, Math.round(most)) }),
    ...(least && restarts && { resetAfter: milliseconds(least) }),
  };
  const grace = number("kill_timeout");
  // pm2 asks with SIGINT.
  fields.stop = { signal: "SIGINT", ...(grace && { grace: milliseconds(grace) }) };
  const namespace = app.at("namespace")?.text();
  if (namespace !== undefined && namespace !== "default") fields.tags = [namespace];
  if (app.at("disabled")?.take() === true || app.at("autostart")?.take() === false) fields.wanted = "stop";
}

function wordsOf(piece: Piece | undefined, drafting: Drafting): string[] {
  if (piece === undefined) return [];
  if (piece.isList) return piece.texts();
  const text = piece.text() ?? "";
  const words = shlexWords(text);
  if (words === undefined) drafting.doubt(`a quote is open in ${piece.name}`);
  return words ?? [text];
}
