from .access import RecoveryCode, SecondFactor, Session, Tries
from .people import User, UserQuerySet
from .ties import Boundary, Follow

__all__ = ["Boundary", "Follow", "RecoveryCode", "SecondFactor", "Session", "Tries", "User", "UserQuerySet"]
