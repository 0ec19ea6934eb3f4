import { parentPort } from "node:worker_threads";
import { createJiti } from "jiti";

// Reads the texts that it is sent, and says of each that it has ended: a reader that does not holds up nobody but this.
const { READERS } = await createJiti(import.meta.url).import("./readers.ts");

parentPort.on("message", async ({ reader, texts }) => {
  for (const text of texts) {
    try {
      await READERS[reader].read(text);
      parentPort.postMessage({ ended: true });
    } catch (error) {
      parentPort.postMessage({ ended: true, thrown: String(error?.stack ?? error) });
    }
  }
});
parentPort.postMessage({ ready: true });
