import { z } from "zod";

/** How the supervisord of a project is reached, with the value of its password; and where it finds its units. */
const supervisordSite = z.strictObject({
  /** `http://host:port/RPC2`, or `unix:///path`. */
  url: z.string(),
  user: z.string().optional(),
  password: z.string().optional(),
  /** Absolute. Absent: it is looked at and operated, and gets no units. */
  includeDir: z.string().optional(),
});
export type SupervisordSite = z.infer<typeof supervisordSite>;

/** What backends have to know beyond the servers. Kept of a project in a file that only the account can read. */
export const backendSettings = z.strictObject({ supervisord: supervisordSite.optional() });
export type BackendSettings = z.infer<typeof backendSettings>;
