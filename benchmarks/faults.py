"""What trouble with the teacher does to a whole run: what it did, what was lost, what was paid for.

    python -m benchmarks.faults [--only WORD]

The run is that of `tests/parts.py` (the whole graph, a student that counts words, a teacher behind a loopback server),
four calls in flight. The server misbehaves as each row says. A run that stopped is resumed as its message
advises, on a server that works.
Printed for both parts together: exit codes, seconds, accepted texts against the run without trouble, whether texts and
scores are the same as there, requests the server got, answers it would bill for (all it produced, also those that never
arrived whole), calls in our ledger, and calls that were needed.
"""

import argparse
import contextlib
import io
import json
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

os.environ["EVOKD_TELL_LOOPBACK"] = "1"  # the world's teacher reads what is asked as data

from evokd import main as evokd
from evokd.testing.loopback import Body, Said, chat, error, serving
from tests import parts
from tests.test_kill import outcome

TIMEOUT = 1.0
"""Seconds without a byte after which a call is given up; `teacher.timeout`."""

Trouble = Callable[[int, Body], Said | None]
"""(number of the request, its body) -> what the server does instead of answering; None: it answers."""


def every(number: int, said: Said) -> Trouble:
    """Each n-th request."""
    return lambda count, body: said if count % number == 0 else None


def burst(first: int, last: int, said: Said) -> Trouble:
    """The requests from the first to the last."""
    return lambda count, body: said if first <= count <= last else None


def outage(seconds: float, said: Callable[[float], Said]) -> Trouble:
    """From the sixth request on, for some seconds; what is said may depend on how many are left."""
    ends: list[float] = []

    def script(count: int, body: Body) -> Said | None:
        if count >= 6 and not ends:
            ends.append(time.monotonic() + seconds)
        left = ends[0] - time.monotonic() if ends else 0.0
        return said(left) if left > 0 else None

    return script


def too_many(**headers: str) -> Said:
    """A rate limit."""
    return error(429, "slow down", **headers)


def says(text: str, finish: str = "stop", refusal: str | None = None) -> Trouble:
    """Every fifth question gets a useless answer; a repair turn gets the right one."""
    useless = chat(text, finish, refusal=refusal)
    return lambda count, body: useless if count % 5 == 0 and len(body["messages"]) == 1 else None


def wrong_labels(of: int) -> Trouble:
    """Every n-th answer of the annotator has labels that are none; repair turns are answered alike."""

    def said(count: int, body: Body) -> Said | None:
        if parts.role_of(body) != "annotator" or count % of:
            return None
        labels = json.loads(parts.answer(body).body["choices"][0]["message"]["content"])["labels"]
        return chat(json.dumps({"labels": [{**each, "label": "weather"} for each in labels]}))

    return said


def one_call(said: Said) -> Trouble:
    """The first request for labels, and all its repetitions."""
    chosen: list[str] = []

    def script(count: int, body: Body) -> Said | None:
        asked = json.dumps(body, sort_keys=True)
        if parts.role_of(body) == "annotator" and not chosen:
            chosen.append(asked)
        return said if asked in chosen else None

    return script


def one_text(said: Said) -> Trouble:
    """Every request for labels that has one certain text in it: the first the server was shown."""
    chosen: list[str] = []

    def script(count: int, body: Body) -> Said | None:
        listed = [each["text"] for each in body["about"].get("texts", ())]
        if "json_schema" not in body.get("response_format", {}):  # after a 400 the client tries without a schema
            return said
        if parts.role_of(body) != "annotator":
            return None
        chosen.extend(listed[:1] if not chosen else [])
        return said if chosen[0] in listed else None

    return script


def drips(count: int, body: Body) -> Said | None:
    """Each ninth answer comes in tenths, slower than a whole answer may take."""
    return replace(parts.answer(body), drip=lambda: time.sleep(0.3 * TIMEOUT)) if count % 9 == 0 else None


def overlooks(count: int, body: Body) -> Said | None:
    """A server that takes `response_format` and does not look at it."""
    return None if "fits this JSON schema" in body["messages"][-1]["content"] else chat("Gladly! Here they are: ...")


def _is_answer(body: Any) -> bool:
    """Whether a server that sent this has worked: a page or an error is no answer, half of one is."""
    return body is None or (body[:1] == b"{" if isinstance(body, bytes) else "choices" in body)


def counts(**usage: Any) -> Trouble:
    """Right answers with other figures."""

    def said(count: int, body: Body) -> Said:
        answer = parts.answer(body)
        answer.body["usage"] |= usage
        return answer

    return said


