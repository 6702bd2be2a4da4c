"""Five ways to load an exported student, each true for its kind of task and for the files that are there."""

from .facts import Shape

ASKED = "A text of yours."

EVOKD = f"""\
import evokd

predictor = evokd.load("student")
print(predictor.predict(["{ASKED}"])[0].label)"""

PIPELINES = {
    "sequence": f"""\
from transformers import pipeline

classify = pipeline("text-classification", model="student")
print(classify("{ASKED}", truncation=True, top_k=None))""",
    "token": f"""\
from transformers import pipeline

find = pipeline("token-classification", model="student", aggregation_strategy="simple")
print(find("{ASKED}"))""",
}

PLAIN = f"""\
import json
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

folder = Path("student")
config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
tokenizer.enable_truncation(%(limit)d)
session = onnxruntime.InferenceSession(folder / "%(network)s")

encoded = tokenizer.encode("{ASKED}")
ids = np.array([encoded.ids])
logits = session.run(["logits"], {{"input_ids": ids, "attention_mask": np.ones_like(ids)}})[0][0]
"""

READINGS = {
    "sequence": """\
scaled = np.exp((logits - logits.max()) / config.get("evokd_temperature", 1.0))
print({config["id2label"][str(n)]: float(p) for n, p in enumerate(scaled / scaled.sum())})""",
    "multilabel": """\
shares = 1 / (1 + np.exp(-logits))
found = {config["id2label"][str(n)]: float(p) for n, p in enumerate(shares)}
print([label for label, p in found.items() if p >= config["evokd_thresholds"][label]], found)""",
    "token": """\
for token, (start, end), row in zip(encoded.tokens, encoded.offsets, logits):
    print(token, start, end, config["id2label"][str(row.argmax())])""",
}

NOTES = {
    "sequence": "The pipeline's and transformers.js' probabilities are without the temperature; labels are the same.",
    "multilabel": "A text has the labels whose probability is at least theirs in `evokd_thresholds` of `config.json`. "
    "EvoKD and the lines for ONNX Runtime go by these; the pipeline and transformers.js give all probabilities.",
    "token": "EvoKD reads long texts in windows and lets the pieces of a word agree, so its entities may differ from "
    "those of the other ways.",
}


def ways(shape: Shape, quantized: bool) -> str:
    """The section of the card, from its second line on.

    Args:
        shape: of the student.
        quantized: whether there is a network in int8.
    """
    network = "onnx/model_quantized.onnx" if quantized else "onnx/model.onnx"
    plain = PLAIN % {"limit": shape.limit, "network": network} + READINGS[shape.head]
    return "\n\n".join(
        [
            "Everything below takes the files from a folder called `student`. From the hub it comes with "
            "`hf download OWNER/NAME --local-dir student`.",
            "**EvoKD**: labels, calibrated probabilities, long texts.",
            _block("python", EVOKD),
            "**transformers**.",
            _block("python", PIPELINES.get(shape.head, PIPELINES["sequence"])),
            "**ONNX Runtime**, without torch (`pip install onnxruntime tokenizers`).",
            _block("python", plain),
            "**transformers.js** (`npm install @huggingface/transformers`), run where the folder `student` lies.",
            _block("js", _script(shape, quantized)),
            "**A server** that answers as Text Embeddings Inference does (`pip install 'evokd[serve]'`).",
            _block(
                "sh",
                "evokd serve student --port 8080\n"
                f"curl localhost:8080/predict -H 'content-type: application/json' -d '{{\"inputs\": \"{ASKED}\"}}'",
            ),
            NOTES[shape.head],
        ]
    )


def _script(shape: Shape, quantized: bool) -> str:
    more = "" if shape.head == "token" else ", { top_k: null }"
    return f"""\
import {{ env, pipeline }} from "@huggingface/transformers";

env.localModelPath = "./";
env.allowRemoteModels = false;
const ask = await pipeline("{shape.pipeline}", "student", {{ dtype: "{"q8" if quantized else "fp32"}" }});
console.log(await ask("{ASKED}"{more}));"""


def _block(language: str, code: str) -> str:
    return f"```{language}\n{code}\n```"
