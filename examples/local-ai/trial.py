#!/usr/bin/env python3
"""How well is a grammar recognised through a telephone line? Draws sentences from it, has espeak-ng say them in several
voices and speeds, passes them through 8 kHz mu-law, has offhook-local-ai hear them, and prints what share came back
word for word, and which voices and words were worst. Another word for the menu? Try it in a file first:

    examples/local-ai/trial.py --program build/examples/local-ai/offhook-local-ai --grammar candidates.gram

Needs espeak-ng and sox (scripts/setup test). The same seed gives the same recordings."""

import argparse
import collections
import concurrent.futures
import json
import os
import random
import re
import subprocess
import sys
import tempfile

VOICES = ["en-us", "en-gb", "en-gb-x-rp", "en-gb-scotland", "en-us+f2", "en-us+f3", "en-us+m3", "en-us+m7"]
SPEEDS = [130, 150, 170]


class Grammar:
    """Draws sentences from a JSGF grammar: rules, alternatives, groups and options, which is what ours are made of."""

    def __init__(self, text):
        self.rules = {name: self.parse(body) for name, body in re.findall(r"<(\w+)>\s*=\s*(.*?);", text, re.S)}
        self.public = re.search(r"public\s+<(\w+)>", text).group(1)

    def parse(self, body):
        body = re.sub(r"/[\d.]+/", "", body)  # weights
        tokens = re.findall(r"<\w+>|[()\[\]|]|[^\s()\[\]|<>]+", body)

        def alternatives():
            found = [[]]
            while tokens and tokens[0] not in (")", "]"):
                token = tokens.pop(0)
                if token == "|":
                    found.append([])
                elif token in ("(", "["):
                    inner = alternatives()
                    tokens.pop(0)
                    found[-1].append(inner if token == "(" else [*inner, []])
                else:
                    found[-1].append(token)
            return found

        return alternatives()

    def draw(self, dice, alternatives=None):
        words = []
        for part in dice.choice(alternatives or self.rules[self.public]):
            if isinstance(part, list):
                words += self.draw(dice, part)
            elif part.startswith("<"):
                words += self.draw(dice, self.rules[part[1:-1]])
            else:
                words.append(part)
        return words

    def sentences(self, dice, count):
        """Each alternative of the public rule as often as the others."""
        tops = self.rules[self.public]
        return [" ".join(self.draw(dice, [tops[i % len(tops)]])) for i in range(count)]


def record(words, voice, speed, path, is_telephone):
    line = ["-r", "8000", "-e", "mu-law", "-b", "8"] if is_telephone else ["-r", "16000"]
    speech = subprocess.run(["espeak-ng", "-v", voice, "-s", str(speed), "--stdout", words], stdout=subprocess.PIPE, check=True)
    sent = subprocess.run(["sox", "-R", "--ignore-length", "-t", "wav", "-", *line, "-t", "wav", "-", "pad", "0.4", "0.8"],
                          input=speech.stdout, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True)
    subprocess.run(["sox", "-R", "--ignore-length", "-t", "wav", "-", "-e", "signed", "-b", "16", path],
                   input=sent.stdout, stderr=subprocess.DEVNULL, check=True)
    return path


def hear(program, grammar, paths):
    done = subprocess.run([program, "hear", "--json", "--grammar", grammar, *paths], stdout=subprocess.PIPE, text=True, check=True)
    return [" ".join(words or "-" for words in json.loads(line)["heard"]) for line in done.stdout.splitlines()]


def share(good, all_of_them):
    return f"{100 * good / all_of_them:5.1f} % of {all_of_them}"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", default="build/examples/local-ai/offhook-local-ai")
    parser.add_argument("--grammar", default="caller", help="caller, answers, or a JSGF file")
    parser.add_argument("--count", type=int, default=20, help="sentences for each voice and speed")
    parser.add_argument("--voice", action="append", help="instead of the usual ones; may be repeated")
    parser.add_argument("--speed", action="append", type=int, help="words per minute; the same")
    parser.add_argument("--clean", action="store_true", help="16 kHz without mu-law, for comparison")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--least", type=float, default=0, help="exit 1 below this percentage")
    options = parser.parse_args()

    if options.grammar in ("caller", "answers"):
        text = subprocess.run([options.program, "grammar", options.grammar], stdout=subprocess.PIPE, text=True, check=True).stdout
    else:
        with open(options.grammar, encoding="utf-8") as file:
            text = file.read()
    dice = random.Random(options.seed)
    said = [(voice, speed, words) for voice in options.voice or VOICES for speed in options.speed or SPEEDS
            for words in Grammar(text).sentences(dice, options.count)]
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        paths = list(pool.map(lambda job: record(job[1][2], job[1][0], job[1][1], f"{folder}/{job[0]}.wav", not options.clean),
                              enumerate(said)))
        parts = [paths[i:i + 50] for i in range(0, len(paths), 50)]
        heard = [words for part in pool.map(lambda part: hear(options.program, options.grammar, part), parts) for words in part]

    good, voices, words_of = 0, collections.defaultdict(lambda: [0, 0]), collections.defaultdict(lambda: [0, 0])
    for (voice, speed, words), back in zip(said, heard):
        is_same = back == words
        good += is_same
        voices[f"{voice} at {speed}"][0] += is_same
        voices[f"{voice} at {speed}"][1] += 1
        for word in set(words.split()):
            words_of[word][0] += word in back.split()
            words_of[word][1] += 1
        if not is_same:
            print(f"{voice} at {speed}: said '{words}', heard '{back}'")
    for title, table in (("voices", voices), ("words", words_of)):
        worst = [(name, g, n) for name, (g, n) in sorted(table.items(), key=lambda item: item[1][0] / item[1][1]) if g < n]
        for name, g, n in worst[:12]:
            print(f"  {title}: {name:24} {share(g, n)}")
    print(f"word for word: {share(good, len(said))}")
    sys.exit(100 * good / len(said) < options.least)


main()
