// The page of operators in Chromium, against the real program and real calls. docs/page.md
import assert from "node:assert/strict";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";

const modules = process.env.OFFHOOK_BROWSER_MODULES;
const chromium = process.env.OFFHOOK_CHROMIUM || "/usr/bin/chromium";
const lack = !existsSync(chromium)
  ? "chromium is not installed: apt install chromium"
  : !existsSync(join(modules, "installed"))
    ? `no npm packages in ${modules}; scripts/browser fetches them`
    : "";
if (lack) {
  console.log(lack);
  process.exit(77);
}
const { callsOf, end, eventually, require, startBrowser, startCaller, startDaemon, stop } = await import("./page_daemon.mjs");
const shots = process.env.OFFHOOK_SCREENSHOTS;
mkdirSync(shots, { recursive: true });

let daemon;
let browser;
const problems = [];

async function open(path = "", options = {}) {
  const context = await browser.newContext({ viewport: { width: 1440, height: 860 }, colorScheme: "dark", permissions: ["microphone"], ...options });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => /Content Security Policy/.test(message.text()) && problems.push(message.text()));
  page.on("request", (request) => new URL(request.url()).host !== daemon.http && /^(http|ws)/.test(request.url()) && problems.push(request.url()));
  await page.goto(`http://${daemon.http}/${path}`);
  return page;
}

const shot = (page, name) => page.screenshot({ path: join(shots, `${name}.png`) });
const rows = (page) => page.locator(".table-rows .row");
const answered = async (many) => {
  await eventually(async () => (await callsOf(daemon)).filter(({ state }) => state === "answered").length === many, `${many} calls`, 60_000);
};

before(async () => {
  daemon = await startDaemon();
  browser = await startBrowser();
});
after(async () => {
  await browser?.close();
  await end();
});

test("no call, then calls, with lamp, levels and age", async () => {
  const page = await open();
  await page.getByText("No calls, and ready for them").waitFor();
  startCaller(daemon, { from: "anna" });
  startCaller(daemon, { from: "bo", args: ["--codec", "PCMA"] });
  await answered(2);
  await page.getByText("All 2 calls are alive").waitFor();
  const row = rows(page).filter({ hasText: "anna" });
  await row.locator(".lamp.on").waitFor();
  assert.match(await row.locator(".lamp").getAttribute("aria-label"), /Alive: last packet \d+ ms ago, from the AI/);
  // Beeps: the meter of the caller moves.
  await eventually(async () => Number(await row.getByRole("meter", { name: "Caller", exact: true }).getAttribute("aria-valuenow")) > -50, "sound of the caller", 10_000);
  assert.match(await row.innerText(), /PCMU/);
  await rows(page).filter({ hasText: "PCMA" }).filter({ hasText: "bo" }).waitFor();
  await shot(page, "calls");
  await page.context().close();
});

test("filter, sort and keys", async () => {
  const page = await open();
  await eventually(async () => (await rows(page).count()) === 2, "two rows");
  await page.keyboard.press("/");
  await page.keyboard.type("bo pcma");
  await eventually(async () => (await rows(page).count()) === 1, "one row");
  await page.keyboard.press("Escape");
  await eventually(async () => (await rows(page).count()) === 2, "two rows again");
  assert.equal(await page.getByRole("searchbox").inputValue(), "");
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: "Caller" }).click();
  await eventually(async () => /anna/.test(await rows(page).first().innerText()), "anna first");
  await page.getByRole("button", { name: "Caller" }).click();
  await eventually(async () => /bo/.test(await rows(page).first().innerText()), "bo first");
  await page.locator("main").focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.locator("main").focus();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await rows(page).nth(1).and(page.locator(".selected")).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /anna/ }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("table", { name: "Calls" }).waitFor();
  await page.context().close();
});

