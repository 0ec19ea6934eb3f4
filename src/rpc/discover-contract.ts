import { z } from "zod";

/** The method that describes all methods, itself included. OpenRPC defines the rest of the document. */
export const discoverContract = {
  "rpc.discover": {
    reads: true,
    summary: "This protocol as an OpenRPC document, made from the schemas that check every call",
    params: z.strictObject({}),
    result: z.looseObject({
      openrpc: z.string(),
      info: z.looseObject({ title: z.string(), version: z.string() }),
      methods: z.array(z.looseObject({ name: z.string() })),
    }),
  },
} as const;
