import { mkdtempSync, rmSync } from "node:fs";
import { Session } from "node:inspector";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import { rolldown } from "rolldown";

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

/** Made into one file: to translate each of the sources by itself takes five times as long. */
async function load(source) {
  const bundle = await rolldown({
    input: fileURLToPath(new URL(source, import.meta.url)),
    platform: "node",
    resolve: { mainFields: ["module", "main"] },
    logLevel: "silent",
  });
  const folder = mkdtempSync(join(tmpdir(), "readers-"));
  const file = join(folder, "readers.mjs");
  try {
    await bundle.write({ file, codeSplitting: false });
    await bundle.close();
    return await import(pathToFileURL(file).href);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const { READERS } = await load("./readers.ts");

// Libraries make errors by the thousand that nobody sees: finding out where each was made takes longer than to read.
Error.stackTraceLimit = 0;

/** What reading a text throws, with where. */
async function thrownBy(read, text) {
  const shown = (error) => String(error?.stack ?? error);
  try {
    await read(text);
    return undefined;
  } catch (first) {
    Error.stackTraceLimit = 10;
    try {
      await read(text);
      return shown(first);
    } catch (error) {
      return shown(error);
    } finally {
      Error.stackTraceLimit = 0;
    }
  }
}

parentPort.on("message", async ({ reader, texts }) => {
  for (const text of texts) {
    steps();
    const thrown = await thrownBy(READERS[reader].read, text);
    parentPort.postMessage({ ended: true, thrown, steps: steps() });
  }
});
parentPort.postMessage({ ready: true });
