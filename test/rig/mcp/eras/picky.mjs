// A server over stdin and stdout of the versions with sessions: what comes before `initialize` ends it, as some do.
import { createInterface } from "node:readline";

const send = (id, result) => process.stdout.write(`${JSON.stringify({ jsonrpc: "2.0", id, result })}\n`);
let isInitialized = false;
console.error("up");

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, method, params } = JSON.parse(line);
  if (!isInitialized && method !== "initialize") process.exit(3);
  isInitialized = true;
  if (method === "initialize")
    send(id, {
      protocolVersion: params.protocolVersion,
      capabilities: { tools: {} },
      serverInfo: { name: "picky", version: "1" },
    });
  else if (id !== undefined) send(id, { tools: [{ name: "one", inputSchema: { type: "object" } }] });
});
