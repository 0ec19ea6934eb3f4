/**
 * An MCP server with one transport for all: it takes one `initialize` in its life, and answers 400 to the next; 404 when
 * the session was ended in between.
 */
import { randomUUID } from "node:crypto";
import { NodeStreamableHTTPServerTransport } from "@modelcontextprotocol/node";
import { listen, twoTools } from "./listen.mjs";

const transport = new NodeStreamableHTTPServerTransport({ sessionIdGenerator: randomUUID });
await twoTools("single-session").connect(transport);
listen((request, response) => void transport.handleRequest(request, response));
