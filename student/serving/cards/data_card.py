"""The card of the texts that a student has learnt, in the hub's format for data sets."""

from huggingface_hub import DatasetCard, DatasetCardData

from .facts import RunFacts, Shape
from .markdown import plain, table
from .model_card import UNLICENSED
from .texts import made_of, terms

NAME = "DATASET_CARD.md"
"""In an exported folder; in the data set it is its README.md."""

TEXTS = "train.jsonl"


def data_card(run: RunFacts, shape: Shape) -> str:
    """The whole card."""
    front = DatasetCardData(
        license=UNLICENSED,
        annotations_creators=["machine-generated"],
        language_creators=["machine-generated"],
        task_categories=[shape.pipeline],
        pretty_name=f"Texts of {run.name}",
        tags=["evokd", "synthetic-data"],
        configs=[{"config_name": "default", "data_files": TEXTS}],
    ).to_yaml()
    return str(DatasetCard(f"---\n{front}\n---\n\n# Texts of {plain(run.name)}\n\n{_body(run, shape)}\n"))


def _body(run: RunFacts, shape: Shape) -> str:
    texts = run.texts
    labels = [(plain(each), plain(run.labels.get(each, ""))) for each in shape.labels]
    return "\n\n".join(
        [
            "The texts that a student of EvoKD has learnt: written, and labelled in a separate conversation, by a "
            "large language model.",
            *([f"**The task**, as the teacher was told: {plain(run.description)}"] if run.description else []),
            table(("label", "meaning"), labels),
            "## Where the texts come from",
            made_of(texts),
            f"`{TEXTS}` holds the {texts.written} that the teacher wrote. The {texts.own} of the author's own, "
            "examples and pool, are not shared by EvoKD. Nor is any text of a dev or test file. Texts "
            "that the loop put aside are not counted.",
            "## What a row holds",
            table(
                ("key", "meaning"),
                [
                    ("`text`", f"a {plain(run.noun)}"),
                    ("`label`", _label(shape)),
                    ("`source`", "why it was written, as above"),
                    ("`teacher`", "the model that labelled it"),
                    ("`confidence`", "share of the teacher's votes or probability for the label; null if unknown"),
                ],
            ),
            "## Terms and limits",
            terms(run),
            "No person has checked the labels. What a language model writes is more alike than what people write, and "
            "may repeat names, prejudices or passages that it has learnt.",
        ]
    )


def _label(shape: Shape) -> str:
    spans = "a list of entities: `start` and `end` in characters, and `type`"
    return {"sequence": "its label", "multilabel": "a list of labels", "token": spans}[shape.head]
