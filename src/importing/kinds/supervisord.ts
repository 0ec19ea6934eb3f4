import { isAbsolute, join } from "node:path";
import { STOP_SIGNALS } from "../../model/spec-parts.ts";
import { shellWord } from "../../model/text.ts";
import { formatSize } from "../../model/units.ts";
import type { Draft, Other } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { shlexWords } from "../shell-words.ts";
import { type Kind, NO_SETTING, type Origin, ownName, seconds } from "./kind.ts";

export const supervisord: Kind = {
  id: "supervisord",
  what: "a supervisord configuration",
  format: "ini",
  fits: (_name, _value, text) =>
    /^[ \t]*\[(?:program:[^\]\n]+|supervisord|eventlistener:[^\]\n]+|fcgi-program:[^\]\n]+)\]/m.test(text),
  read: (top, origin) => {
    const drafts: Draft[] = [];
    const others: Other[] = [];
    for (const section of top.parts) {
      const [kind, name] = /^([\w-]+)(?::(.*))?$/.exec(section.name)?.slice(1) ?? [];
      if (kind === "program" && name) {
        const draft = readProgram(section, name.trim(), origin);
        if (draft) drafts.push(draft);
        else others.push({ name, line: section.line, path: section.path, why: "it has no command" });
      } else {
        const why = SECTIONS[kind ?? ""] ?? "it is about supervisord itself";
        section.lose(why);
        if (kind === "fcgi-program" || kind === "eventlistener")
          others.push({ name: name ?? section.name, line: section.line, path: section.path, why });
      }
    }
    return { drafts, others };
  },
  stops: (names) => [`supervisorctl stop ${names.map(shellWord).join(" ")}`],
  reason: (path) => REASONS[String(path.at(-1))] ?? NO_SETTING,
};

const SECTIONS: Readonly<Record<string, string>> = {
  group: "xy has no groups; tags select several servers",
  eventlistener: "it listens to events of supervisord, which only supervisord has",
  "fcgi-program": "supervisord opens a socket for it, which xy does not",
};
const LOGS = "xy keeps its own logs (xy logs)";
const REASONS: Readonly<Record<string, string>> = {
  user: "a server runs as the account that applies it",
  numprocs: "a server is one process; declare a server for each",
  numprocs_start: "a server is one process; declare a server for each",
  process_name: "a server is one process, with the name of the server",
  priority: "depends-on gives an order",
  redirect_stderr: LOGS,
  stdout_logfile: LOGS,
  stderr_logfile: LOGS,
  stdout_capture_maxbytes: LOGS,
  stderr_capture_maxbytes: LOGS,
  stdout_events_enabled: "xy has no such events",
  stderr_events_enabled: "xy has no such events",
  stdout_syslog: LOGS,
  stderr_syslog: LOGS,
  serverurl: "it is about supervisord itself",
};

function readProgram(section: Piece, name: string, { folder }: Origin): Draft | undefined {
  const command = section.at("command")?.text();
  if (command === undefined) {
    section.lose("it has no command");
    return undefined;
  }
  const drafting = new Drafting(ownName(name), section.line, "supervisord");
  const { fields } = drafting;
  const known = (text: string) => filled(text, name, folder);
  const environment = section.at("environment");
  if (environment)
    for (const [variable, value] of environmentIn(known(environment.text() ?? "")))
      drafting.variable(variable, value);
  const words = shlexWords(known(command));
  if (words === undefined || words.length === 0) {
    drafting.runs([command]);
    drafting.doubt("a quote is open in its command");
  } else drafting.runs(words);
  const directory = section.at("directory")?.text();
  if (directory !== undefined) {
    const at = known(directory).replace(/^~(?=\/|$)/, "{home}");
    fields.workingDir = drafting.path(
      isAbsolute(at) || at.startsWith("{home}") || at.startsWith("%")
        ? at.replace("{home}", "~")
        : join(folder, at),
    );
  } else fields.workingDir = drafting.path(folder);
  const umask = section.at("umask")?.text();
  if (umask !== undefined) fields.umask = umask.padStart(4, "0").slice(-4);
  readRestart(section, drafting);
  readStop(section, drafting);
  readLogs(section, drafting);
  if (section.at("autostart")?.text()?.toLowerCase() === "false") fields.wanted = "stop";
  const instances = section.at("numprocs");
  if (instances && String(instances.value) === "1") instances.take();
  const process = section.at("process_name");
  if (
    process &&
    /^(?:%\(program_name\)s|%\(program_name\)s_%\(process_num\)\w+)$/.test(String(process.value))
  )
    process.take();
  drafting.findPort();
  return drafting.end();
}

