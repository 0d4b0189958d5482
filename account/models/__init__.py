from .access import RecoveryCode, Registration, SecondFactor, Session, Tries
from .people import User, UserQuerySet
from .ties import Boundary, Follow

__all__ = [
    "Boundary",
    "Follow",
    "RecoveryCode",
    "Registration",
    "SecondFactor",
    "Session",
    "Tries",
    "User",
    "UserQuerySet",
]
