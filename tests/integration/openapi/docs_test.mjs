// /docs in Chromium: the viewer shows every operation, asks nobody but the daemon, and runs under the policy it is given.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";

const modules = process.env.OFFHOOK_BROWSER_MODULES ?? "build/browser";
const chromium = ["/usr/bin/chromium", "/usr/bin/chromium-browser"].find(existsSync);
if (!existsSync(join(modules, "node_modules/playwright-core")) || !chromium) {
  console.log("no Chromium, or no playwright-core in build/browser; scripts/browser fetches it");
  process.exit(77);
}
const playwright = createRequire(join(modules, "package.json"))("playwright-core");

/** Of a daemon that listens where the kernel says. */
async function started(folder) {
  const config = join(folder, "offhook.toml");
  writeFileSync(config, '[http]\nlisten = "127.0.0.1:0"\n[sip]\nlisten = ["udp:127.0.0.1:0"]\n[media]\nrealtime = false\nworkers = 1\n');
  const daemon = spawn(process.env.OFFHOOK_PROGRAM, ["serve", "--config", config, "--ready-fd", "3"], {
    stdio: ["ignore", "ignore", "ignore", "pipe"],
  });
  let text = "";
  for await (const part of daemon.stdio[3]) {
    text += part;
    if (text.includes("\n")) break;
  }
  return { daemon, origin: /http:\/\/[0-9.]+:\d+/.exec(text)[0] };
}

function check(is, what) {
  if (is) return;
  console.error(`FAILED: ${what}`);
  process.exitCode = 1;
}

const folder = mkdtempSync(join(tmpdir(), "offhook-docs-"));
const { daemon, origin } = await started(folder);
const browser = await playwright.chromium.launch({ executablePath: chromium, args: ["--no-sandbox"] });
try {
  const head = await fetch(`${origin}/docs`);
  check(!head.headers.get("content-security-policy").match(/script-src[^;]*unsafe/), "scripts are our own files alone");
  if (!(await head.text()).includes("viewer.js")) {
    console.log("this build has no page: no Node, or no registry");
    process.exitCode = 77;
  } else {
    const wanted = Object.values((await (await fetch(`${origin}/openapi.json`)).json()).paths).flatMap((item) =>
      Object.values(item).flatMap((operation) => operation.summary ?? []),
    );
    const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
    const asked = [];
    const refused = [];
    page.on("request", (request) => asked.push(request.url()));
    page.on("console", (message) => message.text().includes("Content Security Policy") && refused.push(message.text()));
    await page.goto(`${origin}/docs`);
    await page.waitForFunction(
      (summaries) => {
        const text = document.querySelector("rapi-doc")?.shadowRoot?.textContent ?? "";
        return summaries.every((summary) => text.includes(summary));
      },
      wanted,
      { timeout: 30_000 },
    );
    check(wanted.length > 50, `there are operations: ${wanted.length}`);
    check(asked.length > 3 && asked.every((url) => url.startsWith(`${origin}/`)), `asked elsewhere: ${asked}`);
    check(refused.length === 0, `the policy refuses: ${refused.slice(0, 3)}`);
    if (process.env.OFFHOOK_SCREENSHOTS) await page.screenshot({ path: join(process.env.OFFHOOK_SCREENSHOTS, "docs.png") });
  }
} finally {
  await browser.close();
  daemon.kill("SIGTERM");
  await new Promise((resolve) => daemon.once("exit", resolve));
  rmSync(folder, { recursive: true, force: true });
}
