"""What may go wrong between a shop and Stripe, switched on by a test and off again by reset()."""

from dataclasses import asdict, dataclass, field, fields
from typing import Any

MODES = ("500", "429", "hang", "close_before", "close_after", "event_first", "odd")


@dataclass
class ApiFault:
    """
    The next `times` calls whose method and path begin like this go wrong.

    500: fails after the effect was stored as a failure, as Stripe's own do. 429: too many requests. hang: no answer for
    `seconds`. close_before / close_after: the connection ends before or after the effect. event_first: the webhook is
    delivered and answered before the call is. odd: the effect happens, and the answer is `body` instead of the object.
    """

    mode: str
    path: str = "/v1/"
    method: str = ""
    times: int = 1
    seconds: float = 30
    body: Any = None

    def matches(self, method: str, path: str) -> bool:
        return self.times > 0 and path.startswith(self.path) and self.method in ("", method)


@dataclass
class Faults:
    """`drop` loses every event; `hold` keeps them until Courier.release(); the rest changes how each one arrives."""

    api: list[ApiFault] = field(default_factory=list)
    duplicate: int = 1
    drop: bool = False
    hold: bool = False
    delay: float = 0
    wrong_secret: bool = False
    two_signatures: bool = False
    clock_skew: int = 0
    # Other than agreed: what the session shows once it is paid.
    amount: int | None = None
    currency: str | None = None
    livemode: bool | None = None
    metadata: dict[str, str] | None = None

    def take(self, method: str, path: str) -> ApiFault | None:
        for fault in self.api:
            if fault.matches(method, path):
                fault.times -= 1
                return fault
        return None

    def set(self, **changes: Any) -> None:
        """Change knobs by name; `api` takes ApiFault objects or their JSON form."""
        known = {knob.name for knob in fields(self)}
        for name, value in changes.items():
            if name not in known:
                raise ValueError(f"no such fault: {name}")
            if name == "api":
                value = [ApiFault(**fault) if isinstance(fault, dict) else fault for fault in value]
            setattr(self, name, value)

    def reset(self) -> None:
        self.set(**{knob.name: getattr(Faults(), knob.name) for knob in fields(self)})

    def as_json(self) -> dict[str, Any]:
        return asdict(self)
