from .access import RecoveryCode, Registration, SecondFactor, Session, Tries
from .people import User, UserQuerySet
from .relations import Follow, MuteOrBlock

__all__ = [
    "Follow",
    "MuteOrBlock",
    "RecoveryCode",
    "Registration",
    "SecondFactor",
    "Session",
    "Tries",
    "User",
    "UserQuerySet",
]
