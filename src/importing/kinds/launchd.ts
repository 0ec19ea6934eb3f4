import { isObject } from "../../model/object.ts";
import { shellWord } from "../../model/text.ts";
import type { Draft } from "../draft.ts";
import { Drafting } from "../drafting.ts";
import type { Piece } from "../part.ts";
import { type Kind, NO_SETTING, seconds } from "./kind.ts";

export const launchd: Kind = {
  id: "launchd",
  what: "a launchd property list",
  format: "plist",
  fits: (_name, value, text) =>
    /^(?:\uFEFF)?\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)*(?:<!DOCTYPE plist|<plist)/.test(text) ||
    (isObject(value) && "ProgramArguments" in value && "Label" in value),
  read: (top) => {
    const words = [...(top.at("Program")?.texts() ?? [])];
    const args = top.at("ProgramArguments")?.texts() ?? [];
    const all = words.length > 0 ? [...words, ...args.slice(1)] : args;
    const label = top.at("Label")?.text() ?? "server";
    const isTimed = ["StartCalendarInterval", "StartInterval"].some((key) => top.at(key));
    if (all.length === 0)
      return { drafts: [], others: [{ name: label, line: top.line, path: [], why: "it runs no program" }] };
    return { drafts: [readJob(top, all, label, isTimed)], others: [] };
  },
  stops: (_names, file) => [`launchctl bootout gui/$(id -u) ${shellWord(file)}`],
  reason: (path) => REASONS[String(path[0])] ?? NO_SETTING,
};

const REASONS: Readonly<Record<string, string>> = {
  StandardOutPath: "xy keeps its own logs (xy logs)",
  StandardErrorPath: "xy keeps its own logs (xy logs)",
  StandardInPath: "a server of xy reads nothing",
  StartCalendarInterval: "xy starts no server by the clock; write an action with a schedule",
  StartInterval: "xy starts no server by the clock; write an action with a schedule",
  WatchPaths: "xy does not start servers when files change",
  QueueDirectories: "xy does not start servers when files change",
  UserName: "a server runs as the account that applies it",
  GroupName: "a server runs as the account that applies it",
  Sockets: "xy opens no sockets for a server",
  MachServices: "xy opens no ports for a server",
  XySpec: "it is how xy marks its units",
};

function readJob(top: Piece, words: readonly string[], label: string, isTimed: boolean): Draft {
  const project = top.at("XyProject")?.text();
  const name =
    top.at("XyServer")?.text() ??
    (project ? label.replace(`xy.${project}.`, "") : (label.split(".").at(-1) ?? label));
  const drafting = new Drafting(name, top.line, "none");
  const { fields } = drafting;
  const env = top.at("EnvironmentVariables");
  if (env) drafting.variables(env.pairs());
  drafting.runs(words);
  const folder = top.at("WorkingDirectory")?.text();
  fields.workingDir = folder === undefined ? "/" : drafting.path(folder);
  const umask = top.at("Umask");
  if (umask) {
    const value = umask.text() ?? "";
    fields.umask = (typeof umask.value === "number" ? umask.value.toString(8) : value)
      .padStart(4, "0")
      .slice(-4);
  }
  const files = Number(top.at("SoftResourceLimits")?.at("NumberOfFiles")?.text());
  if (Number.isInteger(files) && files >= 16) fields.limits = { openFiles: files };
  const grace = seconds(top.at("ExitTimeOut")?.text());
  if (grace !== undefined) fields.stop = { grace };
  const wait = seconds(top.at("ThrottleInterval")?.text());
  fields.restart = {
    policy: policyOf(top.at("KeepAlive")),
    ...(wait && wait !== "0s" && { backoffInitial: wait, backoffMax: wait }),
  };
  const isOff = top.at("Disabled")?.take() === true;
  const load = top.at("RunAtLoad");
  if (isOff || (load?.value !== true && fields.restart.policy !== "always")) fields.wanted = "stop";
  load?.take();
  if (isTimed) drafting.doubt("launchd starts it by the clock");
  const type = top.at("ProcessType");
  if (type?.value === "Interactive") type.take();
  const session = top.at("LimitLoadToSessionType");
  if (session?.value === "Background") session.take();
  drafting.findPort();
  return drafting.end();
}

/** `KeepAlive` is a word, or conditions. */
function policyOf(piece: Piece | undefined): string {
  if (!piece) return "never";
  if (!piece.isMap) return piece.take() === true ? "always" : "never";
  const success = piece.at("SuccessfulExit");
  const crashed = piece.at("Crashed");
  const said = success?.take();
  if (said === undefined && crashed?.value === true) crashed.take();
  if (said === true) return "always";
  return said === false || crashed?.value === true ? "on-failure" : "never";
}
