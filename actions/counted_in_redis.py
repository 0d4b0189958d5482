"""
Views since the last flush, and the ranking, in Redis.

    views:seen:<day>:<kind>:<id>   set: the visitors counted today
    views:pending                  hash: "<kind>:<id>" -> views not yet in the database
    views:batch                    the hash above while it is being written, with its number under "#"
    views:ranking:<kind>           sorted set: id -> all views; what is missing is in the database only
"""

from datetime import date
from typing import Any
from uuid import uuid4

from core.stores.redisstore import ask

PENDING, BATCH = "views:pending", "views:batch"
SECONDS_SEEN = 2 * 86_400
RANKED = 1000  # members kept in a ranking

COUNT = """
if redis.call('SADD', KEYS[1], ARGV[1]) == 0 then return 0 end
redis.call('EXPIRE', KEYS[1], ARGV[3])
redis.call('HINCRBY', KEYS[2], ARGV[2], 1)
redis.call('ZADD', KEYS[3], 'XX', 'INCR', 1, ARGV[4])
return 1
"""

# A batch left by a flush that was killed comes first, under its old number.
TAKE = """
if redis.call('EXISTS', KEYS[2]) == 0 then
    if redis.call('EXISTS', KEYS[1]) == 0 then return {} end
    redis.call('RENAME', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[2], '#', ARGV[1])
end
return redis.call('HGETALL', KEYS[2])
"""

RANK = """
for i = 2, #ARGV, 2 do
    local pending = redis.call('HGET', KEYS[2], ARGV[1] .. ':' .. ARGV[i]) or 0
    redis.call('ZADD', KEYS[1], ARGV[i + 1] + pending, ARGV[i])
end
"""


def count(kind: str, target_id: int, visitor: str, day: date) -> bool | None:
    """Count the visitor if new today; None when Redis does not answer: then this view is not counted."""
    keys = (f"views:seen:{day}:{kind}:{target_id}", PENDING, _ranking(kind))
    field = f"{kind}:{target_id}"
    return ask(lambda redis: bool(redis.eval(COUNT, 3, *keys, visitor, field, SECONDS_SEEN, target_id)))


def views(kind: str, target_id: int) -> int | None:
    score = ask(lambda redis: redis.zscore(_ranking(kind), target_id))
    return None if score is None else int(score)


def pending(kind: str, target_id: int) -> int:
    """Return the views that the database does not have yet; a batch being written may be missing for a moment."""
    return int(ask(lambda redis: redis.hget(PENDING, f"{kind}:{target_id}")) or 0)


def ranking(kind: str, limit: int) -> list[int]:
    members: list[Any] = ask(lambda redis: redis.zrevrange(_ranking(kind), 0, limit - 1)) or []
    return [int(member) for member in members]


def take() -> tuple[str, dict[tuple[str, int], int]]:
    """Return the number of the batch to write and its counts; empty when there is nothing."""
    flat: list[str] = ask(lambda redis: redis.eval(TAKE, 2, PENDING, BATCH, uuid4().hex)) or []
    fields = dict(zip(flat[::2], flat[1::2], strict=True))
    number = fields.pop("#", "")
    counts = {}
    for field, views in fields.items():
        kind, _, target_id = field.rpartition(":")
        counts[kind, int(target_id)] = int(views)
    return number, counts


def done() -> None:
    ask(lambda redis: redis.delete(BATCH))


def rank(kind: str, totals: dict[int, int]) -> None:
    """Enter the totals that the database now has; views counted meanwhile are added to them."""
    if totals:
        flat = [value for pair in totals.items() for value in pair]
        ask(lambda redis: redis.eval(RANK, 2, _ranking(kind), PENDING, kind, *flat))
        ask(lambda redis: redis.zremrangebyrank(_ranking(kind), 0, -RANKED - 1))


def is_ranked(kind: str) -> bool | None:
    return ask(lambda redis: bool(redis.exists(_ranking(kind))))


def forget(kind: str, target_id: int) -> None:
    ask(lambda redis: redis.zrem(_ranking(kind), target_id))
    ask(lambda redis: redis.hdel(PENDING, f"{kind}:{target_id}"))


def _ranking(kind: str) -> str:
    return f"views:ranking:{kind}"
