from .access import RecoveryCode, SecondFactor, Session
from .people import User, UserQuerySet
from .ties import Boundary, Follow

__all__ = ["Boundary", "Follow", "RecoveryCode", "SecondFactor", "Session", "User", "UserQuerySet"]
