import { withoutUndefined } from "../../model/without-undefined.ts";
import { show } from "../check/issues.ts";

/** A line as a shell splits it. */
interface Taken {
  readonly words: readonly string[];
  /** The first thing in it that needs a shell. */
  readonly sign?: string;
  /** It had quotes that only a shell takes away. */
  readonly quoted: boolean;
}

/** Signs that only a shell understands, outside quotes. */
const SIGN = /\|\||&&|\$\(|\$\{?[A-Za-z_]\w*\}?|[|;<>`]/y;
const ASSIGNMENT = /^[A-Za-z_]\w*=/;
/** Words that only a shell carries out. */
const BUILTINS: readonly string[] = ["cd", "export", "source", ".", "exec", "set", "ulimit", "unset"];
/** `C:\tools\x.exe`, `.\run.bat`, `\\host\share\x.exe` */
const WINDOWS = /^(?:[A-Za-z]:[\\/]|\.{1,2}\\|\\\\)/;

/**
 * Why a command that was not found cannot be one program, and what to write instead; undefined if it may be a missing
 * program. `key`: the setting that holds it. `isProgram` says whether a word by itself can be run.
 */
export async function shellLineFault(
  command: string,
  key: string,
  isProgram: (word: string) => Promise<boolean>,
): Promise<string | undefined> {
  if (WINDOWS.test(command))
    return "it is a Windows path, and xy does not run there; write a path on this machine";
  if (command.trim() === "") return "it is blank; write the program to run";
  if (command.trim() !== command && !/\s/.test(command.trim()))
    return "it begins or ends with whitespace; remove it";
  const { words, sign, quoted } = taken(command);
  const [first = "", ...rest] = words;
  if (rest.length === 0 && quoted)
    return `the quotes are part of the name; write ${show(first)} without them`;
  if (rest.length === 0 && first.includes("/"))
    return sign?.startsWith("$")
      ? `nothing fills in ${sign}; write the path itself, or begin it with ~`
      : undefined;
  const inShell = `write the program "sh", and put "-c" and this line into args`;
  const theOthers =
    key === "interpreter" ? "write a list of its words" : "put the words after the first into args";
  if (BUILTINS.includes(first)) {
    const folder = first === "cd" ? "put the folder into working-dir, or " : "";
    return `it is not run in a shell, and only a shell knows ${first}; ${folder}${inShell}`;
  }
  if (sign !== undefined) return `it is not run in a shell, and only a shell knows ${sign}; ${inShell}`;
  if (rest.length === 0) return undefined;
  if (ASSIGNMENT.test(first)) {
    const name = first.slice(0, first.indexOf("="));
    return `it is not run in a shell; put ${name} into env, leave only the program here, and put the words after it into args`;
  }
  const fault = `it must be one program, not a command line; ${theOthers}`;
  const isLine =
    !first.includes("/") || rest.some((word) => word.startsWith("-")) || (await isProgram(first));
  return isLine ? fault : undefined;
}

/** The line as messages show it, without assigned values, which may be secrets. */
export function shownLine(command: string): string {
  return show(command.replace(/(\b[A-Za-z_]\w*=)(?:"[^"]*"|'[^']*'|\S)+/g, "$1…"));
}

/** In one pass. */
function taken(line: string): Taken {
  const words: string[] = [];
  let word: string | undefined;
  let sign: string | undefined;
  let quote = "";
  let quoted = false;
  const signs = new RegExp(SIGN);
  for (let i = 0; i < line.length; i++) {
    const c = line[i] as string;
    if (quote !== "") {
      if (c === quote) quote = "";
      else word += c;
    } else if (c === '"' || c === "'") {
      [quote, quoted] = [c, true];
      word ??= "";
    } else if (/\s/.test(c)) {
      if (word !== undefined) words.push(word);
      word = undefined;
    } else {
      sign ??= signAt(line, i, signs);
      word = (word ?? "") + c;
    }
  }
  if (word !== undefined) words.push(word);
  return { words, quoted, ...withoutUndefined({ sign }) };
}

/** A bare `&` is one only between words: it is in many addresses. */
function signAt(line: string, at: number, signs: RegExp): string | undefined {
  signs.lastIndex = at;
  const found = signs.exec(line)?.[0];
  if (found !== undefined) return found;
  return line[at] === "&" && /^&(?:\s|$)/.test(line.slice(at, at + 2)) ? "&" : undefined;
}
