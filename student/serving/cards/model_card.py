"""The model card of an exported student: `README.md`, in the format of the Hugging Face hub."""

from collections.abc import Iterator

from huggingface_hub import EvalResult, ModelCard, ModelCardData

from ....tasks.metrics import Score
from ....tasks.wording import harmless, one_line
from ..confidence import Confidence
from ..parity import Parity
from .facts import MINILM, Agreement, Calibration, Result, RunFacts, Shape, base_model
from .markdown import plain, table
from .texts import made_of, terms
from .usage import ways

NAME = "README.md"

METRICS = {
    "accuracy": ("accuracy", "Accuracy"),
    "micro_f1": ("f1", "F1, micro average"),
    "macro_f1": ("f1", "F1, macro average"),
    "f1": ("f1", "F1 of entities, place and type both right"),
    "precision": ("precision", "Precision of entities"),
    "recall": ("recall", "Recall of entities"),
    "exact": ("exact_match", "Texts with exactly the right labels"),
}
"""A score's name in `result.json` -> the hub's name for it, and a reader's."""

HEADS = {
    "sequence": "one label a text",
    "multilabel": "any number of labels a text",
    "token": "entities: stretches of the text, each with a type",
}

CALIBRATED_ON = {
    "dev": "rows of the author's dev file",
    "out of fold": "training texts, each answered by a fit that had not learnt it",
}

OF_HEADS = {
    "sequence": "A text of none of the labels gets one all the same, at times with a high probability.",
    "multilabel": "Of a long text it reads the beginning alone.",
}
"""Limits of single kinds of heads."""

UNLICENSED = "unknown"
"""The hub's word for it: which licence a student gets is for its author to say."""


def model_card(name: str, shape: Shape, parity: Parity, confidence: Confidence, run: RunFacts | None) -> str:
    """The whole card.

    Args:
        name: of the student.
        shape: what it reads and answers.
        parity: how far its networks agree with torch.
        confidence: what its probabilities are worth.
        run: what it comes from; None where that is not known.
    """
    sections = [
        ("", _about(shape, run)),
        ("Scores", _scores(run)),
        ("What its probabilities are worth", _calibration(confidence, run)),
        ("Limits", ["\n".join(f"- {limit}" for limit in _limits(shape, run))]),
        ("The texts it has learnt", [made_of(run.texts), terms(run)] if run else ["Nothing is known of them."]),
        ("Licence", [_licence(run)]),
        ("The networks in ONNX", _parity(parity)),
        ("How to load it", [ways(shape, quantized=not parity.refused and parity.int8 is not None)]),
    ]
    body = "\n\n".join("\n\n".join([f"## {title}", *parts] if title else parts) for title, parts in sections)
    front = _front(name, shape, run).to_yaml()
    return str(ModelCard(f"---\n{front}\n---\n\n# {plain(name)}\n\n{body}\n"))


def _front(name: str, shape: Shape, run: RunFacts | None) -> ModelCardData:
    results = list(_results(shape, run.result)) if run and run.result else None
    return ModelCardData(
        license=UNLICENSED,
        library_name="transformers",
        pipeline_tag=shape.pipeline,
        base_model=base_model(run.encoder) if run else None,
        tags=["evokd", "knowledge-distillation", "synthetic-data", "onnx", "transformers.js"],
        metrics=sorted({each.metric_type for each in results}) if results else None,
        model_name=name,
        eval_results=results,
    )


def _results(shape: Shape, result: Result) -> Iterator[EvalResult]:
    scores = {result.metric: result.after.value, **result.details}
    for metric, value in scores.items():
        if metric in METRICS or metric == result.metric:
            own = harmless(one_line(metric))  # of a task of the author's
            kind, title = METRICS.get(metric, (own, own))
            yield EvalResult(
                task_type=shape.pipeline,
                dataset_type="private",
                dataset_name="test file of the run",
                dataset_split="test",
                metric_type=kind,
                metric_name=title,
                metric_value=round(value, 4),
            )


def _about(shape: Shape, run: RunFacts | None) -> Iterator[str]:
    yield (
        "A small text model, distilled from a large language model with EvoKD. It gives "
        f"{HEADS[shape.head]}, and reads {shape.limit} tokens of a text at once."
    )
    if run and run.description:
        yield f"**The task**, as the teacher was told: {plain(run.description)}"
    if run and run.noun != "text":
        yield f"**A text** is a {plain(run.noun)}."
    meanings = run.labels if run else {}
    yield table(("label", "meaning"), [(plain(each), plain(meanings.get(each, ""))) for each in shape.labels])
    if run:
        yield f"It began as {_encoder(run.encoder)}."


