import jsonSchema from "@json-schema-tools/meta-schema/schema.json" with { type: "json" };
import * as metaSchema from "@open-rpc/meta-schema";
import { Ajv } from "ajv";
import { describe, expect } from "vitest";
import packageJson from "../../package.json" with { type: "json" };
import type { Agent } from "../rig/agent.ts";
import { Api } from "../rig/openrpc.ts";
import { testInTurn } from "../rig/test.ts";

const test = testInTurn();

// Their types tell of documents, and not of this.
const { openrpcDocument } = metaSchema as unknown as { openrpcDocument: object };

const discovered = async (agent: Agent) => Api.of(await agent.client(), {});

describe("what the agent says of itself", () => {
  test("is an OpenRPC document", async ({ agent }) => {
    const { document } = await discovered(agent);
    const ajv = new Ajv({ strict: false, validateFormats: false });
    ajv.addMetaSchema(jsonSchema);
    // It is referred to by both names.
    ajv.addSchema({ ...jsonSchema, $id: jsonSchema.$id.replace(/\/$/, "") });
    const isValid = ajv.compile(openrpcDocument);
    expect(isValid(document), ajv.errorsText(isValid.errors)).toBe(true);
    expect(isValid({ ...document, methods: [{ name: "no params" }] })).toBe(false);
  });

  test("is of this version, and of this agent", async ({ agent }) => {
    const { document } = await discovered(agent);
    const { version, license } = packageJson;
    expect(document).toMatchObject({
      info: { version, license: { name: license } },
      servers: [{ url: `unix://${agent.record.socket}` }],
    });
  });

  test("has examples that are as it says", async ({ agent }) => {
    const api = await discovered(agent);
    const tried = api.document.methods.flatMap((method) =>
      (method.examples ?? []).map(({ name, params, result }) => {
        const given = Object.fromEntries(params.map((param) => [param.name, param.value]));
        return [name, ...api.faultsOfParams(method, given), ...api.faultsOfResult(method, result.value)];
      }),
    );
    expect(tried.length).toBeGreaterThan(3);
    expect(tried.filter(([, ...faults]) => faults.length > 0)).toEqual([]);
  });

  test("names the params that a method needs, and has those that go together whole", async ({ agent }) => {
    const { document } = await discovered(agent);
    const start = document.methods.find(({ name }) => name === "start");
    expect(start?.params.map(({ name, required }) => `${name}${required ? "" : "?"}`)).toEqual([
      ...["name?", "project?", "replace_existing_jobs?", "no_deps?", "names?", "all?"],
    ]);
    expect(start?.["x-params"].anyOf?.map(({ required }) => required)).toEqual([
      ["name"],
      ["names"],
      ["all"],
    ]);
    const apply = document.methods.find(({ name }) => name === "apply");
    expect(apply?.params.filter(({ required }) => required).map(({ name }) => name)).toEqual([
      ...["project", "server", "action"],
    ]);
  });
});
