#!/usr/bin/env python3
"""A stand-in of OpenAI Realtime that is strict: whatever it does not know is an error, as with the real one.

    service.py [LOG]      LOG: gets what came, an event a line, of sound the first only

Its port is the first line on descriptor 3. The path says the story: /ga/v1/realtime?model=m, /beta/v1/realtime?model=m.
The first connection of a story is broken off, the second one ends it: "verdict ok" or "verdict failed: ...". The first one of
/limit/v1/realtime?model=m has to be closed in order when a minute is over, and the second one to be there at once.
"""

import asyncio
import base64
import http
import json
import math
import os
import sys
import traceback
from urllib.parse import parse_qs, urlsplit

import websockets

KEY = "sk-of-the-test"
LOG = open(sys.argv[1], "a") if len(sys.argv) > 1 else None
NAMES = {
    "ga": {"sound": "response.output_audio", "words": "response.output_audio_transcript", "item": "conversation.item.added"},
    "beta": {"sound": "response.audio", "words": "response.audio_transcript", "item": "conversation.item.created"},
}


def expect(is_so, why):
    if not is_so:
        raise AssertionError(why)


def only(value, required, optional=()):
    """An object with these members and no others. `required`: name -> type, constant, or function that checks."""
    expect(isinstance(value, dict), f"{value!r} is no object")
    unknown = set(value) - set(required) - set(optional)
    expect(not unknown, f"Unknown parameter: {unknown} in {value}")
    for name, rule in required.items():
        expect(name in value, f"Missing parameter: {name} in {value}")
        check(value[name], rule, name)
    for name, rule in dict(optional).items():
        if name in value:
            check(value[name], rule, name)


def check(value, rule, name):
    if isinstance(rule, type):
        expect(type(value) is rule, f"{name}: {value!r} is no {rule.__name__}")
    elif callable(rule):
        rule(value)
    else:
        expect(value == rule, f"{name}: {value!r} is not {rule!r}")


def one_of(*values):
    return lambda value: expect(value in values, f"{value!r} is none of {values}")


def tool(value):
    only(value, {"type": "function", "name": str, "parameters": dict}, {"description": str})
    expect(value["parameters"]["type"] == "object", str(value))
    expect(set(value["parameters"]["required"]) <= set(value["parameters"]["properties"]), str(value))


def tools(value):
    for each in value:
        tool(each)
    expect([each["name"] for each in value] == ["hang_up"], f"tools {value}")


def detection(value):
    only(
        value,
        {"type": one_of("server_vad", "semantic_vad")},
        {"create_response": bool, "interrupt_response": True, "threshold": float, "prefix_padding_ms": int, "silence_duration_ms": int},
    )


def transcription(value):
    only(value, {"model": str}, {"language": str, "prompt": str})


def ga_session(value):
    def sound_format(value):
        only(value, {"type": "audio/pcmu"})

    def sound_in(value):
        only(value, {"format": sound_format, "turn_detection": detection}, {"transcription": transcription, "noise_reduction": dict})

    def sound_out(value):
        only(value, {"format": sound_format, "voice": "marin"}, {"speed": float})

    def sound(value):
        only(value, {"input": sound_in, "output": sound_out})

    only(
        value,
        {"type": "realtime", "audio": sound, "output_modalities": ["audio"]},
        {"instructions": str, "tools": tools, "tool_choice": "auto"},
    )


def beta_session(value):
    only(
        value,
        {
            "modalities": lambda v: expect(sorted(v) == ["audio", "text"], str(v)),
            "input_audio_format": "g711_ulaw",
            "output_audio_format": "g711_ulaw",
            "turn_detection": detection,
            "voice": str,
        },
        {"instructions": str, "tools": tools, "tool_choice": "auto", "input_audio_transcription": transcription},
    )


def item_of(dialect):
    def content_of(role):
        kind = "input_text" if role != "assistant" else "output_text" if dialect == "ga" else "text"

        def content(value):
            expect(len(value) == 1, str(value))
            only(value[0], {"type": kind, "text": str})

        return content

    def item(value):
        if value.get("type") == "function_call_output":
            only(value, {"type": str, "call_id": str, "output": str}, {"id": str})
            return
        expect(value.get("role") in ("user", "assistant", "system"), str(value))
        only(value, {"type": "message", "role": str, "content": content_of(value["role"])}, {"id": str})
        expect(0 < len(value.get("id", "x")) <= 32, str(value))

    return item


def rules(dialect):
    return {
        "session.update": ({"session": ga_session if dialect == "ga" else beta_session}, {}),
        "input_audio_buffer.append": ({"audio": str}, {}),
        "input_audio_buffer.commit": ({}, {}),
        "conversation.item.create": ({"item": item_of(dialect)}, {"previous_item_id": str}),
        "conversation.item.truncate": ({"item_id": str, "content_index": 0, "audio_end_ms": int}, {}),
        "response.create": ({}, {"response": dict}),
        "response.cancel": ({}, {"response_id": str}),
    }


def ulaw(sample):
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample), 32635) + 132
    segment = max(magnitude.bit_length() - 8, 0)
    return ~(sign | (segment << 4) | ((magnitude >> (segment + 3)) & 0x0F)) & 0xFF


