import { createRequire } from "node:module";
import { Worker, type WorkerOptions } from "node:worker_threads";

/** How a thread ended. */
export type ThreadOutcome<Answer> =
  | { readonly kind: "answer"; readonly answer: Answer }
  | { readonly kind: "failed"; readonly error: Error }
  /** By itself, without an answer. */
  | { readonly kind: "ended"; readonly code: number }
  | { readonly kind: "aborted" };

/** Runs the worker thread on `workerData` until it answers, or the signal stops it at any point. */
export async function inThread<Answer>(
  options: WorkerOptions,
  { signal, print }: { readonly signal: AbortSignal; readonly print: (text: string) => void },
): Promise<ThreadOutcome<Answer>> {
  if (signal.aborted) return { kind: "aborted" };
  // Its output must not mix with ours.
  const limits = { maxOldGenerationSizeMb: 512 };
  const worker = startWorker({ ...options, stdout: true, stderr: true, resourceLimits: limits });
  worker.stdout.setEncoding("utf8").on("data", print);
  worker.stderr.setEncoding("utf8").on("data", print);
  const over = new AbortController();
  try {
    return await new Promise<ThreadOutcome<Answer>>((settle) => {
      signal.addEventListener("abort", () => settle({ kind: "aborted" }), { signal: over.signal });
      worker.once("message", (answer: Answer) => settle({ kind: "answer", answer }));
      worker.once("error", (error) => settle({ kind: "failed", error }));
      worker.once("exit", (code) => settle({ kind: "ended", code }));
    });
  } finally {
    over.abort();
    await worker.terminate();
  }
}

/**
 * The only place that knows where the code of the thread is: beside this file, as `worker.ts` in the sources and as
 * `config-worker.js` in the bundle, whose files all lie in one folder.
 */
function startWorker(options: WorkerOptions): Worker {
  const self = import.meta.url;
  if (!self.endsWith(".ts")) return new Worker(new URL("./config-worker.js", self), options);
  // Node 20 alone cannot run TypeScript in a thread.
  const jiti = JSON.stringify(createRequire(self).resolve("jiti"));
  const entry = JSON.stringify(new URL("./worker.ts", self).href);
  const bootstrap = `require(${jiti}).createJiti(${entry}).import(${entry})`;
  return new Worker(bootstrap, { ...options, eval: true });
}
