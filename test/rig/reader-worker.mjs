import { Session } from "node:inspector";
import { parentPort, workerData } from "node:worker_threads";
import { createJiti } from "jiti";

// Reads the texts that it is sent, and says of each that it has ended: a reader that does not holds up nobody but this.
// With `workerData.counts` it also says how many blocks of code that took, by V8's own count: only code that is compiled
// once that has begun is counted, so it begins before anything is loaded.
const session = workerData?.counts ? new Session() : undefined;
const post = (method, params = {}) => {
  let answer;
  session.post(method, params, (error, result) => {
    if (error) throw new Error(error.message);
    answer = result;
  });
  return answer;
};
if (session) {
  session.connect();
  post("Profiler.enable");
  post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
}

/** Blocks that were run since this was asked last. */
function steps() {
  if (!session) return undefined;
  const { result } = post("Profiler.takePreciseCoverage");
  const ranges = result.flatMap(({ functions }) => functions.flatMap((one) => one.ranges));
  return ranges.reduce((sum, { count }) => sum + count, 0);
}

const { READERS } = await createJiti(import.meta.url).import("./readers.ts");

parentPort.on("message", async ({ reader, texts }) => {
  for (const text of texts) {
    try {
      steps();
      await READERS[reader].read(text);
      parentPort.postMessage({ ended: true, steps: steps() });
    } catch (error) {
      parentPort.postMessage({ ended: true, thrown: String(error?.stack ?? error) });
    }
  }
});
parentPort.postMessage({ ready: true });
