"""
Write records as posts, each in a transaction of its own.

A record whose post is here already, by its key or by its address, changes nothing: what was edited here since is never
overwritten, and a second run over the same source is the same as none.
"""

import logging
from collections.abc import Iterable
from dataclasses import dataclass, field

from django.core.exceptions import ValidationError
from django.core.files import File
from django.core.validators import validate_email
from django.db import InterfaceError, OperationalError, transaction
from django.utils import timezone
from django.utils.text import Truncator, slugify

from account.models import User
from blog.models import Comment, Post, PostQuerySet
from blog.models.comments import MAX_LENGTH as MAX_COMMENT
from blog.models.posts import site_date

from .pictures import PictureKeeper
from .records import CommentRecord, Person, PostRecord, Skipped
from .shortcodes import sentence, shortcodes

logger = logging.getLogger(__name__)

MAX_EXCERPT = 500
USERNAME_LENGTH = 40
EMAIL_LENGTH = 254


@dataclass
class Report:
    """What a run did: numbers for what went well, a line for everything that did not."""

    created: int = 0
    comments: int = 0
    unchanged: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[Skipped] = field(default_factory=list)

    def note(self, key: str, reason: str) -> None:
        self.notes.append(Skipped(key, reason))


def _in_words(error: ValidationError) -> str:
    """Return what is wrong with which field."""
    if not hasattr(error, "error_dict"):
        return " ".join(error.messages)
    fields = error.message_dict.items()
    return " ".join(" ".join(told) if name == "__all__" else f"Its {name}: {' '.join(told)}" for name, told in fields)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return len(text) <= EMAIL_LENGTH


class Importer:
    """Turns records into posts. `author` writes what names no author known here; without `write` nothing is stored."""

    def __init__(
        self, *, author: User | None = None, write: bool = True, pictures: PictureKeeper | None = None
    ) -> None:
        self.author = author
        self.write = write
        self.pictures = pictures
        self.report = Report()
        self._people: dict[Person, User | None] = {}

    def run(self, records: Iterable[PostRecord | Skipped]) -> Report:
        for record in records:
            self.take(record)
        return self.report

    def take(self, record: PostRecord | Skipped) -> None:
        """Import one record, or remember why not; only a database that is away ends the import."""
        if isinstance(record, Skipped):
            self.report.skipped.append(record)
            return
        try:
            self._take(record)
        except (OperationalError, InterfaceError):
            raise
        except UnicodeError:
            self._skip(record, "it holds half a letter (a lone surrogate), which no database stores")
        except Exception:  # whatever one post is like, the others have their turn
            logger.debug("%s could not be stored", record.key, exc_info=True)
            self._skip(record, "it cannot be stored: something in it is too long, too old or no text")

    def _skip(self, record: PostRecord, reason: str) -> None:
        self.report.skipped.append(Skipped(record.name, reason))

    def _take(self, record: PostRecord) -> None:
        if self._is_here(record):
            self.report.unchanged += 1
        elif self._is_taken(record):
            self._skip(record, "another post stands at its address (date and slug)")
        elif not record.body.strip():
            self._skip(record, "it has no text")
        else:
            self._create(record)

    def _is_here(self, record: PostRecord) -> bool:
        """Tell whether the post is here: by the key of its source, or word for word at its address (an own export)."""
        if Post.objects.filter(source_key=record.key[:255]).exists():
            return True
        return self._at_address(record).filter(title=record.title, body=record.body).exists()

    def _is_taken(self, record: PostRecord) -> bool:
        return self._at_address(record).exists()

    def _at_address(self, record: PostRecord) -> PostQuerySet:
        if record.publish_at is None or not record.slug:
            return Post.objects.none()
        return Post.objects.filter(publish_on=site_date(record.publish_at), slug=record.slug[:200])

    def _create(self, record: PostRecord) -> None:
        try:
            post = self._make(record)
            post.full_clean(exclude=["author", "tags", "cover"])
        except ValidationError as error:
            self._skip(record, _in_words(error))
            return
        if found := shortcodes(record.body):
            self.report.note(record.name, sentence(found))
        if self.write:
            self._save(post, record)
        self.report.created += 1
        self.report.comments += len(record.comments)

    def _make(self, record: PostRecord) -> Post:
        is_draft = record.is_draft
        if record.publish_at is None and not is_draft:
            self.report.note(record.name, "it has no date and became a draft")
            is_draft = True
        return Post(
            source_key=record.key[:255],
            title=record.title,
            slug=record.slug[:200],
            body=self._body(record),
            excerpt=Truncator(record.excerpt).chars(MAX_EXCERPT),
            cover_alt=record.cover_alt[:200],
            publish_at=record.publish_at or timezone.now(),
            status=Post.Status.DRAFT if is_draft else Post.Status.PUBLISHED,
            author=self._author(record),
        )

    def _body(self, record: PostRecord) -> str:
        if not self.pictures or not self.write:
            return record.body
        body, problems = self.pictures.keep(record.body)
        for problem in problems:
            self.report.note(record.name, problem)
        return body

    def _save(self, post: Post, record: PostRecord) -> None:
        if record.cover:
            self._add_cover(post, record)
        with transaction.atomic():
            post.save()
            if record.tags:
                post.tags.set([tag[:100] for tag in record.tags])
            for comment in record.comments:
                self._save_comment(post, comment)

    def _add_cover(self, post: Post, record: PostRecord) -> None:
        assert record.cover is not None  # noqa: S101 - for the type checker; the caller looked
        try:
            with record.cover.open("rb") as file:
                post.cover.save(record.cover.name, File(file), save=False)
        except OSError as error:
            self.report.note(record.name, f"its cover was left out: {error.strerror}")
        except ValueError as error:
            self.report.note(record.name, f"its cover was left out: {error}")

    def _save_comment(self, post: Post, record: CommentRecord) -> None:
        if len(record.body) > MAX_COMMENT:
            self.report.note(record.name, f"the comment was cut to {MAX_COMMENT:,} characters")
        Comment(
            post=post,
            source_key=record.key[:255],
            name=record.name[:80] or "?",
            email=record.email[:254],
            body=Truncator(record.body).chars(MAX_COMMENT),
            created_at=record.created_at,
            state=Comment.State.APPROVED if record.is_approved else Comment.State.WAITING,
        ).save()

    def _author(self, record: PostRecord) -> User:
        person = record.author
        if person is None:
            author = self.author
        else:
            if person not in self._people:
                self._people[person] = self._find(person) or self._create_inactive(person) or self.author
            author = self._people[person]
        if author is None:
            raise ValidationError("nobody here is its author; name one with --author")
        return author

    def _find(self, person: Person) -> User | None:
        people = User.objects
        by_email = people.filter(email__iexact=person.email).first() if person.email else None
        found: User | None = by_email or people.filter(username__iexact=person.login).first()
        return found

    def _create_inactive(self, person: Person) -> User | None:
        """Make an account that nobody can log in to, for an author whose address the source tells."""
        username = slugify(person.login)[:USERNAME_LENGTH]
        people = User.objects
        if not (_is_address(person.email) and username) or people.filter(username__iexact=username).exists():
            return None
        if not self.write:
            return User(username=username)
        user: User = people.create_user(username, person.email, first_name=person.name[:150], is_active=False)
        self.report.note(person.login, "an inactive account was made for this author")
        return user
