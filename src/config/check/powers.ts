import type { Diagnostic } from "../../model/diagnostic.ts";
import { isObject } from "../../model/object.ts";
import { isAuto } from "../../model/port.ts";
import { managerText, type Power } from "../../model/power.ts";
import { isOwnTarget, probeTarget } from "../../model/probe-url.ts";
import { shellWord } from "../../model/text.ts";
import { visible } from "../../model/visible.ts";
import type { DeclaredServer } from "../declared.ts";
import { type KeyPath, placeOf, type Source } from "../place.ts";

/** The powers that a file of data has, in its order. What is of the wrong form has none, and is an error elsewhere. */
export function powersOf(document: Source["document"]): Power[] {
  const place = (path: KeyPath) => placeOf({ document, at: [] }, path);
  const found: Power[] = [];
  for (const [path, map] of mapsIn(document.value)) {
    const { secret, type, command, args } = map;
    if (isObject(secret) && typeof secret.command === "string")
      found.push({ can: "secret", command: secret.command, place: place(path) });
    if (type === "command" && typeof command === "string")
      found.push({
        can: "probe",
        command: commandLine(command, Array.isArray(args) ? args : []),
        place: place(path),
      });
    if (type === "http" && typeof map.url === "string")
      found.push({ can: "request", url: map.url, place: place(path) });
  }
  return [...found, ...managersIn(document.value, place), ...clientsIn(document.value, place)];
}

/** Those of a root, and of its blocks for some machines. */
function managersIn(value: unknown, place: (path: KeyPath) => Power["place"], at: KeyPath = []): Power[] {
  if (!isObject(value)) return [];
  const { supervisord: site, on } = value;
  const blocks: readonly unknown[] = Array.isArray(on) && at.length === 0 ? on : [];
  const others = blocks.flatMap((block, i) => managersIn(block, place, ["on", i]));
  if (!isObject(site)) return others;
  const url = typeof site.url === "string" ? site.url : "its usual address";
  const password = site.password === undefined ? {} : { password: sourceOf(site.password) };
  const includeDir = typeof site.includeDir === "string" ? { includeDir: site.includeDir } : {};
  const own = {
    can: "manager",
    url,
    ...password,
    ...includeDir,
    place: place([...at, "supervisord"]),
  } as const;
  return [own, ...others];
}

/** Files of the account's own: those of a project are in its folder. Of a root, and of its blocks for some machines. */
function clientsIn(value: unknown, place: (path: KeyPath) => Power["place"], at: KeyPath = []): Power[] {
  if (!isObject(value)) return [];
  const { clients, on } = value;
  const blocks: readonly unknown[] = Array.isArray(on) && at.length === 0 ? on : [];
  const own = Object.entries(isObject(clients) ? clients : {}).flatMap(([client, input]): Power[] => {
    const isWritten = input !== false && !(isObject(input) && input.scope === "project");
    return isWritten ? [{ can: "client", client, place: place([...at, "clients", client]) }] : [];
  });
  return [...own, ...blocks.flatMap((block, i) => clientsIn(block, place, ["on", i]))];
}

function sourceOf(password: unknown): string {
  const [secret] = isObject(password) && isObject(password.secret) ? Object.entries(password.secret) : [];
  if (secret === undefined) return "the password that is written there";
  const [kind, value] = secret;
  if (kind === "file") return `the password in the file ${String(value)}`;
  if (kind === "env") return `the password in the variable ${String(value)}`;
  return `the password from the command ${String(value)}`;
}

/** What probes run and ask for, as it is once the defaults are merged in. */
export function probesOf(servers: readonly DeclaredServer[]): Power[] {
  return servers.flatMap(({ input, place }) =>
    (["readiness", "liveness"] as const).flatMap((key): Power[] => {
      const probe = input[key];
      if (typeof probe !== "object") return [];
      if (probe.type === "http" && probe.url !== undefined && !isOwnUrl(probe.url, input))
        return [{ can: "request", url: probe.url, place: place([key]) }];
      if (probe.type !== "command") return [];
      return [{ can: "probe", command: commandLine(probe.command, probe.args), place: place([key]) }];
    }),
  );
}

function isOwnUrl(url: string, { port, host }: DeclaredServer["input"]): boolean {
  const number = port === "none" ? null : isAuto(port) ? 1 : port;
  const target = probeTarget(url, { port: number, allowRemote: true });
  return !("fault" in target) && isOwnTarget(target, { host, port: number });
}

/** Powers that only the merged configuration shows: see {@link probesOf}. */
export const isOfProbe = ({ can }: Power): boolean => can === "probe" || can === "request";

const commandLine = (command: string, args: readonly unknown[]): string =>
  [command, ...args.filter((word) => typeof word === "string")].map(shellWord).join(" ");

/** Every map in a value, with its path, in order. One that several places share is met once. */
function mapsIn(value: unknown): [KeyPath, Readonly<Record<string, unknown>>][] {
  const seen = new Set<unknown>();
  const walk = (node: unknown, path: KeyPath): [KeyPath, Readonly<Record<string, unknown>>][] => {
    if (typeof node !== "object" || node === null || seen.has(node)) return [];
    seen.add(node);
    const inner = Array.isArray(node) ? [...node.entries()] : Object.entries(node);
    const own: [KeyPath, Readonly<Record<string, unknown>>][] = isObject(node) ? [[path, node]] : [];
    return [...own, ...inner.flatMap(([key, child]) => walk(child, [...path, key]))];
  };
  return walk(value, []);
}

/** Everything that is refused until a person agrees, each at its place. */
export function refusals(powers: readonly Power[]): Diagnostic[] {
  return powers.map((power) => ({ severity: "error", message: refusal(power), ...power.place }));
}

function refusal(power: Power): string {
  switch (power.can) {
    case "program":
      return "cannot run this program without your consent: it can do anything that you can do";
    case "include":
      return `cannot include a file from another folder without your consent: ${visible(power.included)}`;
    case "secret":
      return `cannot run this secret command without your consent: ${visible(power.command)}`;
    case "probe":
      return `cannot run this probe command without your consent: ${visible(power.command)}`;
    case "request":
      return `cannot send requests to this url without your consent: ${visible(power.url)}`;
    case "manager":
      return `cannot connect to supervisord without your consent: ${visible(managerText(power))}`;
    case "client":
      return `cannot write into your file of ${visible(power.client)} without your consent`;
  }
}
