import { basename } from "node:path";
import { fitName } from "../../model/name.ts";
import { STOP_SIGNALS } from "../../model/spec-parts.ts";
import { shellWord } from "../../model/text.ts";
import type { Draft, Other } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { type Kind, milliseconds, NO_SETTING, type Origin } from "./kind.ts";

export const systemd: Kind = {
  id: "systemd",
  what: "a systemd unit",
  format: "unit",
  fits: (name, _value, text) => /\.service$/.test(name) || /^\[(?:Unit|Service)\][ \t\r]*$/m.test(text),
  read: (top, origin) => {
    const name = basename(origin.file)
      .replace(/\.service$/, "")
      .replace(/@$/, "");
    const service = top.at("Service");
    const other = (why: string): { drafts: Draft[]; others: Other[] } => {
      service?.lose(why);
      return { drafts: [], others: [{ name, line: service?.line ?? 1, path: ["Service"], why }] };
    };
    if (!service) return other("it has no [Service], so it runs nothing");
    const starts = lastOf(service.at("ExecStart"));
    const type = String(lastOf(service.at("Type"))?.value ?? "simple");
    if (type === "oneshot") return other("it runs once and ends: write it as an action");
    if (starts === undefined) return other("it has no ExecStart");
    return { drafts: [readService(top, service, name, origin)], others: [] };
  },
  stops: (_names, file) => {
    const isMachines = /^\/(?:etc|usr|lib|run)\//.test(file) && !/\/user\//.test(file);
    return [
      `${isMachines ? "sudo systemctl" : "systemctl --user"} disable --now ${shellWord(basename(file))}`,
    ];
  },
  reason: (path) => REASONS[String(path.at(-1))] ?? REASONS[String(path.at(-2))] ?? NO_SETTING,
};

const HARDENING = "xy isolates no servers; keep the unit, or run it with backend systemd";
const REASONS: Readonly<Record<string, string>> = {
  User: "a server runs as the account that applies it",
  Group: "a server runs as the account that applies it",
  DynamicUser: HARDENING,
  ProtectSystem: HARDENING,
  ProtectHome: HARDENING,
  PrivateTmp: HARDENING,
  NoNewPrivileges: HARDENING,
  ExecStartPre: "xy runs nothing before a start; write it as an action, or a line for a shell",
  ExecStartPost: "xy runs nothing after a start; write it as an action",
  ExecStop: "xy stops with a signal",
  ExecStopPost: "xy runs nothing after a stop",
  ExecReload: "xy has no reload of a program; xy restart restarts it",
  StandardOutput: "xy keeps its own logs (xy logs)",
  StandardError: "xy keeps its own logs (xy logs)",
  SyslogIdentifier: "xy keeps its own logs (xy logs)",
  MemoryMax: "xy has no limit of memory",
  WatchdogSec: "xy asks the program from outside; write a liveness",
  PIDFile: "xy knows its processes without such files",
  Requires: "it names units that are not imported with it",
  Wants: "it names units that are not imported with it",
  After: "it names units that are not imported with it",
  Project: "it is how xy marks its units",
  Spec: "it is how xy marks its units",
  Server: "it is how xy marks its units",
};

/** The last of several lines counts; an empty one clears those before it. */
function lastOf(piece: Piece | undefined): Piece | undefined {
  if (!piece?.isList) return piece;
  return piece.parts.at(-1);
}

/** All lines since the last empty one. */
function allOf(piece: Piece | undefined): Piece[] {
  if (!piece) return [];
  const lines = piece.isList ? piece.parts : [piece];
  const from = lines.findLastIndex((line) => line.value === "") + 1;
  for (const line of lines.slice(0, from)) line.take();
  return lines.slice(from);
}

