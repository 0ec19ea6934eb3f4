/** An MCP server of the legacy era without sessions: each request gets a server of its own, and no session id. */
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import { listen, twoTools } from "./listen.mjs";

listen(async (request, response) => {
  const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: undefined });
  await twoTools("stateless").connect(transport);
  await transport.handleRequest(request, response);
});