TROUBLES: dict[str, Trouble] = {
    "none": lambda count, body: None,
    "429 for 10 s, Retry-After": outage(10, lambda left: too_many(**{"Retry-After": f"{left:.0f}"})),
    "429 for 10 s, no Retry-After": outage(10, lambda left: too_many()),
    "429 for 10 s, Retry-After: 0": outage(10, lambda left: too_many(**{"Retry-After": "0"})),
    "429, every third, Retry-After-Ms: 50": every(3, too_many(**{"Retry-After-Ms": "50"})),
    "500, every fifth": every(5, error(500, "oops")),
    "503 for 5 s": outage(5, lambda left: error(503, "overloaded")),
    "connection reset, every fifth": every(5, Said(reset=True)),
    "hang, every ninth": every(9, Said(hang=True)),
    "hang, always the same call": one_call(Said(hang=True)),
    "slow drip, every ninth": drips,
    "half a body, every fifth": every(5, Said(body=b'{"id": "x", "choices": [{"mess')),
    "an HTML page, every fifth": every(5, Said(body=b"<html>Welcome</html>")),
    "an error in a 200, every fifth": every(5, Said(body={"error": {"message": "no provider", "code": 502}})),
    "broken JSON, every fifth": says('{"labels": [{"id": 1, "label"'),
    "prose, every fifth": says("I would love to help you with that!"),
    "truncated, every fifth": says('{"texts": [{"text": "the te', "length"),
    "the form overlooked unless it is in words": overlooks,
    "refusal, every fifth": says("", refusal="I can't help with that."),
    "refusal, always of the same text": one_text(chat("", refusal="I can't help with that.")),
    "HTTP 400, always for the same text": one_text(error(400, "flagged by the content filter")),
    "wrong labels, every third, repairs too": wrong_labels(3),
    "wrong labels, always": wrong_labels(1),
    "every answer empty": lambda count, body: chat(""),
    "10**30 tokens a call": counts(completion_tokens=10**30, total_tokens=10**30),
    "more cached tokens than the prompt has": counts(prompt_tokens_details={"cached_tokens": 10**6}),
    "garbage from the sixth request on": burst(6, 10**6, chat("asdf")),
    "401 from the 12th request on": burst(12, 10**6, error(401, "Incorrect API key provided")),
    "quota gone at the 12th request": burst(
        12, 10**6, error(429, "You exceeded your current quota", "insufficient_quota")
    ),
    "503 from the 12th request on": burst(12, 10**6, error(503, "overloaded")),
    "server gone at the 12th request": burst(12, 10**6, Said(reset=True)),
}


@dataclass
class Server:
    """The world's teacher in trouble; keeps its own account."""

    trouble: Trouble
    requests: int = 0
    billed: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()

    def __call__(self, body: Body) -> Said:
        with self._lock:
            self.requests += 1
            said = self.trouble(self.requests, body) or parts.answer(body)
            self.billed += said.status == 200 and not said.reset and _is_answer(said.body)
        return said


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="rows whose name holds this")
    only = parser.parse_args().only
    with tempfile.TemporaryDirectory() as place:
        os.chdir(place)
        clean = _row(Path("clean"), TROUBLES["none"])
        heads = ("trouble", "exit", "s", "texts", "same", "requests", "billed", "ledger", "needed")
        print("| " + " | ".join(heads) + " | said |\n|" + "---|" * (len(heads) + 1))
        for number, (name, trouble) in enumerate(TROUBLES.items()):
            if only in name:
                row = _row(Path(f"{number}"), trouble)
                same = "yes" if row["outcome"] == clean["outcome"] else "no"
                cells = (
                    name, row["exit"], f"{row['seconds']:.0f}", f"{row['texts']} of {clean['texts']}", same,
                    row["requests"], row["billed"], row["ledger"], clean["billed"], row["said"],
                )  # fmt: skip
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


def _row(folder: Path, trouble: Trouble) -> dict[str, Any]:
    """One run in trouble, resumed if it stopped."""
    server, began = Server(trouble), time.monotonic()
    with serving(server) as running:
        teacher = {"concurrency": 4, "timeout": TIMEOUT}
        config = parts.write(folder, running.url, teacher=teacher)
        code, said = _evokd("run", config, "--runs", folder)
        codes = [code]
        if code:
            server.trouble = TROUBLES["none"]
            advised = ["--no-cache"] * ("--no-cache" in said)
            codes.append(_evokd("resume", folder / "small", *advised)[0])
    run = folder / "small"
    ledger = parts.rows(run / "ledger.jsonl")
    return {
        "exit": ", ".join(map(str, codes)),
        "said": said.partition("\n")[0].removeprefix("evokd: "),
        "seconds": time.monotonic() - began,
        "outcome": _without_costs(outcome(run)),
        "texts": sum(row["status"] == "kept" for row in parts.rows(run / "samples.jsonl")),
        "requests": server.requests,
        "billed": server.billed,
        "ledger": sum(not row["from_cache"] for row in ledger),
    }


def _evokd(*words: str | Path) -> tuple[int, str]:
    """Exit code and what was said of errors."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = evokd.main([str(word) for word in words])
    return code, err.getvalue()


def _without_costs(seen: Any) -> str:
    """What must be the same whatever the trouble was: texts, decisions and scores, not what they cost."""
    samples, metrics, result = seen
    for row in metrics:
        del row["teacher"]
    return json.dumps([samples, metrics, result], sort_keys=True)


if __name__ == "__main__":
    main()
