"""Hold plain dicts against the SDK's annotated classes: every required field there and of its type, none unknown."""

import inspect
from decimal import Decimal
from typing import Any, ClassVar, ForwardRef, Literal, Union, get_args, get_origin

from stripe import StripeObject


def complaints(kind: type, data: dict[str, Any], where: str) -> list[str]:
    """Return what is wrong with `data` as an object of the SDK class `kind`, each with the path to it."""
    hints = _hints(kind)
    if not hints:
        return []  # metadata and the like take any keys
    found = [f"{where}.{name}: unknown" for name in data if name not in hints]
    for name, hint in hints.items():
        path = f"{where}.{name}"
        if name not in data:
            found += [] if type(None) in _options(hint) else [f"{path}: missing"]
        elif not _is_of(hint, data[name]):
            found.append(f"{path}: {data[name]!r} is no {hint}")
        else:
            found += _inside(hint, data[name], path)
    return found


def _hints(kind: type) -> dict[str, Any]:
    hints: dict[str, Any] = {}
    for base in reversed(kind.__mro__):
        if issubclass(base, StripeObject) and base is not StripeObject:
            hints |= inspect.get_annotations(base)
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _options(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) is Union else (hint,)


def _is_of(hint: Any, value: Any) -> bool:
    """Return whether the value fits; a class the SDK names only for type checkers stands for an id or an object."""
    origin = get_origin(hint)
    if origin is Union:
        return any(_is_of(option, value) for option in get_args(hint))
    if origin is Literal:
        return value in get_args(hint)
    if hint is Any or isinstance(hint, ForwardRef | str):
        return hint is Any or isinstance(value, str | dict)
    if origin is not None:
        return isinstance(value, list if issubclass(origin, list) else dict)
    if issubclass(hint, StripeObject):
        return isinstance(value, dict)
    if hint is Decimal:
        return isinstance(value, str)  # on the wire
    return isinstance(value, hint) and (hint is bool or not isinstance(value, bool))


def _inside(hint: Any, value: Any, path: str) -> list[str]:
    found = []
    for option in _options(hint):
        if isinstance(value, dict) and inspect.isclass(option) and issubclass(option, StripeObject):
            found += complaints(option, value, path)
        elif isinstance(value, list) and get_origin(option) is list:
            for index, one in enumerate(value):
                found += _inside(get_args(option)[0], one, f"{path}[{index}]")
    return found
