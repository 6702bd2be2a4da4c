"""How likely each of a few continuations is, from the listed alternatives of one or two tokens.

A choice counts by the token that first tells it from the others, summed over the ways to write that token (case,
leading space). Choices that begin with the same token are told apart one token further on. Nothing is made up: where a
server does not list what is needed, there is no rating.
"""

import math
from collections.abc import Callable, Mapping, Sequence

Listing = Callable[[str, tuple[str, ...], bool], Mapping[str, float] | None]
"""(what the answer has begun with, what may follow, whether a short list was not enough) -> the listed tokens and their
log-probabilities, or None if the server gives none. A server without longer lists gives the same one again."""

SHORTEST = 3
"""Letters a token must share with a longer word to stand for it; `n` would stand for `no` and `new` as well."""


def score_choices(choices: Sequence[str], listing: Listing) -> dict[str, float] | None:
    """Log-probability of each choice.

    Args:
        choices: Continuations; case and surrounding space are ignored.
        listing: Where the alternatives come from.

    Returns:
        Choice -> log-probability in nats, or None if any of them cannot be rated.
    """
    words = {choice: _form(choice) for choice in choices}
    if len(set(words.values())) < len(choices) or "" in words.values():
        raise ValueError(f"choices must differ in more than case and space, and none may be empty: {list(choices)}")
    rated = _rate(tuple(words.values()), "", listing)
    return None if rated is None else {choice: rated[word] for choice, word in words.items()}


def relevant(tokens: Mapping[str, float], following: Sequence[str]) -> dict[str, float]:
    """The tokens that begin one of the texts that may follow; the rest of a long list is not worth keeping."""
    return {token: logprob for token, logprob in tokens.items() if any(_begins(token, text) for text in following)}


def _rate(words: tuple[str, ...], begun: str, listing: Listing) -> dict[str, float] | None:
    """Rate the rests of some choices after an answer has begun."""
    ended = [word for word in words if not word]
    open_words = tuple(word for word in words if word)
    for long in (False, True):
        listed = listing(begun, open_words, long)
        if listed is None:
            return None
        heads = {word: _head(word, listed, strict=not long) for word in open_words}
        if all(heads.values()):
            break
    else:
        return None
    rated: dict[str, float] = {}
    for head in set(heads.values()):
        assert head is not None
        group = [word for word in open_words if heads[word] == head]
        ways = {token: logprob for token, logprob in listed.items() if _form(token) == head}
        here = _sum(list(ways.values()))
        if len(group) == 1:
            rated[group[0]] = here
            continue
        rests = {word: word[len(head) :].strip() for word in group}
        further = _rate(tuple(rests.values()), begun + max(ways, key=ways.__getitem__), listing)
        if further is None:
            return None
        rated |= {word: here + further[rest] for word, rest in rests.items()}
    if ended:  # one choice is the beginning of others: it is meant where none of them follows
        rated[""] = math.log(max(1e-12, 1 - math.exp(_sum(list(rated.values())))))
    return rated


def _head(word: str, listed: Mapping[str, float], strict: bool) -> str | None:
    """The longest listed beginning of a word. Strict: it must not end inside the word's first run of letters."""
    heads = [form for token in listed if _begins(token, word) and (form := _form(token))]
    head = max(heads, key=len, default=None)
    if head is None or head == word or not (head[-1].isalnum() and word[len(head)].isalnum()):
        return head
    return None if strict or len(head) < SHORTEST else head


def _begins(token: str, text: str) -> bool:
    form = _form(token)
    return form != "" and text.startswith(form)


def _form(text: str) -> str:
    return text.strip().casefold()


def _sum(logprobs: list[float]) -> float:
    top = max(logprobs)
    return top + math.log(sum(math.exp(each - top) for each in logprobs)) if top > -math.inf else top