test("a call: diagnosis, timeline, plots, facts", async () => {
  const call = (await callsOf(daemon)).find(({ from }) => from.includes("anna"));
  const page = await open(`#/calls/${call.id}`);
  for (const name of ["Diagnosis", "Timeline", "The way of the sound", "The last minutes", "SIP", "Transport", "Facts", "Recording"]) {
    await page.getByRole("region", { name }).waitFor();
  }
  await page.getByText(call.sip_call_id).waitFor();
  await page.locator(".plot canvas").first().waitFor();
  assert.ok((await page.locator(".plot").count()) >= 4);
  await eventually(async () => /sent (49|50|51)/.test(await page.locator(".plot").first().innerText()), "50 packets a second");
  await page.locator(".timeline li").nth(1).waitFor();
  await shot(page, "call");
  const gone = await open("#/calls/c-000000000000");
  await gone.getByText("There is no such call").waitFor();
  await gone.context().close();
  await page.context().close();
});

test("listen, whisper, leave; hang up after a question", async () => {
  const page = await open();
  const row = rows(page).filter({ hasText: "anna" });
  await row.getByRole("button", { name: /^Listen/ }).click();
  const banner = page.getByRole("region", { name: "Supervision" });
  await banner.getByText("Listening to").waitFor({ timeout: 40_000 });
  await row.getByText("supervised").waitFor();
  await shot(page, "listening");
  await banner.getByRole("button", { name: "Whisper" }).click();
  await banner.getByText("Whispering to").waitFor({ timeout: 40_000 });
  const [channel] = (await daemon.get("/api/v1/channels")).items;
  assert.ok(channel.members.some(({ role }) => role === "whisper"), JSON.stringify(channel.members));
  await banner.getByRole("button", { name: "Leave" }).click();
  await banner.waitFor({ state: "detached" });
  await row.getByRole("button", { name: /^Hang up/ }).click();
  const dialog = page.getByRole("dialog", { name: "Hang up?" });
  await dialog.getByRole("button", { name: "Cancel" }).click();
  assert.equal((await callsOf(daemon)).length, 2);
  await row.getByRole("button", { name: /^Hang up/ }).click();
  await dialog.getByRole("button", { name: "Hang up" }).click();
  await row.waitFor({ state: "detached" });
  assert.equal((await callsOf(daemon)).length, 1);
  await page.context().close();
});

test("barge in and take over", async () => {
  const page = await open();
  const row = rows(page).filter({ hasText: "bo" });
  const banner = page.getByRole("region", { name: "Supervision" });
  await row.getByRole("button", { name: /^Barge in/ }).click();
  await banner.getByText("Speaking in").waitFor({ timeout: 40_000 });
  await banner.getByRole("button", { name: "Take over" }).click();
  await banner.getByText("You took over").waitFor({ timeout: 40_000 });
  await banner.getByRole("button", { name: "Mute", exact: true }).click();
  await banner.getByRole("button", { name: "Unmute" }).waitFor();
  await banner.getByRole("button", { name: "Leave" }).click();
  await banner.waitFor({ state: "detached" });
  await page.context().close();
});

test("narrow, dark and light, and the rules of axe", async (t) => {
  const page = await open("", { viewport: { width: 360, height: 740 } });
  await rows(page).first().waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "it scrolls sideways");
  await shot(page, "calls-phone");
  await page.getByRole("button", { name: /^Colours/ }).click();
  assert.equal(await page.evaluate(() => document.documentElement.dataset.theme), "dark");
  await page.getByRole("link", { name: /bo → echo/ }).click();
  await page.getByRole("heading", { name: /bo/ }).waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360, "a call scrolls sideways");
  await shot(page, "call-phone");
  await page.context().close();
  let axe;
  try {
    axe = require.resolve("axe-core");
  } catch {
    t.diagnostic("axe-core is not there");
    return;
  }
  for (const colorScheme of ["dark", "light"]) {
    const wide = await open("", { colorScheme, bypassCSP: true });
    await rows(wide).first().waitFor();
    await wide.addScriptTag({ path: axe });
    const found = await wide.evaluate(() => window.axe.run({ runOnly: ["wcag2a", "wcag2aa"] }));
    assert.deepEqual(found.violations.map(({ id, nodes }) => `${id}: ${nodes[0].html} ${nodes[0].failureSummary}`), []);
    if (colorScheme === "light") await shot(wide, "calls-light");
    await wide.context().close();
  }
});

