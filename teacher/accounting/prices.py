"""What hosted models cost, from genai-prices: a list that others keep up to date, a copy of which comes with it.

Nothing is fetched. Servers of one's own, models that the list does not have, and addresses it does not know have no
price; none is guessed.
"""

from dataclasses import dataclass
from functools import cache
from importlib.metadata import version

SAMPLE = 1000
"""Tokens whose price is looked up: few, as long prompts of some models cost more a token."""


@dataclass(frozen=True)
class Prices:
    """Of a million tokens, in US dollars."""

    input: float
    output: float
    cached: float
    """Of prompt tokens that the server has in its own cache."""


@cache
def listed(model: str, url: str, provider: str = "") -> Prices | None:
    """The prices of a model behind an address, or of a provider, or None where the list does not have it."""
    from genai_prices import Usage, calc_price  # 0.3 s, which a run with the embedded teacher need not wait for

    def price(**tokens: int) -> float:
        usage = Usage(**tokens)
        if provider:
            found = calc_price(usage, model, provider_id=provider)
        else:
            found = calc_price(usage, model, provider_api_url=url)
        return float(found.total_price) * 1e6 / SAMPLE

    try:
        return Prices(
            input=price(input_tokens=SAMPLE),
            output=price(output_tokens=SAMPLE),
            cached=price(input_tokens=SAMPLE, cache_read_tokens=SAMPLE),
        )
    except LookupError:
        return None


def source() -> str:
    """The list and its version, as a user is told."""
    return f"genai-prices {version('genai-prices')}"
