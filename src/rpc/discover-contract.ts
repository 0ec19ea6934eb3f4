import { z } from "zod";

/** The method that tells of all methods, itself too. What else is in the document is OpenRPC's to say. */
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
