import { createRequire } from "node:module";
import { Worker, type WorkerOptions } from "node:worker_threads";

/**
 * Starts the thread that evaluates configuration programs. The only place that knows where its code is: beside
 * this file, as `worker.ts` in the sources and as `config-worker.js` in the bundle, whose files all lie in one folder.
 */
export function startConfigWorker(options: WorkerOptions): Worker {
  const self = import.meta.url;
  if (!self.endsWith(".ts")) return new Worker(new URL("./config-worker.js", self), options);
  // Node 20 cannot run TypeScript in a thread by itself.
  const jiti = JSON.stringify(createRequire(self).resolve("jiti"));
  const entry = JSON.stringify(new URL("./worker.ts", self).href);
  const bootstrap = `require(${jiti}).createJiti(${entry}, { fsCache: false }).import(${entry})`;
  return new Worker(bootstrap, { ...options, eval: true });
}
