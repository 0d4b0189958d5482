"""JSON that every database takes."""

import math
import re
from typing import Any

UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
MAX_DEPTH = 50  # Stripe's own objects have less than ten


def storable(value: Any, depth: int = 0) -> Any:
    """
    Return JSON as every database takes it: PostgreSQL's knows no NUL, no half of a surrogate pair and no infinity.

    Such a character comes from what some buyer typed and is of no use to us; the event around it is. Raises ValueError
    for what is nested beyond reason.
    """
    if depth > MAX_DEPTH:
        raise ValueError("nested too deeply")
    if isinstance(value, dict):
        return {storable(key): storable(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [storable(inner, depth + 1) for inner in value]
    if isinstance(value, str):
        return UNSTORABLE.sub("\ufffd", value)
    return None if isinstance(value, float) and not math.isfinite(value) else value
