import type { Machine } from "../../model/machine.ts";
import { own } from "../../model/own.ts";
import type { EnvValue, SecretValues } from "../../model/spec-parts.ts";
import type { KeyPath } from "../place.ts";

/** What the kernel takes of a process that is started: execve(2). */

/** Longest argument or variable with its name, bytes, without the NUL at its end. Only Linux has a bound for one. */
const LONGEST = 128 * 1024 - 1;
/**
 * Most of all of them together, bytes: a quarter of the usual stack on Linux, ARG_MAX on macOS. A little is left for what
 * stands between: a keeper, a shell, a service manager.
 */
const MOST = { linux: 2 * 1024 * 1024, macos: 1024 * 1024, other: 1024 * 1024 };
const MARGIN = 16 * 1024;
/** Each has a pointer too. */
const POINTER = 8;

interface Started {
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, EnvValue>>;
}

interface LimitFault {
  readonly path: KeyPath;
  readonly message: string;
  /** The value is another one on another machine. */
  readonly isSecret: boolean;
}

/** What of a process the system would refuse to start. `secrets`: values that are known. */
export function limitFaults(
  { program, args, env }: Started,
  secrets: SecretValues,
  os: Machine["os"],
): LimitFault[] {
  const faults: LimitFault[] = [];
  let total = sizeOf(program) * 2;
  const take = (text: string, path: KeyPath, what: string, isSecret = false) => {
    const size = sizeOf(text);
    total += size + 1 + POINTER;
    if (os === "linux" && size > LONGEST)
      faults.push({ path, isSecret, message: `cannot pass ${what}: it has ${size} bytes, ${TAKES_ONE}` });
  };
  for (const [i, arg] of args.entries()) take(arg, ["args", i], `argument ${i + 1}`);
  for (const [name, written] of Object.entries(env)) {
    const isSecret = typeof written !== "string";
    const value = isSecret ? own(secrets, name) : written;
    if (value === undefined) continue;
    const path = isSecret && "envFile" in written.secret ? ["envFile"] : ["env", name];
    take(`${name}=${value}`, path, `env.${name}`, isSecret);
  }
  const most = MOST[os] - MARGIN;
  // One that is too long on its own has been reported as such.
  if (total <= most || faults.length > 0) return faults;
  const message = `cannot pass all arguments and variables: together they are ${total} bytes, and the system accepts about ${most}; move some of them to a file`;
  return [{ path: ["args"], message, isSecret: false }];
}

const TAKES_ONE = `and the system accepts at most ${LONGEST}; shorten it, or move it to a file`;
const sizeOf = (text: string) => Buffer.byteLength(text);
