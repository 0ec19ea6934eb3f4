import { leftText } from "../../model/leftover.ts";
import { RPC_ERRORS, RpcError } from "../../rpc/errors.ts";
import { causeText } from "../../system/shortage.ts";
import type { Registry } from "../servers/registry.ts";
import { isDown } from "../servers/rest.ts";
import type { Supervised } from "../servers/supervised.ts";
import { type Applied, done } from "./apply-request.ts";
import { awaitRest } from "./stopping.ts";

/** `reason`: why. */
export async function removeServer(
  registry: Registry,
  server: Supervised,
  reason = "an apply removes it",
): Promise<Applied> {
  const ran = !isDown(server);
  server.cease("stop", { reason });
  await awaitRest(server);
  if (!isDown(server)) {
    throw new RpcError(
      RPC_ERRORS.internalError,
      `cannot remove ${server.spec.name}: it was started again meanwhile`,
    );
  }
  const left = leftText(server.leftovers);
  try {
    await registry.remove(server);
  } catch (error) {
    throw new RpcError(
      RPC_ERRORS.internalError,
      `cannot remove ${server.spec.name}: ${causeText(error)}; it was stopped, but its record is still there`,
    );
  }
  return done(`${ran ? "stopped and removed" : "removed"}${left === undefined ? "" : `; ${left}`}`);
}

export async function stopServer(
  server: Supervised,
  wish?: Parameters<Supervised["cease"]>[1],
): Promise<Applied> {
  const ran = !isDown(server);
  const why = server.operator === "stop" ? "its operator holds it" : "its configuration wants it stopped";
  server.cease("stop", wish ?? { reason: `an apply stopped it: ${why}` });
  await awaitRest(server);
  if (server.operator === "stop") return done(ran ? "stopped: it is held" : "not started: it is held");
  return done(ran ? "stopped" : "not started: it is wanted stopped");
}
