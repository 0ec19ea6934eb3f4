import { parentPort, workerData } from "node:worker_threads";
import { type Config, type ConfigContext, defineConfig, secret } from "./define.ts";
import { type PlainProblem, plainData } from "./plain.ts";

/**
 * Entry of the thread in which one configuration program is evaluated: it may throw, hang, print or exit
 * without harm to xy. Answers once.
 */

export interface WorkerRequest {
  readonly file: string;
  readonly context: ConfigContext;
  /** Where the translator keeps what it made, by the text it was made from. */
  readonly translations: string | null;
}

export type WorkerAnswer =
  | { readonly kind: "value"; readonly value: unknown; readonly problems: readonly PlainProblem[] }
  | { readonly kind: "nothing" }
  /** `stack` has the message and, on the lines after it, the places. */
  | { readonly kind: "thrown"; readonly message: string; readonly stack: string };

async function evaluate({ file, context, translations }: WorkerRequest): Promise<WorkerAnswer> {
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

function thrown(error: unknown): WorkerAnswer {
  if (!(error instanceof Error)) return { kind: "thrown", message: String(error), stack: "" };
  const stack = typeof error.stack === "string" ? error.stack : "";
  return { kind: "thrown", message: `${error.name}: ${error.message}`, stack };
}

const answer = await evaluate(workerData as WorkerRequest).catch(thrown);
// The thread is ended once it has answered: what the program printed has to be out before.
for (const stream of [process.stdout, process.stderr])
  await new Promise((written) => stream.write("", written));
parentPort?.postMessage(answer);
