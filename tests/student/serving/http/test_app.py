"""What clients see: answers as Text Embeddings Inference gives them, and one line for everything else."""

import asyncio
import json
import math
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.requests import Request

from evokd.student.serving.http.limits import Limits
from evokd.student.serving.http.problems import Problem
from evokd.student.serving.http.reach import Reach
from evokd.student.serving.http.requests import read_request
from tests.student.serving.http import serving

JSON = {"content-type": "application/json"}


def test_a_single_text_is_answered_with_all_labels_the_highest_first() -> None:
    with serving.client() as client:
        for inputs in ("soup with bread", ["soup with bread"]):
            answer = client.post("/predict", json={"inputs": inputs})
            assert answer.status_code == 200
            scores = [each["score"] for each in answer.json()]
            assert answer.json()[0]["label"] == "food" and sorted(scores, reverse=True) == scores
            assert set(answer.json()[0]) == {"label", "score"} and abs(sum(scores) - 1) < 1e-9 and len(scores) == 4


def test_a_batch_is_answered_with_a_list_for_each_text_in_order() -> None:
    texts = [["the team won"], ["soup with bread"], ["a planet"], [""]]
    with serving.client() as client:
        answers = client.post("/predict", json={"inputs": texts}).json()
        assert [each[0]["label"] for each in answers[:3]] == ["sports", "food", "science"] and len(answers) == 4
        assert client.post("/predict", json={"inputs": [["soup with bread"]]}).json() == [answers[1]]


def test_raw_scores_become_the_scores_by_softmax_and_by_sigmoid() -> None:
    with serving.client() as client:
        raw, plain = ask_both(client, "soup with bread")
        total = sum(map(math.exp, raw.values()))
        assert {name: math.exp(score) / total for name, score in raw.items()} == pytest.approx(plain)
    with serving.client(serving.several()) as client:
        raw, plain = ask_both(client, "cheap")
        assert {name: 1 / (1 + math.exp(-score)) for name, score in raw.items()} == pytest.approx(plain)


def ask_both(client: Any, text: str) -> list[dict[str, float]]:
    asked = [client.post("/predict", json={"inputs": text, "raw_scores": raw}).json() for raw in (True, False)]
    return [{each["label"]: each["score"] for each in answer} for answer in asked]


def test_of_several_labels_those_that_the_student_gives_are_marked() -> None:
    with serving.client(serving.several()) as client:
        answer = client.post("/predict", json={"inputs": "so cheap"}).json()
        assert [(each["label"], each["chosen"]) for each in answer] == [("price", True), ("speed", False)]


def test_entities_stand_in_the_order_of_the_text_with_their_characters() -> None:
    text = "Paris saw Anna"
    with serving.client(serving.entities()) as client:
        found = client.post("/predict", json={"inputs": [[text], ["nobody"]]}).json()
        first, second = found[0]
        assert (first["entity_group"], first["word"], first["start"], first["end"]) == ("LOC", "Paris", 0, 5)
        assert text[second["start"] : second["end"]] == second["word"] == "Anna" and 0 < second["score"] < 1
        assert found[1] == []
        assert "token_classifier" in client.get("/info").json()["model_type"]
        refused = client.post("/predict", json={"inputs": text, "raw_scores": True})
        assert refused.status_code == 422 and "raw_scores is for labels" in refused.json()["error"]


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    limits = Limits(body=3_000, texts=3, characters=100)
    with serving.client(limits=limits, reach=Reach(8, lambda text: len(text.split()))) as client:
        yield client


