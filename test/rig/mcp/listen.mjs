/** What the MCP servers of the tests have in common: a port to listen on, and two tools to show. */
import { createServer } from "node:http";
import { McpServer } from "@modelcontextprotocol/server";

/** Serves on the port given as argument, or by PORT; says so in one line. */
export function listen(handle) {
  const server = createServer(handle);
  const port = Number(process.argv[2] ?? process.env.PORT);
  server.on("error", (error) => {
    console.error(`cannot listen: ${error.message}`);
    process.exit(4);
  });
  server.listen(port, "127.0.0.1", () => console.log(`listens on ${port}`));
}

export function twoTools(name) {
  const server = new McpServer({ name, version: "1.2.3" });
  for (const tool of ["first", "second"])
    server.registerTool(tool, { description: tool }, () => ({ content: [{ type: "text", text: tool }] }));
  return server;
}