function readService(top: Piece, service: Piece, fileName: string, { folder }: Origin): Draft {
  const mark = top.at("X-Xy");
  const project = mark?.at("Project")?.text();
  const server = mark?.at("Server")?.text();
  const name = server ?? (project ? fileName.replace(`xy.${project}.`, "") : fileName);
  const starts = allOf(service.at("ExecStart"));
  const line = starts[0]?.text() ?? "";
  for (const more of starts.slice(1)) more.lose("a server is one program");
  const [, prefix = "", rest = ""] = /^([-@:+!|]*)\s*(.*)$/s.exec(line) ?? [];
  const drafting = new Drafting(
    name,
    starts[0]?.line ?? service.line,
    prefix.includes(":") ? "systemd" : "systemd-exec",
  );
  const { fields } = drafting;
  const words = wordsIn(rest);
  if (prefix.includes("@")) words.splice(1, 1);
  if (/[-+!]/.test(prefix))
    drafting.remark(`The ${prefix.replace(/[@:]/g, "")} before its program has no meaning here.`);
  drafting.runs(words);
  // Variables have no $ in them that would be filled in.
  drafting.syntax = "systemd";
  for (const piece of allOf(service.at("Environment")))
    for (const pair of wordsIn(piece.text() ?? "")) {
      const at = pair.indexOf("=");
      if (at > 0) drafting.variable(pair.slice(0, at), pair.slice(at + 1));
    }
  const files = allOf(service.at("EnvironmentFile"));
  if (files.length > 0)
    fields.envFile = files.map((piece) => {
      const path = piece.text() ?? "";
      if (path.startsWith("-"))
        drafting.remark(`${path.slice(1)} may be missing for systemd; here it has to be there.`);
      return drafting.path(path.replace(/^-/, "").replace(/^%E/, "%h/.config"));
    });
  const directory = lastOf(service.at("WorkingDirectory"))?.text()?.replace(/^-/, "");
  fields.workingDir =
    directory === undefined ? (folder.includes("/systemd/system") ? "/" : "~") : drafting.path(directory);
  const umask = lastOf(service.at("UMask"))?.text();
  if (umask !== undefined) fields.umask = umask.padStart(4, "0").slice(-4);
  const files_ = /^(\d+)(?::\d+)?$/.exec(lastOf(service.at("LimitNOFILE"))?.text() ?? "")?.[1];
  if (files_ !== undefined) fields.limits = { openFiles: Number(files_) };
  readRestart(top, service, drafting);
  readStop(service, drafting);
  const described = top.at("Unit")?.at("Description")?.text()?.replaceAll("%%", "%");
  const own = project === undefined ? described : /\((.*)\)$/s.exec(described ?? "")?.[1];
  if (own) fields.description = own;
  if (project !== undefined) readOrder(top, project, drafting);
  const wants = top.at("Install")?.at("WantedBy")?.text();
  if (wants === undefined) fields.wanted = "stop";
  else if (/multi-user/.test(wants))
    drafting.remark('It was a unit of the machine, started at boot: class "system" does that.');
  const type = String(lastOf(service.at("Type"))?.value ?? "");
  if (/^(?:simple|exec|notify|notify-reload|)$/.test(type)) lastOf(service.at("Type"))?.take();
  if (type === "forking")
    drafting.doubt(
      "its program puts itself into the background, where xy would not follow it; give it a flag to stay",
    );
  if (/^notify/.test(type))
    drafting.remark("systemd waits for its own word that it is ready; write a readiness, such as a port.");
  const kill = lastOf(service.at("KillMode"));
  if (kill && /^(?:control-group|mixed)$/.test(String(kill.value))) kill.take();
  drafting.findPort();
  return drafting.end();
}

function readOrder(top: Piece, project: string, { fields }: Drafting): void {
  const unit = top.at("Unit");
  const names = new Set<string>();
  for (const key of ["Wants", "After"])
    for (const piece of allOf(unit?.at(key))) {
      const units = String(piece.value).split(/\s+/).filter(Boolean);
      const ours = units.filter((one) => one.startsWith(`xy.${project}.`));
      if (ours.length === units.length) piece.take();
      for (const one of ours) names.add(one.slice(`xy.${project}.`.length).replace(/\.service$/, ""));
    }
  if (names.size > 0) fields.dependsOn = [...names].map(fitName);
}