@pytest.mark.parametrize(
    ("body", "status", "kind", "said"),
    [
        (b"", 400, "validation", "the body is no JSON: EOF"),
        (b"{", 400, "validation", "the body is no JSON: EOF"),
        (b"\x80\x04\x95\x00", 400, "validation", "the body is no JSON: expected value at line 1 column 1."),
        (b'{"inputs": "\xff"}', 400, "validation", "the body is no JSON: invalid unicode code point"),
        (rb'{"inputs": "\ud83d half"}', 400, "validation", "the body is no JSON: "),
        (b'{"inputs": ' + b"[" * 1400 + b"]" * 1400 + b"}", 400, "validation", "recursion limit exceeded"),
        (b'{"inputs": NaN}', 422, "validation", "inputs must be a string, or for a batch"),
        (b"[]", 422, "validation", "the body: Input should be an object."),
        (b"null", 422, "validation", "the body: Input should be an object."),
        (b"{}", 422, "validation", "inputs: Field required."),
        (b'{"inputs": []}', 400, "empty", "inputs is an empty list; send at least one text."),
        (b'{"inputs": [[]]}', 422, "validation", "text 0 (from 0) is not."),
        (b'{"inputs": [["a"], "b"]}', 422, "validation", "text 1 (from 0) is not."),
        (b'{"inputs": [["a"], [7]]}', 422, "validation", "text 1 (from 0) is not."),
        (b'{"inputs": {"a": "b"}}', 422, "validation", "text 0 (from 0) is not."),
        (b'{"inputs": ["a", "b"]}', 422, "validation", "means one pair of texts"),
        (b'{"inputs": [["a"], ["b", "c"]]}', 422, "validation", "means one pair of texts"),
        (b'{"inputs": [["a"], ["b"], ["c"], ["d"]]}', 413, "validation", "inputs has 4 texts; at most 3"),
        (json.dumps({"inputs": "x" * 101}).encode(), 422, "validation", "text 0 (from 0) has 101 characters; at most"),
        (b'{"inputs": "a", "raw_scores": "yes"}', 422, "validation", "raw_scores: Input should be a valid boolean."),
        (b'{"inputs": "a", "truncation_direction": "left"}', 422, "validation", "Input should be 'right' or 'Right'"),
        (b'{"inputs": "1 2 3 4 5 6 7 8 9", "truncate": false}', 422, "validation", "has 9 tokens; the student reads 8"),
        (b'{"inputs": "' + b"x" * 3000 + b'"}', 413, "validation", "the body is 3,014 bytes; at most 3,000 bytes"),
    ],
)
def test_what_cannot_be_answered_is_told_in_one_line(
    body: bytes, status: int, kind: str, said: str, client: Any
) -> None:
    answer = client.post("/predict", content=body, headers=JSON)
    assert answer.status_code == status and set(answer.json()) == {"error", "error_type"}
    assert answer.json()["error_type"] == kind and said in answer.json()["error"] and "\n" not in answer.json()["error"]


def test_a_text_is_cut_unless_the_client_forbids_it(client: Any) -> None:
    for more in ({}, {"truncate": True}, {"truncate": None}, {"unknown": 1}):
        assert client.post("/predict", json={"inputs": "1 2 3 4 5 6 7 8 9", **more}).status_code == 200
    assert client.post("/predict", json={"inputs": "1 2 3 4 5 6 7 8", "truncate": False}).status_code == 200


def test_a_body_of_unknown_length_is_read_no_further_than_the_limit() -> None:
    parts = 0

    async def receive() -> dict[str, Any]:
        nonlocal parts
        parts += 1
        return {"type": "http.request", "body": b" " * 1000, "more_body": True}  # without end

    scope = {"type": "http", "method": "POST", "headers": [(b"content-type", b"application/json")]}
    with pytest.raises(Problem, match="the body is longer; at most 3,000 bytes are taken") as refused:
        asyncio.run(read_request(Request(scope, receive), Limits(body=3_000)))
    assert refused.value.status == 413 and parts == 4


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", ""])
def test_only_json_is_read_so_that_no_web_page_can_ask_from_elsewhere(kind: str, client: Any) -> None:
    answer = client.post("/predict", content=b'{"inputs": "a"}', headers={"content-type": kind})
    assert answer.status_code == 415 and "send application/json" in answer.json()["error"]


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON", "application/hal+json"])
def test_json_is_json_by_any_of_its_names(kind: str, client: Any) -> None:
    assert client.post("/predict", content=b'{"inputs": "a"}', headers={"content-type": kind}).status_code == 200


def test_other_routes_are_told_which_there_are(client: Any) -> None:
    for answer, status in ((client.get("/nix"), 404), (client.get("/predict"), 405), (client.get("/docs"), 404)):
        assert answer.status_code == status and "the routes are POST /predict; GET /health" in answer.json()["error"]