def tone(hertz, seconds):
    return bytes(ulaw(round(8000 * math.sin(2 * math.pi * hertz * i / 8000))) for i in range(round(8000 * seconds)))


class Session:
    def __init__(self, ws, dialect):
        self.ws, self.dialect, self.names = ws, dialect, NAMES[dialect]
        self.rules = rules(dialect)
        self.events = asyncio.Queue()
        self.appended = 0  # bytes of the caller
        self.appends = 0
        self.is_configured = False
        self.number = 0
        self.loop = asyncio.get_running_loop()
        self.lengths = {}  # of items, ms

    async def send(self, type, **fields):
        self.number += 1
        await self.ws.send(json.dumps({"type": type, "event_id": f"event_{self.number}", **fields}))

    async def read(self):
        try:
            async for text in self.ws:
                expect(isinstance(text, str), "a binary message")
                event = json.loads(text)
                kind = event.get("type")
                expect(kind in self.rules, f"Invalid value: {kind!r}")
                required, optional = self.rules[kind]
                only(event, {"type": str, **required}, {"event_id": str, **optional})
                if LOG and (kind != "input_audio_buffer.append" or self.appends == 0):
                    print(text, file=LOG, flush=True)
                if kind == "input_audio_buffer.append":
                    expect(self.is_configured, "sound before session.updated")
                    sound = base64.b64decode(event["audio"], validate=True)
                    expect(len(sound) == 160, f"{len(sound)} bytes of sound")
                    self.appended += len(sound)
                    self.appends += 1
                else:
                    await self.events.put(event)
        except websockets.ConnectionClosed:
            pass
        except Exception as error:
            await self.events.put(error)
        await self.events.put(None)

    async def event(self, kind, limit=5.0):
        event = await asyncio.wait_for(self.events.get(), limit)
        if isinstance(event, Exception):
            raise event
        expect(event is not None and event["type"] == kind, f"{event} instead of {kind}")
        return event

    async def silence(self, seconds):
        try:
            event = await asyncio.wait_for(self.events.get(), seconds)
        except asyncio.TimeoutError:
            return
        raise AssertionError(f"{event} was not expected")

    async def begin(self):
        await self.send("session.created", session={"object": "realtime.session", "id": "sess_1"})
        event = await self.event("session.update")
        expect(event["session"]["instructions"] == "Be brief.\n", str(event))
        await self.silence(0.2)
        self.is_configured = True
        await self.send("session.updated", session=event["session"])

    async def speak(self, response, item, seconds, words, hertz=1000):
        await self.send("response.created", response={"id": response, "status": "in_progress", "output": []})
        await self.send(self.names["item"], item={"id": item, "type": "message", "role": "assistant", "status": "in_progress", "content": []})
        where = {"response_id": response, "item_id": item, "output_index": 0, "content_index": 0}
        sound = tone(hertz, seconds)
        self.lengths[item] = len(sound) // 8
        for at in range(0, len(sound), 2400):  # 300 ms at a time, as fast as it goes
            await self.send(self.names["sound"] + ".delta", **where, delta=base64.b64encode(sound[at : at + 2400]).decode())
        await self.send(self.names["sound"] + ".done", **where)
        await self.send(self.names["words"] + ".done", **where, transcript=words)

    async def done(self, response, status="completed", output=()):
        await self.send("response.done", response={"id": response, "status": status, "output": list(output)})


async def first(session):
    """Greets, is interrupted, is given a key; then the connection breaks."""
    await session.begin()
    await session.event("response.create")
    begin = session.loop.time()
    await session.speak("resp_1", "item_1", 4.0, "one two three four five six seven eight nine ten")
    await session.done("resp_1")
    await asyncio.sleep(1.5)
    expect(10 <= session.appends <= 85 + 160, f"{session.appends} frames of the caller in 1.5 s")
    await session.send("input_audio_buffer.speech_started", audio_start_ms=1500, item_id="item_u1")
    heard_ms = (session.loop.time() - begin) * 1000
    event = await session.event("conversation.item.truncate", 1.0)
    expect(event["item_id"] == "item_1", str(event))
    expect(event["audio_end_ms"] <= session.lengths["item_1"], str(event))
    expect(heard_ms - 600 <= event["audio_end_ms"] <= heard_ms + 20, f"{event} after {heard_ms:.0f} ms")
    await session.send("conversation.item.truncated", item_id="item_1", content_index=0, audio_end_ms=event["audio_end_ms"])
    # Late sound of what was cut: nobody wants to hear it.
    late = base64.b64encode(tone(2000, 1.0)).decode()
    await session.send(session.names["sound"] + ".delta", response_id="resp_1", item_id="item_1", output_index=0, content_index=0, delta=late)
    await session.send("input_audio_buffer.speech_stopped", audio_end_ms=2000, item_id="item_u1")
    await session.send(session.names["item"], item={"id": "item_u1", "type": "message", "role": "user", "status": "completed", "content": []})
    await session.send("conversation.item.input_audio_transcription.completed", item_id="item_u1", content_index=0, transcript="Stop, please.")
    await session.send("rate_limits.updated", rate_limits=[])
    await session.send("an.event.of.tomorrow", anything={"a": [1]})
    event = await session.event("conversation.item.create", 10.0)
    expect(event["item"]["role"] == "user" and event["item"]["content"][0]["text"].endswith(": 5"), str(event))
    await session.send(session.names["item"], item={**event["item"], "status": "completed"})
    await session.event("response.create")
    await session.speak("resp_2", "item_2", 0.5, "You pressed five.")
    await session.done("resp_2")
    await asyncio.sleep(0.8)  # it is heard to its end
    session.ws.transport.abort()