function readRestart(top: Piece, service: Piece, { fields }: Drafting): void {
  const word = lastOf(service.at("Restart"))?.text() ?? "no";
  const policy =
    word === "always" ? "always" : word === "no" ? "never" : word === "on-success" ? "never" : "on-failure";
  const good = codesIn(service.at("SuccessExitStatus"));
  const forced = service.at("RestartForceExitStatus");
  const bad = codesIn(forced);
  const wait = span(lastOf(service.at("RestartSec"))?.text());
  const unit = top.at("Unit");
  const gap = unit?.at("StartLimitIntervalSec") ?? service.at("StartLimitInterval");
  const most = unit?.at("StartLimitBurst") ?? service.at("StartLimitBurst");
  const isMinute = span(String(gap?.value ?? "")) === 60_000;
  if (isMinute) gap?.take();
  const burst = isMinute ? Number(most?.text()) : Number.NaN;
  fields.restart = {
    policy,
    ...((good.length > 0 || bad.includes(0)) && {
      successExitCodes: [...(bad.includes(0) ? [] : [0]), ...good],
    }),
    ...(wait !== undefined &&
      policy !== "never" &&
      wait > 0 && { backoffInitial: milliseconds(wait), backoffMax: milliseconds(wait) }),
    ...(Number.isInteger(burst) && burst > 0 && { maxRetriesPerMinute: Math.min(1000, burst - 1) }),
  };
}

function codesIn(piece: Piece | undefined): number[] {
  const words = allOf(piece).flatMap((line) => (line.text() ?? "").split(/\s+/));
  return words
    .map(Number)
    .filter((code, i) => words[i] !== "" && Number.isInteger(code) && code >= 0 && code <= 255);
}

function readStop(service: Piece, { fields }: Drafting): void {
  const piece = lastOf(service.at("KillSignal"));
  const signal = STOP_SIGNALS.find((one) => one === String(piece?.value));
  if (signal) piece?.take();
  const grace = span(lastOf(service.at("TimeoutStopSec"))?.text());
  if (signal || grace !== undefined)
    fields.stop = { ...(signal && { signal }), ...(grace !== undefined && { grace: milliseconds(grace) }) };
}

const UNITS: Readonly<Record<string, number>> = {
  us: 0.001,
  ms: 1,
  s: 1000,
  sec: 1000,
  m: 60_000,
  min: 60_000,
  h: 3_600_000,
  hr: 3_600_000,
};

/** A length of time as systemd writes it, ms: `1min 30s`, `5`, `500ms`. */
function span(text: string | undefined): number | undefined {
  const parts = [...(text ?? "").matchAll(/(\d+(?:\.\d+)?)\s*([a-z]*)/g)];
  if (parts.length === 0) return undefined;
  const sum = parts.reduce(
    (total, [, number, unit = ""]) =>
      total + Number(number) * (UNITS[unit === "" ? "s" : unit] ?? Number.NaN),
    0,
  );
  return Number.isFinite(sum) ? sum : undefined;
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  s: " ",
  "\\": "\\",
  '"': '"',
  "'": "'",
};

/** Splits as systemd does: quotes, and escapes as in C. */
function wordsIn(line: string): string[] {
  const words: string[] = [];
  let word: string | undefined;
  let quote = "";
  for (let i = 0; i < line.length; i++) {
    const char = line[i] as string;
    if (char === "\\") {
      const [all, hex, four, octal, one = ""] =
        /^\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|([0-7]{3})|(.))/s.exec(line.slice(i)) ?? [];
      const code = hex ?? four;
      const value =
        code !== undefined
          ? Number.parseInt(code, 16)
          : octal !== undefined
            ? Number.parseInt(octal, 8)
            : undefined;
      word = (word ?? "") + (value !== undefined ? String.fromCharCode(value) : (ESCAPES[one] ?? `\\${one}`));
      i += (all?.length ?? 1) - 1;
    } else if (quote !== "") {
      if (char === quote) quote = "";
      else word += char;
    } else if (char === '"' || char === "'") {
      quote = char;
      word ??= "";
    } else if (/\s/.test(char)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else word = (word ?? "") + char;
  }
  if (word !== undefined) words.push(word);
  return words;
}
