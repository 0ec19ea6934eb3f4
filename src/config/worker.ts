import { parentPort, workerData } from "node:worker_threads";
import { type DataRequest, readData } from "./data.ts";
import { type Config, type ConfigContext, defineConfig, secret } from "./define.ts";
import { type PlainProblem, plainData } from "./plain.ts";

/**
 * Entry of the thread in which one configuration file is read without harm to xy: a program, which may throw, hang, print
 * or exit, or data that takes long. Answers once.
 */

export type WorkerRequest = ProgramRequest | { readonly data: DataRequest };

export interface ProgramRequest {
  readonly file: string;
  readonly context: ConfigContext;
  /** Where the translator keeps what it made, by the text it was made from. */
  readonly translations: string | null;
}

export type ProgramAnswer =
  | { readonly kind: "value"; readonly value: unknown; readonly problems: readonly PlainProblem[] }
  | { readonly kind: "nothing" }
  /** `stack` has the message and, on the lines after it, the places. */
  | { readonly kind: "thrown"; readonly message: string; readonly stack: string };

async function evaluate({ file, context, translations }: ProgramRequest): Promise<ProgramAnswer> {
  const { createJiti } = await import("jiti");
  const jiti = createJiti(file, {
    // The folder it would use by itself is shared by all users, who could put other code there.
    fsCache: translations ?? false,
    interopDefault: false,
    sourceMaps: true,
    virtualModules: { xyctl: { defineConfig, secret } },
  });
  const module = await jiti.import<{ default?: Config }>(file);
  if (!("default" in module)) return { kind: "nothing" };
  const config = typeof module.default === "function" ? await module.default(context) : await module.default;
  return { kind: "value", ...plainData(config) };
}

function thrown(error: unknown): ProgramAnswer {
  if (!(error instanceof Error)) return { kind: "thrown", message: briefly(String(error)), stack: "" };
  const stack = typeof error.stack === "string" ? briefly(error.stack) : "";
  return { kind: "thrown", message: briefly(`${error.name}: ${error.message}`), stack };
}

/** A program may throw more than there is memory to hand over. */
const briefly = (text: string) => text.slice(0, 64 * 1024);

const request = workerData as WorkerRequest;
const answer = "data" in request ? await readData(request.data) : await evaluate(request).catch(thrown);
// The thread is ended once it has answered: what the program printed has to be out before.
for (const stream of [process.stdout, process.stderr])
  await new Promise((written) => stream.write("", written));
parentPort?.postMessage(answer);
