/** An MCP server that shows nothing without authorization. */
import { listen } from "./listen.mjs";

listen((request, response) => {
  request.resume();
  response.writeHead(401, {
    "Content-Type": "application/json",
    "WWW-Authenticate": 'Bearer resource_metadata="http://127.0.0.1/.well-known/oauth-protected-resource"',
  });
  response.end(JSON.stringify({ error: "invalid_token", error_description: "Missing Authorization header" }));
});
