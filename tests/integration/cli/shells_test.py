#!/usr/bin/env python3
"""What shells make of `offhook completion`, and the manual: every command is in each."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "doors"))
from offhook import PROGRAM  # noqa: E402

ROOT = Path(__file__).resolve().parents[3]
# offhook is asked for the ids of calls: then nobody is there.
ENVIRONMENT = {**os.environ, "PATH": str(Path(PROGRAM).resolve().parent) + ":" + os.environ["PATH"]}


def completion(shell):
    return subprocess.run([PROGRAM, "completion", shell], check=True, capture_output=True, text=True, timeout=20).stdout


def paths_of(command):
    yield command["path"]
    for inner in command["commands"]:
        yield from paths_of(inner)


def asked(words, environment=None):
    return subprocess.run(words, capture_output=True, text=True, timeout=30, env=environment or ENVIRONMENT, check=False)


class Shells(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.table = json.loads(completion("json"))
        cls.commands = [command["path"].split()[-1] for command in cls.table["commands"]]

    def bash(self, *words):
        """COMPREPLY at the last word."""
        line = " ".join(f"'{word}'" for word in words)
        done = asked(["bash", "-c", f"eval \"$0\"; COMP_WORDS=({line}); COMP_CWORD={len(words) - 1}; _offhook; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
                      completion("bash")])
        self.assertEqual((done.returncode, done.stderr), (0, ""), words)
        return done.stdout.split()

    def test_bash(self):
        self.assertEqual(asked(["bash", "-c", 'eval "$0"; complete -p offhook', completion("bash")]).stdout, "complete -F _offhook offhook\n")
        self.assertTrue(set(self.commands) <= set(self.bash("offhook", "")))
        self.assertEqual(self.bash("offhook", "log"), ["log-level"])
        self.assertEqual(self.bash("offhook", "log-level", "d"), ["debug"])
        self.assertEqual(self.bash("offhook", "calls", "--state", ""), ["live", "ended", "all"])
        self.assertEqual(self.bash("offhook", "token", "n"), ["new"])
        self.assertEqual(self.bash("offhook", "calls", "c-"), [])
        with tempfile.TemporaryDirectory() as folder:
            Path(folder, "a b.toml").touch()
            self.assertEqual(self.bash("offhook", "serve", "--config", folder + "/a"), [folder + "/a", "b.toml"])

    @unittest.skipUnless(shutil.which("fish"), "no fish")
    def test_fish(self):
        def fish(line):
            with tempfile.TemporaryDirectory() as home:
                done = asked(["fish", "--no-config", "-c", f"{completion('fish')}\ncomplete -C '{line}'"], {**ENVIRONMENT, "HOME": home})
            self.assertEqual((done.returncode, done.stderr), (0, ""), line)
            return [word.split("\t")[0] for word in done.stdout.splitlines()]
        self.assertTrue(set(self.commands) <= set(fish("offhook ")))
        self.assertEqual(fish("offhook log-level d"), ["debug"])
        self.assertEqual(fish("offhook token n"), ["new"])
        self.assertEqual(sorted(fish("offhook calls --state ")), ["all", "ended", "live"])

    @unittest.skipUnless(shutil.which("zsh"), "no zsh")
    def test_zsh(self):
        # Without a line editor the functions that offer words are ours: they print them.
        offers = 'compadd() { shift; print -l -- "$@" }\n_describe() { print -l -- "${(@P)@[-1]}" }\n_files() { print files }\n_message() { }\n'

        def zsh(*words):
            line = " ".join(f"'{word}'" for word in words)
            script = (f"compdef() {{ }}\n{offers}{completion('zsh')}\n"
                      f"words=({line}); CURRENT={len(words)}; PREFIX=''; _offhook")
            done = asked(["zsh", "-f", "-c", script])
            self.assertEqual((done.returncode, done.stderr), (0, ""), words)
            return [word.split(":")[0] for word in done.stdout.splitlines()]
        self.assertTrue(set(self.commands) <= set(zsh("offhook", "")))
        self.assertEqual(zsh("offhook", "calls", "--state", ""), ["live", "ended", "all"])
        self.assertIn("new", zsh("offhook", "token", ""))
        self.assertEqual(zsh("offhook", "serve", "--config", ""), ["files"])

    @unittest.skipUnless(shutil.which("scdoc") and shutil.which("mandoc"), "no scdoc or no mandoc")
    def test_the_manual(self):
        for name in ("offhook.1", "offhook.toml.5", "offhook-api.7"):
            with self.subTest(page=name):
                filled = subprocess.run([ROOT / "scripts/manual", "--version", "0", "--program", PROGRAM, "--openapi", sys.argv[1],
                                         ROOT / "docs/man" / (name + ".scd")], check=True, capture_output=True, timeout=30).stdout
                page = subprocess.run(["scdoc"], input=filled, check=True, capture_output=True, timeout=10).stdout
                lint = subprocess.run(["mandoc", "-T", "lint", "-W", "warning"], input=page, capture_output=True, check=False, timeout=10)
                # scdoc writes more paragraphs than it needs.
                found = [line for line in lint.stdout.decode().splitlines() if "skipping paragraph macro" not in line]
                self.assertEqual(found, [])
                if name == "offhook.1":
                    self.heads(page.decode(), paths_of(self.table))
                if name == "offhook-api.7":
                    document = json.loads(Path(sys.argv[1]).read_text())
                    plain = page.decode().replace("\\&", "").replace("\\", "")
                    for path in document["paths"]:
                        self.assertIn(path, plain)

    def heads(self, page, paths):
        heads = {line[4:].replace("\\", "") for line in page.splitlines() if line.startswith(".SS ")}
        self.assertEqual(set(paths) - heads, {"offhook"})


if __name__ == "__main__":
    unittest.main(verbosity=2, argv=sys.argv[:1])
