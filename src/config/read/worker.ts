import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import type { KeyPath } from "../place.ts";
import { type DataRequest, readData } from "./data.ts";
import { type PlainProblem, plainData } from "./plain.ts";
import { type Config, type ConfigContext, defineConfig, secret } from "./xyctl.ts";

/**
 * Entry of the thread that reads one configuration file, so that it cannot harm xy: a program may throw, hang, print or
 * exit, and data may take long. Answers once.
 */

export type WorkerRequest = ProgramRequest | { readonly data: DataRequest };

export interface ProgramRequest {
  /** Real path: its imports are relative to that, as in Node. */
  readonly file: string;
  readonly context: ConfigContext;
  /** Where the compiler caches its output, by source text. */
  readonly translations: string | null;
}

export type ProgramAnswer =
  | {
      readonly kind: "value";
      readonly value: unknown;
      readonly problems: readonly PlainProblem[];
      readonly absent?: readonly KeyPath[];
    }
  | { readonly kind: "nothing" }
  /** `stack` has the message and, on the lines after it, the places. */
  | { readonly kind: "thrown"; readonly message: string; readonly stack: string };

async function evaluate({ file, context, translations }: ProgramRequest): Promise<ProgramAnswer> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(file, {
    // Its default folder is shared by all users, who could put other code there.
    fsCache: translations ?? false,
    // What a module of CommonJS exports is what an import gets as its default.
    interopDefault: true,
    sourceMaps: true,
    // Beside the program alone: in a folder above, another account may have put one.
    tsconfigPaths: join(dirname(file), "tsconfig.json"),
    virtualModules: { xyctl: { defineConfig, secret } },
  });
  const exported = exportedBy(await jiti.import<unknown>(file));
  if (exported === undefined || (isEmpty(exported.config) && exportsNothing(file)))
    return { kind: "nothing" };
  const { config } = exported;
  const value = typeof config === "function" ? await (config as ConfigFunction)(context) : await config;
  return { kind: "value", ...plainData(value) };
}

type ConfigFunction = Extract<Config, (...args: never[]) => unknown>;

/** The configuration of a module: its default export, or what a module of CommonJS is as a whole. */
function exportedBy(module: unknown): { readonly config: unknown } | undefined {
  if (typeof module !== "object" || module === null) return { config: module };
  if ("default" in module) {
    // A translator may have put a default export into one of CommonJS, and Node that into another.
    const inner = module.default;
    const isWrapped = typeof inner === "object" && inner !== null && "default" in inner;
    return { config: isWrapped ? inner.default : inner };
  }
  // A module with this mark has exports, but no default one.
  return Object.hasOwn(module, "__esModule") ? undefined : { config: module };
}

/** A module of CommonJS that says nothing exports an empty object. */
const exportsNothing = (file: string): boolean => !/\bexports?\b/.test(readFileSync(file, "utf8"));
const isEmpty = (value: unknown): boolean =>
  typeof value === "object" &&
  value !== null &&
  !(value instanceof Promise) &&
  Object.keys(value).length === 0;

function thrown(error: unknown): ProgramAnswer {
  if (!(error instanceof Error)) return { kind: "thrown", message: briefly(String(error)), stack: "" };
  const stack = typeof error.stack === "string" ? briefly(error.stack) : "";
  return { kind: "thrown", message: briefly(`${error.name}: ${error.message}`), stack };
}

/** A program may throw more than fits into memory twice. */
const briefly = (text: string) => text.slice(0, 64 * 1024);

const request = workerData as WorkerRequest;
const answer = "data" in request ? await readData(request.data) : await evaluate(request).catch(thrown);
// The thread is ended once it has answered: what the program printed has to be out before.
for (const stream of [process.stdout, process.stderr])
  await new Promise((written) => stream.write("", written));
parentPort?.postMessage(answer);
