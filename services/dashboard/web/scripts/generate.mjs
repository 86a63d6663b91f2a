// Types of what the services answer, from their OpenAPI documents.
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import openapiTS, { astToString } from "openapi-typescript";

const schemas = new URL("../../../../schemas/openapi/", import.meta.url);
const target = new URL("../src/api/schema/", import.meta.url);

mkdirSync(target, { recursive: true });
for (const name of ["auth", "query"]) {
  const document = JSON.parse(readFileSync(new URL(`${name}.json`, schemas), "utf8"));
  // A field with a default may be left out of a request, and is always in an answer: answers list what they require.
  const text = astToString(await openapiTS(document, { defaultNonNullable: false, alphabetize: true }));
  writeFileSync(new URL(`${name}.ts`, target), text);
}
