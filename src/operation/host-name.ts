import { hostname } from "node:os";
import { readText } from "../config/read/document.ts";
import type { Diagnostic } from "../model/diagnostic.ts";
import { hostAdvice, isHostWord } from "../model/machine-words.ts";
import { isTaken } from "../system/files.ts";
import { type Environment, hostNamePath, pathsOf } from "../system/paths.ts";

/** The name of this machine that a configuration sees. A network may give it another name than the next one does. */
export interface HostName {
  /** Without the domain. */
  readonly name: string;
  /** Who says so: the network, the caller by `XY_HOST`, or a file of this path. */
  readonly from: "network" | "XY_HOST" | (string & {});
  /** Why the name that a person wrote cannot be used; `name` is then the one from the network. */
  readonly fault?: Diagnostic;
}

/** A line of a file that holds one short name, bytes. */
const LONGEST_FILE = 1024;

/** The caller's word counts more than the file in the state folder, and that more than the network. */
export function hostNameOf(env: Environment): HostName {
  const network = hostname().split(".")[0] ?? "";
  const said = env.XY_HOST;
  if (said !== undefined && said !== "") {
    if (isHostWord(said)) return { name: said, from: "XY_HOST" };
    return faulty(
      network,
      "XY_HOST",
      `cannot use XY_HOST=${quoted(said)} as the name of this machine: ${hostAdvice(said)}`,
    );
  }
  const file = hostNamePath(pathsOf(env).state);
  if (!isTaken(file)) return { name: network, from: "network" };
  const read = readText(file, "write the name of this machine there, or remove it", { most: LONGEST_FILE });
  if ("refusal" in read)
    return faulty(network, file, `cannot read the name of this machine: ${read.refusal}`);
  const name = read.text.replace(/\r?\n$/, "");
  if (isHostWord(name)) return { name, from: file };
  const wayOut = /[\n\r]/.test(name) || name === "" ? "write one line with a short name" : hostAdvice(name);
  return faulty(network, file, `cannot use ${quoted(name)} as the name of this machine: ${wayOut}`);
}

const quoted = (text: string) => JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);

function faulty(name: string, from: string, message: string): HostName {
  const place = from === "XY_HOST" ? {} : { file: from, line: 1, column: 1 };
  return { name, from, fault: { severity: "error", message, ...place } };
}
