"""Answer forms that hold labels: the JSON schema of their `label` is the task's own."""

from typing import Annotated, TypeVar

from pydantic import BaseModel, JsonValue, WithJsonSchema, create_model

from ..tasks.task import Task

M = TypeVar("M", bound=BaseModel)


def with_labels(form: type[M], task: Task, optional: bool = False) -> type[M]:
    """The form with the schema of the task's answers for its field `label`.

    Validation stays loose on purpose: an answer that does not fit spoils one text, not the whole list.

    Args:
        form: a model with a field `label`.
        task: says what an answer is.
        optional: whether null is allowed too.
    """
    schema = {"anyOf": [task.answer_schema(), {"type": "null"}]} if optional else task.answer_schema()
    answer = Annotated[JsonValue, WithJsonSchema(schema)]
    return create_model(form.__name__, __base__=form, label=(answer, ...))
