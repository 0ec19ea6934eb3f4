/** A server over stdin and stdout that speaks the versions with sessions alone, written with the official package. */

import { completable } from "@modelcontextprotocol/sdk/server/completable.js";
import { McpServer, ResourceTemplate } from "@modelcontextprotocol/sdk/server/mcp.js";
import { StdioServerTransport } from "@modelcontextprotocol/sdk/server/stdio.js";
import { SubscribeRequestSchema, UnsubscribeRequestSchema } from "@modelcontextprotocol/sdk/types.js";
import { z } from "zod";

/** Clients tell of progress in a moment of their own. */
const passed = () => new Promise((resolve) => setTimeout(resolve, 20));
const text = (said) => ({ content: [{ type: "text", text: String(said) }] });

const mcp = new McpServer(
  { name: "legacy", version: "1.2.3" },
  {
    capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } },
    instructions: "Ask it anything.",
  },
);
const subscriptions = new Set();
mcp.server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
  subscriptions.add(params.uri);
  return {};
});
mcp.server.setRequestHandler(UnsubscribeRequestSchema, ({ params }) => {
  subscriptions.delete(params.uri);
  return {};
});
const later = mcp.registerTool("later", { description: "Comes and goes." }, () => text("here"));
later.disable();
mcp.registerTool("echo", { description: "Echo", inputSchema: { said: z.string() } }, ({ said }) =>
  text(said),
);
mcp.registerTool("fail", { description: "Fails" }, () => {
  throw new Error("it fails");
});
mcp.registerTool("pid", { description: "Pid" }, () => text(process.pid));
mcp.registerTool(
  "steps",
  { description: "Tells how far it is", inputSchema: { count: z.number() } },
  async ({ count }, { _meta, sendNotification }) => {
    const token = _meta?.progressToken;
    for (let progress = 1; progress <= count; progress++) {
      await passed();
      if (token !== undefined)
        await sendNotification({
          method: "notifications/progress",
          params: { progressToken: token, progress, total: count },
        });
    }
    await passed();
    return text(`done ${count}`);
  },
);
mcp.registerTool(
  "hang",
  { description: "Until it is cancelled" },
  async ({ signal, _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken;
    await sendNotification({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    return new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        console.error("cancelled");
        resolve(text("cancelled"));
      });
    });
  },
);
mcp.registerTool("log", { description: "Writes to the log" }, async () => {
  await mcp.sendLoggingMessage({ level: "debug", data: "little" });
  await mcp.sendLoggingMessage({ level: "error", data: "much" });
  return text("logged");
});
mcp.registerTool("change", { description: "Changes what there is" }, () => {
  if (later.enabled) later.disable();
  else later.enable();
  return text("changed");
});
mcp.registerTool("touch", { description: "Changes a resource" }, async () => {
  if (subscriptions.has("note://one")) await mcp.server.sendResourceUpdated({ uri: "note://one" });
  return text("touched");
});
// It asks whatever its client said that it can do: a client that is one of several is asked through a bridge.
const ask = async (method, params, schema) => mcp.server.request({ method, params }, schema);
mcp.registerTool("elicit", { description: "Asks the person" }, async () => {
  const answer = await ask(
    "elicitation/create",
    {
      mode: "form",
      message: "Who are you?",
      requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
    },
    z.object({ action: z.string(), content: z.any() }),
  );
  return text(`${answer.action} ${answer.content?.name}`);
});
mcp.registerTool("sample", { description: "Asks the model" }, async () => {
  const answer = await ask(
    "sampling/createMessage",
    { messages: [{ role: "user", content: { type: "text", text: "a word" } }], maxTokens: 5 },
    z.object({ model: z.string(), content: z.any() }),
  );
  return text(`${answer.model}: ${answer.content.text}`);
});
mcp.registerTool("roots", { description: "Asks for folders" }, async () => {
  const { roots } = await ask(
    "roots/list",
    undefined,
    z.object({ roots: z.array(z.object({ uri: z.string() })) }),
  );
  return text(roots.map(({ uri }) => uri).join());
});
mcp.registerResource("one", "note://one", { mimeType: "text/plain" }, (uri) => ({
  contents: [{ uri: uri.href, text: "first" }],
}));
mcp.registerResource(
  "any",
  new ResourceTemplate("note://any/{name}", { list: undefined }),
  { mimeType: "text/plain" },
  (uri, { name }) => ({ contents: [{ uri: uri.href, text: String(name) }] }),
);
mcp.registerPrompt(
  "greet",
  {
    argsSchema: {
      name: completable(z.string(), (value) => ["Ada", "Alan"].filter((one) => one.startsWith(value))),
    },
  },
  ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Hello ${name}` } }] }),
);

await mcp.connect(new StdioServerTransport());
