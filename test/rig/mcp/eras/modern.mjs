/** A server over stdin and stdout that speaks the version without sessions alone, written with the official package. */
import {
  completable,
  inputRequired,
  inputResponse,
  McpServer,
  ResourceTemplate,
} from "@modelcontextprotocol/server";
import { serveStdio } from "@modelcontextprotocol/server/stdio";
import { z } from "zod";

/** Clients tell of progress in a moment of their own. */
const passed = () => new Promise((resolve) => setTimeout(resolve, 20));
const text = (said) => ({ content: [{ type: "text", text: String(said) }] });

/** `--both`: it speaks the versions with sessions as well. */
const legacy = process.argv.includes("--both") ? "serve" : "reject";

function server() {
  const mcp = new McpServer(
    { name: "modern", version: "1.2.3" },
    {
      capabilities: { logging: {}, resources: { subscribe: true, listChanged: true } },
      instructions: "Ask it anything.",
    },
  );
  const later = mcp.registerTool("later", { description: "Comes and goes." }, () => text("here"));
  later.disable();
  mcp.registerTool("echo", { description: "Echo", inputSchema: z.object({ said: z.string() }) }, ({ said }) =>
    text(said),
  );
  mcp.registerTool("fail", { description: "Fails" }, () => {
    throw new Error("it fails");
  });
  mcp.registerTool("pid", { description: "Pid" }, () => text(process.pid));
  mcp.registerTool(
    "steps",
    { description: "Tells how far it is", inputSchema: z.object({ count: z.number() }) },
    async ({ count }, ctx) => {
      const token = ctx.mcpReq._meta?.progressToken;
      for (let progress = 1; progress <= count; progress++) {
        await passed();
        if (token !== undefined)
          await ctx.mcpReq.notify({
            method: "notifications/progress",
            params: { progressToken: token, progress, total: count },
          });
      }
      await passed();
      return text(`done ${count}`);
    },
  );
  mcp.registerTool("hang", { description: "Until it is cancelled" }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    await ctx.mcpReq.notify({ method: "notifications/progress", params: { progressToken, progress: 1 } });
    return new Promise((resolve) => {
      ctx.mcpReq.signal.addEventListener("abort", () => {
        console.error("cancelled");
        resolve(text("cancelled"));
      });
    });
  });
  mcp.registerTool("log", { description: "Writes to the log" }, async (ctx) => {
    await ctx.mcpReq.log("debug", "little");
    await ctx.mcpReq.log("error", "much");
    return text("logged");
  });
  mcp.registerTool("change", { description: "Changes what there is" }, () => {
    if (later.enabled) later.disable();
    else later.enable();
    return text("changed");
  });
  mcp.registerTool("touch", { description: "Changes a resource" }, async () => {
    await mcp.server.sendResourceUpdated({ uri: "note://one" });
    return text("touched");
  });
  mcp.registerTool("elicit", { description: "Asks the person" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "name");
    if (answer.kind === "elicit")
      return text(`${answer.action} ${answer.content?.name} ${ctx.mcpReq.requestState()}`);
    return inputRequired({
      inputRequests: {
        name: inputRequired.elicit({
          message: "Who are you?",
          requestedSchema: { type: "object", properties: { name: { type: "string" } }, required: ["name"] },
        }),
      },
      requestState: "state 1",
    });
  });
  mcp.registerTool("sample", { description: "Asks the model" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "word");
    if (answer.kind === "sampling") return text(`${answer.result.model}: ${answer.result.content.text}`);
    return inputRequired({
      inputRequests: {
        word: inputRequired.createMessage({
          messages: [{ role: "user", content: { type: "text", text: "a word" } }],
          maxTokens: 5,
        }),
      },
    });
  });
  mcp.registerTool("roots", { description: "Asks for folders" }, (ctx) => {
    const answer = inputResponse(ctx.mcpReq.inputResponses, "roots");
    if (answer.kind === "roots") return text(answer.roots.map(({ uri }) => uri).join());
    return inputRequired({ inputRequests: { roots: inputRequired.listRoots() } });
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
      argsSchema: z.object({
        name: completable(z.string(), (value) => ["Ada", "Alan"].filter((one) => one.startsWith(value))),
      }),
    },
    ({ name }) => ({ messages: [{ role: "user", content: { type: "text", text: `Hello ${name}` } }] }),
  );
  return mcp;
}

serveStdio(server, { legacy });