async def second(session):
    """Is told what was said, is asked for something it may not do, and hangs up."""
    await session.begin()
    told = [(await session.event("conversation.item.create"))["item"] for _ in range(4)]
    words = [(item["role"], item["content"][0]["text"]) for item in told]
    cut = words.pop(0)
    expect(cut[0] == "assistant" and cut[1].startswith("one two") and not cut[1].endswith("ten"), str(cut))
    expect(words[0] == ("user", "Stop, please."), str(words))
    expect(words[1][0] == "user" and words[1][1].endswith(": 5"), str(words))
    expect(words[2] == ("assistant", "You pressed five."), str(words))
    await session.silence(0.3)
    expect(session.appends > 0, "the caller is not heard")
    transfer = {"type": "function_call", "id": "item_f1", "name": "transfer", "call_id": "call_1", "arguments": '{"target":"200"}', "status": "completed"}
    await session.send("response.created", response={"id": "resp_3", "status": "in_progress", "output": []})
    await session.send("response.output_item.done", response_id="resp_3", output_index=0, item=transfer)
    await session.done("resp_3", output=[transfer])
    event = await session.event("conversation.item.create")
    expect(event["item"]["call_id"] == "call_1", str(event))
    expect(json.loads(event["item"]["output"])["status"] == "refused", str(event))
    await session.event("response.create")
    hang_up = {"type": "function_call", "id": "item_f2", "name": "hang_up", "call_id": "call_2", "arguments": "{}", "status": "completed"}
    begin = session.loop.time()
    await session.speak("resp_4", "item_4", 1.0, "Goodbye.")
    await session.send("response.output_item.done", response_id="resp_4", output_index=1, item=hang_up)
    await session.done("resp_4", output=[hang_up])
    while (event := await asyncio.wait_for(session.events.get(), 10)) is not None:
        if isinstance(event, Exception):
            raise event
    took = session.loop.time() - begin
    expect(took >= 0.95, f"the call ended after {took:.2f} s, before its goodbye")
    expect(session.ws.close_code == 1000, f"closed with {session.ws.close_code}")


async def until_the_limit(session):
    await session.begin()
    await session.event("response.create")
    await session.speak("resp_1", "item_1", 0.5, "Hello.")
    await session.done("resp_1")
    begin = session.loop.time()
    expect(await asyncio.wait_for(session.events.get(), 70) is None, "something came of us")
    took = session.loop.time() - begin
    expect(58 <= took <= 63, f"the session lasted {took:.1f} s")
    expect(session.ws.close_code == 1000, f"closed with {session.ws.close_code}")
    expect(session.appends >= 2000, f"{session.appends} frames of the caller in a minute")


async def beyond_the_limit(session):
    await session.begin()
    event = await session.event("conversation.item.create")
    expect(event["item"]["content"][0]["text"] == "Hello.", str(event))
    await session.silence(0.3)
    expect(session.appends > 5, "the caller is not heard")


STORIES = {"ga": (first, second), "beta": (first, second), "limit": (until_the_limit, beyond_the_limit)}
COUNTS = {}


async def answer(ws):
    try:
        url = urlsplit(ws.path)
        story = url.path.split("/")[1]
        dialect = "beta" if story == "beta" else "ga"
        expect(url.path.endswith("/v1/realtime") and parse_qs(url.query) == {"model": ["m"]}, ws.path)
        expect(ws.request_headers.get("Authorization") == f"Bearer {KEY}", "Authorization")
        expect(ws.request_headers.get("OpenAI-Beta") == (None if dialect == "ga" else "realtime=v1"), "OpenAI-Beta")
        session = Session(ws, dialect)
        reader = asyncio.create_task(session.read())
        COUNTS[story] = COUNTS.get(story, 0) + 1
        if COUNTS[story] == 1:
            await STORIES[story][0](session)
        else:
            await STORIES[story][1](session)
            print("verdict ok", flush=True)
        await reader
    except Exception as error:
        where = [frame.lineno for frame in traceback.extract_tb(error.__traceback__)]
        print(f"verdict failed: {error or type(error).__name__} at {where}", flush=True)
        await ws.close(1011)


async def main():
    async def refuse(path, headers):
        if path.startswith("/closed"):
            return http.HTTPStatus.UNAUTHORIZED, [], b"no\n"
        return None

    async with websockets.serve(answer, "127.0.0.1", 0, process_request=refuse) as server:
        os.write(3, b"%d\n" % server.sockets[0].getsockname()[1])
        await asyncio.Future()


sys.exit(asyncio.run(main()))