def _encoder(encoder: str) -> str:
    known = base_model(encoder)
    return f"the encoder {plain(known)}" if known else "an encoder from a folder of its author's"


def _scores(run: RunFacts | None) -> Iterator[str]:
    if not run or not run.result:
        yield "It was never scored on a test file."
        return
    result = run.result
    rows = [
        ("the author's examples alone", *_cells(result.before)),
        ("**this student**", *_cells(result.after)),
    ]
    title = METRICS.get(result.metric, ("", plain(result.metric)))[1]
    yield f"{title}, on a test file that was opened once, when the run had ended:"
    yield table(("student that learnt", "score", "95 % interval", "texts"), rows)
    if result.seen:
        yield f"{result.seen} of these texts stand among the training texts, too."
    details = [(plain(name), f"{value:.3f}") for name, value in result.details.items() if name != result.metric]
    if details:
        yield table(("detail", "score"), details)


def _cells(score: Score | Agreement) -> tuple[str, str, str]:
    bounds = "too few to tell" if score.low is None or score.high is None else f"{score.low:.3f} to {score.high:.3f}"
    return f"{score.value:.3f}", bounds, str(score.n)


def _calibration(confidence: Confidence, run: RunFacts | None) -> Iterator[str]:
    if confidence.source == "none":
        yield "They are not calibrated: of answers given 80 %, more or fewer than 80 % may be right."
    else:
        yield (
            f"They are calibrated by a temperature of {confidence.temperature:.2f}, found on "
            f"{len(confidence.right)} {CALIBRATED_ON[confidence.source]}. "
            "It stands in `confidence.json` and as `evokd_temperature` in `config.json`."
        )
    if run and run.result and run.result.calibration:
        yield from _measured(run.result.calibration)


def _measured(calibration: Calibration) -> Iterator[str]:
    rows = [
        (name, f"{side.ece:.3f}", f"{side.brier:.3f}")
        for name, side in (("without the temperature", calibration.before), ("with it", calibration.after))
        if side.ece is not None and side.brier is not None
    ]
    if rows:
        yield f"On the {calibration.after.n} texts of the test file:"
        yield table(("probabilities", "expected calibration error", "Brier score"), rows)


def _limits(shape: Shape, run: RunFacts | None) -> Iterator[str]:
    yield (
        "The scores hold for texts like those of the test file, which its author chose. They say nothing of other "
        "sources, languages, times or groups of people."
        if run and run.result
        else "No test file has ever been scored: how often it is wrong on real texts is not known."
    )
    if run and run.result and run.result.agreement:
        agreement = run.result.agreement
        value, bounds, n = _cells(agreement)
        whose = " of the author's pool" if agreement.texts.startswith("of the pool") else " that the teacher wrote"
        yield (
            f"Agreement with the teacher, before the last training, on {n} texts{whose}: {value} (95 % interval: "
            f"{bounds}). Where the teacher is wrong, the student has learnt to be wrong with it."
        )
    else:
        yield "Where the teacher is wrong, the student has learnt to be wrong with it."
    if shape.head in OF_HEADS:
        yield OF_HEADS[shape.head]
    yield "What a language model writes carries that model's prejudices, and a student may learn them."


def _licence(run: RunFacts | None) -> str:
    known = " Its encoder is under Apache-2.0." if run and base_model(run.encoder) == MINILM else ""
    return (
        f"Its author has not chosen one: set `license` at the top of this file.{known} What may be chosen depends on "
        "the encoder, on the teacher's terms and on the author's own texts."
    )


def _parity(parity: Parity) -> Iterator[str]:
    yield (
        f"`onnx/model.onnx` (float32, {parity.megabytes} MB): a logit differs from torch's by {parity.difference:.1g} "
        f"at most, over {parity.texts} texts and batches of every extreme of size."
    )
    if parity.refused:
        yield f"There is no network in int8: {plain(parity.refused)}."
    elif parity.int8 and parity.int8.judged:
        yield (
            f"`onnx/model_quantized.onnx` (int8, {plain(parity.int8.way)}, {parity.int8.megabytes} MB): "
            f"{parity.int8.judged}."
        )
    yield "The scores above are those under torch. All figures of this section stand in `parity.json`."