test("as the README shows it", async () => {
  for (const [from, ...args] of [["anna"], ["carla", "--codec", "PCMA"], ["dmitri", "--wav", "none"], ["elif", "--codec", "G722"], ["farid", "--srtp"]]) {
    startCaller(daemon, { from, args });
  }
  await answered(6);
  const page = await open();
  await eventually(async () => (await rows(page).count()) === 6, "six rows");
  // Enough of the tape to be seen; the page counts what came.
  await page.waitForFunction(() => performance.now() > 15_000, undefined, { timeout: 30_000 });
  await page.setViewportSize({ width: 1440, height: 460 });
  await shot(page, "readme-calls");
  const call = (await callsOf(daemon)).find(({ from }) => from.includes("anna"));
  await page.goto(`http://${daemon.http}/#/calls/${call.id}`);
  await page.locator(".plot canvas").nth(3).waitFor();
  await page.setViewportSize({ width: 1440, height: 1180 });
  await eventually(async () => /sent (49|50|51)/.test(await page.locator(".plot").first().innerText()), "50 packets a second");
  await shot(page, "readme-call");
  await page.context().close();
});

test("it says when it is stale, and comes back to a daemon that was restarted", async () => {
  const page = await open();
  await rows(page).first().waitFor();
  const listen = daemon.http;
  daemon.kill("SIGSTOP");
  await page.getByText(/Nothing came from the daemon for \d+ s/).waitFor({ timeout: 8_000 });
  await page.locator(".calls.stale").waitFor();
  await shot(page, "stale");
  daemon.kill("SIGCONT");
  await page.locator(".calls.stale").waitFor({ state: "detached" });
  await stop(daemon);
  await page.getByText("The connection to the daemon is lost").waitFor({ timeout: 10_000 });
  daemon = await startDaemon({ listen });
  await page.getByText("The connection to the daemon is lost").waitFor({ state: "detached", timeout: 20_000 });
  await page.getByText("No calls, and ready for them").waitFor();
  await page.context().close();
});

test("200 calls stay smooth", async (t) => {
  startCaller(daemon, { from: "many", calls: 200, rate: 40 });
  await answered(200);
  const page = await open();
  await page.getByText("200 live").waitFor();
  await rows(page).first().waitFor();
  // Only what is in sight exists.
  assert.ok((await rows(page).count()) < 40);
  // What the page itself takes, which a busy machine changes less than the time between frames.
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const spent = async () => {
    const { metrics } = await session.send("Performance.getMetrics");
    const of = (name) => metrics.find((one) => one.name === name).value;
    return { at: of("Timestamp"), task: of("ThreadTime") || of("TaskDuration") };
  };
  const before = await spent();
  const frames = await page.evaluate(async () => {
    const box = document.querySelector(".table");
    const took = [];
    let last = performance.now();
    for (let step = 0; step < 150; ++step) {
      box.scrollTop = (step * 60) % (box.scrollHeight - box.clientHeight);
      await new Promise(requestAnimationFrame);
      took.push(performance.now() - last);
      last = performance.now();
    }
    return took.sort((a, b) => a - b);
  });
  const after = await spent();
  const perFrame = ((after.task - before.task) * 1000) / frames.length;
  t.diagnostic(`while scrolling: ${perFrame.toFixed(1)} ms of the page's thread a frame; between frames median ${frames[75].toFixed(1)} ms`);
  assert.ok(perFrame < 50, `a frame takes ${perFrame} ms`);
  await shot(page, "calls-200");
  await page.context().close();
});

test("nothing broke, and nothing was asked of anybody else", () => {
  assert.deepEqual(problems, []);
});