/** What stands for the program and the file is known here. */
function filled(text: string, name: string, folder: string): string {
  const escaped = (value: string) => value.replaceAll("%", "%%");
  return text
    .replaceAll("%(program_name)s", escaped(name))
    .replaceAll("%(group_name)s", escaped(name))
    .replaceAll("%(here)s", escaped(folder))
    .replace(/%\(process_num\)0?\d*d/g, "0");
}

/** `A="x, y",B='z',C=1`: whatever quotes are at the ends of a value are no part of it. */
function environmentIn(text: string): [string, string][] {
  return [...text.matchAll(/\s*([^=,\s]+)\s*=\s*("[^"]*"|'[^']*'|[^,]*?)\s*(?:,|$)/g)].map(
    ([, name = "", value = ""]) => [name, value.replace(/^['"]+|['"]+$/g, "")],
  );
}

function readRestart(section: Piece, { fields }: Drafting): void {
  const word = section.at("autorestart")?.text()?.toLowerCase() ?? "unexpected";
  const policy = word === "true" ? "always" : word === "false" ? "never" : "on-failure";
  const codes = (section.at("exitcodes")?.text() ?? "0")
    .split(",")
    .map((code) => Number(code.trim()))
    .filter((code) => Number.isInteger(code) && code >= 0 && code <= 255);
  const tries = Number(section.at("startretries")?.text() ?? 3);
  const least = seconds(section.at("startsecs")?.text());
  fields.restart = {
    policy,
    successExitCodes: codes,
    ...(policy !== "never" &&
      Number.isFinite(tries) && { maxRetriesPerMinute: Math.min(1000, Math.max(0, Math.round(tries))) }),
    ...(policy !== "never" &&
      least !== undefined &&
      least !== "0s" &&
      least !== "1s" && { resetAfter: least }),
  };
}

function readStop(section: Piece, { fields }: Drafting): void {
  const word = section.at("stopsignal");
  const signal = `SIG${String(word?.value ?? "TERM")
    .replace(/^SIG/i, "")
    .toUpperCase()}`;
  const isKnown = STOP_SIGNALS.some((one) => one === signal);
  if (isKnown) word?.take();
  else word?.lose("xy does not stop with this signal");
  const grace = seconds(section.at("stopwaitsecs")?.text()) ?? "10s";
  fields.stop = { ...(isKnown && { signal }), grace };
  for (const key of ["stopasgroup", "killasgroup"]) {
    const piece = section.at(key);
    // xy always ends all processes of a server.
    if (String(piece?.value).toLowerCase() === "true") piece?.take();
    else piece?.lose("xy always ends all processes of a server");
  }
}

/** The limits of both files are the same here. */
function readLogs(section: Piece, { fields }: Drafting): void {
  const size = section.at("stdout_logfile_maxbytes")?.text();
  const keep = section.at("stdout_logfile_backups")?.text();
  for (const key of ["maxbytes", "backups"]) {
    const other = section.at(`stderr_logfile_${key}`);
    const same = section.at(`stdout_logfile_${key}`);
    if (other && String(other.value) === String(same?.value)) other.take();
    else other?.lose("both streams are in one log");
  }
  const bytes = /^(\d+)\s*([KMG]?)B?$/i.exec(size?.trim() ?? "");
  const unit = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[(bytes?.[2] ?? "").toUpperCase()] ?? 1;
  const total = bytes ? Number(bytes[1]) * unit : 0;
  const count = Number(keep);
  if (total >= 1024 || (keep !== undefined && Number.isInteger(count)))
    fields.logs = {
      ...(total >= 1024 && { maxSize: formatSize(total) }),
      ...(keep !== undefined && Number.isInteger(count) && { keep: Math.min(1000, count) }),
    };
}
