// Redocly's rules over the bundled document; any finding is a failure.
//
//   node lint.mjs openapi.json PACKAGES
import { createRequire } from "node:module";
import { resolve } from "node:path";
import process from "node:process";

const [file, packages] = process.argv.slice(2);
const { createConfig, formatProblems, lint } = createRequire(resolve(packages, "package.json"))("@redocly/openapi-core");
const config = await createConfig({
  extends: ["recommended-strict"],
  rules: {
    // A WebSocket answers 101 and nothing of 2xx; tests/integration/openapi sees to it that each has one of them.
    "operation-2xx-response": "off",
    "no-invalid-media-type-examples": { severity: "error", allowAdditionalProperties: false },
    "no-invalid-schema-examples": "error",
    "no-unused-components": "error",
    "operation-operationId": "error",
    "operation-operationId-unique": "error",
    "operation-singular-tag": "error",
    "tag-description": "error",
    "operation-tag-defined": "error",
    "parameter-description": "error",
    "no-ambiguous-paths": "off", // role is a route of its own beside {action}: another scope
  },
});
const problems = await lint({ ref: file, config });
formatProblems(problems, {
  format: "stylish",
  totals: { errors: problems.length, warnings: 0, ignored: 0 },
});
console.log(`${problems.length} finding(s) of Redocly's rules`);
process.exit(problems.length === 0 ? 0 : 1);