def test_the_description_needs_no_network_and_has_every_route(client: Any) -> None:
    described = client.get("/openapi.json").json()
    assert set(described["paths"]) == {"/predict", "/health", "/info", "/metrics"}
    asked = described["paths"]["/predict"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert set(asked["properties"]) == {"inputs", "raw_scores", "truncate", "truncation_direction"}
    assert {"200", "400", "401", "413", "415", "422", "424", "429"} <= set(
        described["paths"]["/predict"]["post"]["responses"]
    )
    assert "http" not in json.dumps(described)


def test_info_says_what_is_served_and_what_a_request_may_hold(client: Any) -> None:
    said = client.get("/info").json()
    assert said["model_id"] == "small" and said["max_client_batch_size"] == 3 and said["max_input_length"] == 8
    assert said["model_type"]["classifier"]["id2label"] == dict(
        zip("0123", ["sports", "money", "science", "food"], strict=True)
    )


@pytest.mark.parametrize("given", [None, "Bearer wrong", "Bearer ", "Basic right", "right", "Bearer r\xefght"])
def test_where_a_token_is_set_it_is_asked_for(given: str | None) -> None:
    headers = {} if given is None else {"authorization": given.encode("latin-1")}
    with serving.client(token="right", limits=Limits(body=10)) as client:
        for answer in (
            client.post("/predict", content=b"x" * 99, headers=headers),
            client.get("/info", headers=headers),
        ):
            assert answer.status_code == 401 and answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["error_type"] == "unauthorized" and "right" not in answer.text
        for path in ("/health", "/metrics", "/openapi.json"):
            assert client.get(path).status_code == 200


def test_who_has_the_token_is_let_in() -> None:
    with serving.client(token="right") as client:
        headers = {"authorization": "Bearer right"}
        assert client.post("/predict", json={"inputs": "a"}, headers=headers).status_code == 200
        assert client.get("/info", headers=headers).status_code == 200


def test_a_student_that_fails_is_told_without_its_secrets_and_the_next_request_is_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with serving.client(serving.Broken()) as client:
        for text, said in (("boom", "(RuntimeError)"), ("lose", "(ValueError)"), ("nan", "is not a number")):
            answer = client.post("/predict", json={"inputs": text})
            assert answer.status_code == 424 and answer.json()["error_type"] == "backend" and said in answer.text
            assert "secret" not in answer.text
        assert "secret of the model" in caplog.text and "boom" not in caplog.text.replace('if "boom" in texts', "")
        assert client.post("/predict", json={"inputs": "fine"}).status_code == 200


def test_health_asks_a_student_that_failed_and_believes_it_when_it_answers() -> None:
    student = serving.Broken()
    with serving.client(student) as client:
        assert client.get("/health").status_code == 200 and len(student.batches) == 1  # the first one, at the start
        client.post("/predict", json={"inputs": "boom"})
        assert client.get("/health").status_code == 200 and student.batches[-1] == ["Are you well?"]
    broken = serving.Broken()
    with serving.client(broken) as client:
        client.post("/predict", json={"inputs": "boom"})
        broken.labels = []  # every further prediction fails
        answer = client.get("/health")
        assert answer.status_code == 503 and answer.json()["error_type"] == "unhealthy"


def test_metrics_count_requests_texts_batches_and_refusals() -> None:
    with serving.client() as client:
        client.post("/predict", json={"inputs": [["a"], ["b"]]})
        client.post("/predict", json={"inputs": 5})
        client.get("/nix/1")
        client.get("/nix/2")
        told = client.get("/metrics")
    assert told.headers["content-type"].startswith("text/plain")
    for line in (
        'evokd_requests_total{path="/predict",status="200"} 1.0',
        'evokd_requests_total{path="/predict",status="422"} 1.0',
        'evokd_requests_total{path="other",status="404"} 2.0',
        'evokd_errors_total{error_type="validation"} 3.0',
        "evokd_texts_total 2.0",
        "evokd_waiting_texts 0.0",
        'evokd_batch_texts_bucket{le="2.0"} 1.0',
        'evokd_request_seconds_count{path="/predict"} 2.0',
    ):
        assert line in told.text
    assert "/nix" not in told.text and "process_resident_memory_bytes" in told.text
