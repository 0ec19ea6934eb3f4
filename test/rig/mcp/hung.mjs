/**
 * Accepts connections and never answers. With `works` as second argument it is a good MCP server of the modern era until
 * SIGUSR2 comes, and hangs from then on.
 */
import { toNodeHandler } from "@modelcontextprotocol/node";
import { createMcpHandler } from "@modelcontextprotocol/server";
import { listen, twoTools } from "./listen.mjs";

let works = process.argv[3] === "works";
process.on("SIGUSR2", () => {
  works = false;
  console.log("hangs");
});

const serve = toNodeHandler(createMcpHandler(() => twoTools("hung")));
listen((request, response) => {
  if (works) return void serve(request, response);
  request.resume();
});
